#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chooses tests of a build by a list of patterns.

    select_tests.py tests/vm/tests.txt build

Prints a regular expression for `ctest -R` that matches the chosen ones and no others. The exit status
is 1 when a pattern of the list matches no test: it has been renamed, or removed.
"""

import json
import pathlib
import re
import subprocess
import sys


def patterns_of(path):
    """(takes out, expression, as written) of each line; what stands behind "#" is the reason why."""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        written = line.split("#", 1)[0].strip()
        if written:
            name = written.removeprefix("-")
            yield name != written, re.compile(re.escape(name).replace(r"\*", ".*")), written


def tests_of(build):
    listing = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                             capture_output=True, check=True, text=True).stdout
    return [test["name"] for test in json.loads(listing)["tests"]]


def main(list_path, build):
    tests, chosen, is_good = tests_of(build), set(), True
    for takes_out, expression, written in patterns_of(list_path):
        matching = {test for test in (chosen if takes_out else tests) if expression.fullmatch(test)}
        if not matching:
            print(f"{list_path}: {written} matches no test of {build}", file=sys.stderr)
            is_good = False
        chosen = chosen - matching if takes_out else chosen | matching
    print("^({})$".format("|".join(re.escape(test) for test in tests if test in chosen)))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
