#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/instructions.py makes of counts."""

import sys
import unittest

import instructions


class Complaints(unittest.TestCase):
    def test_a_count_may_grow_by_a_twentieth(self):
        self.assertEqual(list(instructions.complaints({"a": 100}, {"a": 105})), [])
        self.assertEqual(list(instructions.complaints({"a": 100}, {"a": 50})), [])
        self.assertIn("6% more than 100", "".join(instructions.complaints({"a": 100}, {"a": 106})))

    def test_both_have_the_same_deeds(self):
        self.assertIn("b: 1 instructions; it is not in", "".join(instructions.complaints({}, {"b": 1})))
        self.assertIn("nothing does it", "".join(instructions.complaints({"b": 1}, {})))

    def test_arguments_that_are_none_are_refused(self):
        self.assertEqual(instructions.main([]), 2)
        self.assertEqual(instructions.main(["program", "--updte"]), 2)


if __name__ == "__main__":
    sys.exit(unittest.main())
