#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What bench/report.py makes of results."""

import sys
import unittest
import xml.etree.ElementTree

import report


def point(at, median):
    return {"at": at, "median": median, "min": 0.9 * median, "max": 1.1 * median, "rounds": 3}


class Report(unittest.TestCase):
    def test_numbers_are_as_people_write_them(self):
        self.assertEqual([report.number(n) for n in (4096, 0.25, 1.2345, 123.4)], ["4,096", "0.25", "1.23", "123"])

    def test_ticks_are_round_and_few(self):
        for highest in (0.07, 1, 2.3, 9.9, 480, 12345):
            ticks = report.ticks(highest)
            self.assertIn(len(ticks), range(4, 10), (highest, ticks))
            self.assertLessEqual(ticks[-1], highest)

    def test_a_plot_is_well_formed_and_within_its_frame(self):
        points = [point(at, at / 10) for at in (1, 4, 64, 1024)]
        svg = report.Plot("a < b", "x & y", "u", [("one", points), ("two", points[:2])]).svg()
        root = xml.etree.ElementTree.fromstring(svg)
        circles = [e for e in root.iter() if e.tag.endswith("circle")]
        self.assertEqual(len(circles), 6)
        for circle in circles:
            self.assertTrue(0 < float(circle.get("cx")) < report.WIDTH)
            self.assertTrue(0 < float(circle.get("cy")) < report.HEIGHT)

    def test_only_what_stands_between_the_marks_is_replaced(self):
        text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
        self.assertEqual(report.between_marks(text, "x", ["new"]), "a\n<!-- x -->\nnew\n<!-- end of x -->\nb\n")

    def test_a_missed_target_is_said(self):
        main = {"ratios": {"r": point(0, 2) | {"target": 1, "at_most": True, "met": False}}}
        self.assertIn("| at most 1 | **missed** |", "\n".join(report.ratio_table(main)))

    def test_curves_of_one_axis_share_a_table(self):
        one = {"name": "n", "axis": "a", "series": "s", "unit": "M frames/s", "points": [point(2, 4)]}
        two = one | {"series": "t", "points": [point(4, 2)]}
        table = "\n".join(report.curve_table([one, two]))
        self.assertIn("| 2 | 4 (3.6 to 4.4), 250 ns |  |", table)

    def test_wrong_arguments_are_refused(self):
        self.assertEqual(report.main(["one"]), 2)


if __name__ == "__main__":
    sys.exit(unittest.main())
