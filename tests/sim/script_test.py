#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `sim --script` says of scripts that are none, and of one that is followed.

    script_test.py BUILD_DIRECTORY
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))
import check  # noqa: E402

COMMANDS = {"stops", "dies", "quiet", "pause"}

REFUSED = [  # what is in the file, and what is said of it
    ("", "there is no step in it"),
    ("# nothing\n", "there is no step in it"),
    ("hook-A packet 1 1 1\nhook-C packet 1 1 1\n", ":2: there is no process and no setting `hook-C`"),
    ("hook-A claim\n", ":1: `hook-A` has no step `claim`"),
    ("receiver claim_done\n", ":1: `receiver` has no step `claim_done`"),
    ("hook-A\n", ":1: `hook-A` has no step ``"),
    ("hook-A claim_done -1\n", ":1: `hook-A` has no step `claim_done -1`"),
    ("hook-A claim_done 0 1\n", ":1: a step has one number at most"),
    ("hook-A packet 1 1\n", ":1: `hook-A packet` wants 3 numbers"),
    ("hook-A packet 0 1 1\n", ":1: a packet is of an epoch from 1 to 100, and has 1 to 128 messages"),
    ("hook-A packet 101 1 1\n", ":1: a packet is of an epoch from 1 to 100"),
    ("hook-A packet 1 1 0\n", ":1: a packet is of an epoch from 1 to 100"),
    ("hook-A packet 1 1 129\n", ":1: a packet is of an epoch from 1 to 100"),
    ("everybody pause\n", ":1: `everybody pause` wants 1 numbers"),
    ("frames 5000\nhook-A packet 1 1 1\n", ":1: there is no process and no setting `frames`"),
    ("gaps declared_missing\n", "`gaps` wants to know for what"),
]


def follow(*arguments):
    return subprocess.run([SIMULATOR, "--script", *arguments], capture_output=True, text=True, check=False)


def follow_text(text, *arguments):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        return follow(file.name, *arguments)


class Scripts(unittest.TestCase):
    def test_that_are_none_are_refused(self):
        for text, complaint in REFUSED:
            with self.subTest(text):
                run = follow_text(text)
                self.assertIn(complaint, run.stderr)
                self.assertEqual((run.returncode, run.stdout), (2, ""))

    def test_that_are_not_there_are_refused(self):
        run = follow("/nowhere/script.txt")
        self.assertIn("open /nowhere/script.txt: No such file or directory", run.stderr)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--script wants a file", follow().stderr)

    def test_steps_are_the_models(self):
        for path in sorted((HERE / "counterexamples").glob("*.txt")):
            for line in path.read_text(encoding="utf-8").splitlines():
                words = line.split("#")[0].split()
                if len(words) > 1 and not words[1].isdigit():
                    self.assertTrue(words[1] in check.STEPS or words[1] in COMMANDS, f"{path.name}: {line}")

    def test_a_trace_tells_steps_and_deliveries(self):
        run = follow_text("hook-A packet 1 7 2\nhook-A redirect 7\nhook-A flush\neverybody quiet\n", "--trace")
        self.assertEqual(run.returncode, 0)
        for told in ("hook-A   redirect 7\n", "clearing cleared 0\n", "[7, 9)  delivered, epoch 1\n"):
            self.assertIn(told, run.stdout)
        self.assertIn(": followed to the end, and all that has to hold holds\n", run.stdout)

    def test_a_step_of_another_packet_is_not_taken(self):
        run = follow_text("hook-A packet 1 7 2\nhook-A redirect 8\n")
        self.assertIn("cannot be followed at line 2, `hook-A redirect 8`", run.stdout)

    def test_the_largest_packet_fits_a_frame(self):
        run = follow_text("hook-A packet 100 1 128\nhook-A into_ring 1\n")
        self.assertIn(": followed to the end", run.stdout)

    def test_a_packet_waits_for_the_one_before(self):
        run = follow_text("hook-A packet 1 7 1\nhook-A packet 1 8 1\n")
        self.assertIn("cannot be followed at line 2, `hook-A packet 1 8 1`", run.stdout)


if __name__ == "__main__":
    SIMULATOR = pathlib.Path(sys.argv.pop()) / "tests" / "sim" / "sim"
    unittest.main()
