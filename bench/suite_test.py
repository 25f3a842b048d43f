#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""suite_test.py BENCH: the suite itself, on live lines, and what it says of what is wrong. Needs root."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = None


def bench(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=120, check=False)


class Suite(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_run_leaves_its_figures_and_compares_them(self):
        results = self.folder / "results.json"
        once = ("--quick", "--rounds", "3", "--only", "bare sending loop", "--only", "first design's feeder, M")
        run = bench(*once, "--json", results)
        self.assertEqual(run.returncode, 0, run.stderr)
        written = json.loads(results.read_text())
        self.assertIn("Linux", written["machine"])
        for figure in written["figures"].values():
            self.assertEqual(figure["rounds"], 3)
            self.assertTrue(0 < figure["min"] <= figure["median"] <= figure["max"])
        self.assertEqual(len(written["figures"]), 2)
        again = bench(*once, "--compare", results)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"against {results}", again.stdout)
        self.assertIn("bare sending loop", again.stdout.split("against ")[-1])

    def test_a_contender_delivers_each_message_or_there_is_no_result(self):
        """Which of the two is a matter of what else the machine does."""
        for name, figure in (("linearb, M frames/s",) * 2,
                             ("latency of linearb at 20 k/s", "linearb at 20 k/s, p99, ns")):
            run = bench("--quick", "--rounds", "1", "--only", name)
            if run.returncode == 0:
                self.assertIn(figure, run.stdout)
            else:
                self.assertEqual(run.returncode, 1)
                self.assertRegex(run.stderr, r": no result: .*(messages|was not delivered|did not deliver)")

    def test_what_is_wrong_is_said_before_anything_is_measured(self):
        nothing = self.folder / "nothing.json"
        nothing.write_text("{}")
        for arguments, said in ((("--only", "no such thing"), "--only: no measurement has this in its name"),
                                (("--compare", nothing), f"--compare {nothing}: that is no file of --json"),
                                (("--compare", self.folder / "none"), "that is no file of --json")):
            run = bench(*arguments)
            self.assertEqual((run.returncode, run.stdout), (2, ""), arguments)
            self.assertIn(said, run.stderr)

    def test_results_that_cannot_be_written_are_an_error(self):
        run = bench("--quick", "--rounds", "1", "--only", "bare sending loop", "--json", self.folder / "none" / "x")
        self.assertEqual(run.returncode, 1)
        self.assertIn("write the results to", run.stderr)


if __name__ == "__main__":
    BENCH = sys.argv.pop(1)
    unittest.main()
