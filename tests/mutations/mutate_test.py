#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mutations still fit the code, and their runner says what it sees. Nothing is built here."""

import sys
import unittest

sys.dont_write_bytecode = True
import mutate
from mutate import Mutation, Unusable, apply, judge, outcome_of, parse

TEXT = 'breaks = "b"\nfile = "f"\nold = "a"\nnew = "c"\ntarget = "unit_core"\ntest = "Window.A"\n'


def mutation(**changes):
    return Mutation(**{"name": "n", "breaks": "b", "file": "f", "old": "a", "new": "c", "target": "unit_core",
                       "test": "Window.A", **changes})


def report(*results):
    tests = [{"status": "RUN", "result": result} for result in results]
    return {"testsuites": [{"testsuite": tests}]}


class Folder(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.mutations = mutate.load()

    def test_every_mutation_fits_the_code(self):
        complaints = []
        for each in self.mutations:
            try:
                apply(each, (mutate.ROOT / each.file).read_text(encoding="utf-8"))
            except (Unusable, OSError) as error:
                complaints.append(f"{each.name}: {error}")
        self.assertEqual([], complaints)

    def test_there_are_some_and_a_control(self):
        self.assertGreaterEqual(sum(not each.survives for each in self.mutations), 24)
        self.assertTrue(any(each.survives for each in self.mutations))

    def test_a_control_changes_comments_alone(self):
        for each in self.mutations:
            if each.survives:
                for line in (each.old + each.new).splitlines():
                    self.assertTrue(line.lstrip().startswith(("/*", "*", "//")), each.name)


class Rules(unittest.TestCase):
    """Each rule refuses what it is there for."""

    def refused(self, action, word):
        with self.assertRaises(Unusable) as caught:
            action()
        self.assertIn(word, str(caught.exception))

    def test_a_file_says_what_has_to_be_said_and_nothing_else(self):
        self.assertEqual(mutation(), parse("n", TEXT))
        self.assertTrue(parse("n", TEXT + "survives = true\n").survives)
        self.refused(lambda: parse("n", TEXT.replace("test =", "tset =")), "tset")
        self.refused(lambda: parse("n", TEXT.replace('test = "Window.A"\n', "")), "test")
        self.refused(lambda: parse("n", TEXT + "= 1\n"), "n.toml")
        self.refused(lambda: parse("n", TEXT.replace('"c"', '"a"')), "the same")

    def test_its_text_stands_once(self):
        self.assertEqual("bcb", apply(mutation(), "bab"))
        self.refused(lambda: apply(mutation(), "b"), "0 times")
        self.refused(lambda: apply(mutation(), "aba"), "2 times")

    def test_what_a_test_said(self):
        for exit_status, results, outcome in [
                (0, ["COMPLETED"], "passed"),
                (0, ["COMPLETED", "COMPLETED"], "passed"),
                (1, ["COMPLETED"], "failed"),
                (-11, [], "failed"),          # it crashed
                (124, [], "stopped"),
                (137, [], "stopped"),
                (0, [], "did not run"),       # there is no test of that name
                (0, ["SKIPPED"], "did not run"),
                (0, ["COMPLETED", "SKIPPED"], "did not run")]:
            self.assertEqual(outcome, outcome_of(exit_status, report(*results)), (exit_status, results))
        self.assertEqual("failed", outcome_of(1, None))
        self.assertEqual("did not run", outcome_of(0, None))

    def test_a_mutation_is_killed_by_a_test_that_fails(self):
        for changes, good in [
                ({}, {"failed"}),
                ({"hangs": True}, {"failed", "stopped"}),
                ({"survives": True}, {"passed"})]:
            for outcome in ("passed", "failed", "stopped", "did not run"):
                self.assertEqual(outcome in good, judge(mutation(**changes), outcome)[0], (changes, outcome))

    def test_a_verdict_names_the_test(self):
        self.assertEqual("unit_core Window.A", judge(mutation(), "failed")[1])
        self.assertEqual("SURVIVED unit_core Window.A", judge(mutation(), "passed")[1])
        self.assertIn("does not end", judge(mutation(hangs=True), "stopped")[1])

    def test_a_name_that_is_unknown_is_wrong_usage(self):
        self.assertEqual([mutation()], mutate.chosen([mutation()], ["n"]))
        self.assertEqual([mutation()], mutate.chosen([mutation()], []))
        with self.assertRaises(SystemExit) as caught:
            mutate.chosen([mutation()], ["m"])
        self.assertEqual(2, caught.exception.code)


if __name__ == "__main__":
    sys.exit(unittest.main())
