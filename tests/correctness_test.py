#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each test that docs/correctness.md names is there.

    correctness_test.py BUILD_DIRECTORY

A name is what ctest prints, up to its parameter; "*" stands for any letters. What was renamed or removed
is no proof any more.
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "correctness.md"
NAME = re.compile(r"`((?:unit|bpf|e2e|model|fuzz)\.[^`]+|sim)`")


def names_in(text):
    return sorted(set(NAME.findall(text)))


def tests_of(build):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                             capture_output=True, check=True, text=True).stdout
    return [test["name"].split("  # ", 1)[0] for test in json.loads(listing)["tests"]]


def missing(names, tests):
    """Those of the names that no test has."""
    return [name for name in names
            if not any(re.fullmatch(re.escape(name).replace(r"\*", ".*"), test) for test in tests)]


class Names(unittest.TestCase):
    def test_are_found_between_backticks(self):
        self.assertEqual(names_in("`e2e.A.B/*`, `sim`, `tests/sim`, `unit.C.D` and `sim`"),
                         ["e2e.A.B/*", "sim", "unit.C.D"])

    def test_one_that_is_not_there_is_missed(self):
        self.assertEqual(missing(["unit.A.B", "unit.A.C*", "unit.X.*"], ["unit.A.B", "unit.A.Cd"]), ["unit.X.*"])

    def test_of_the_document_are_there(self):
        names = names_in(DOCUMENT.read_text(encoding="utf-8"))
        self.assertGreater(len(names), 50)
        self.assertEqual(missing(names, tests_of(BUILD)), [])

    def test_each_pitfall_has_one(self):
        text = DOCUMENT.read_text(encoding="utf-8").split("## Pitfalls", 1)[1].split("\n## ", 1)[0]
        for number in range(1, 21):
            row = re.search(rf"^\| {number} \|.*$", text, re.MULTILINE)
            self.assertTrue(row and names_in(row.group()), f"pitfall {number}")


if __name__ == "__main__":
    BUILD = sys.argv.pop()
    unittest.main()
