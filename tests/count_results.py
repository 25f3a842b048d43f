#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the tests of one or more JUnit files that ctest wrote, and judges the skipped ones.

    count_results.py tests/allowed_skips.txt build/results.xml [...]

Prints each skipped test with its reason and each failed one, and last a line "N passed, N failed, N
skipped". The exit status is 1 when one failed, when one was skipped that the list does not allow, or
when a file holds no test at all.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree


# What tests/support/namespace_main.cpp prints when the whole executable is skipped.
EVERY_TEST = "[  SKIPPED ] every test: "


def allowed_patterns(path):
    """One test a line, "*" for any letters; what stands behind "#" is the reason why."""
    patterns = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        name = line.split("#", 1)[0].strip()
        if name:
            patterns.append(re.compile(re.escape(name).replace(r"\*", ".*")))
    return patterns


def reason_of(case):
    """What the test said: the line behind the place, as GTEST_SKIP prints it, or behind the mark."""
    lines = (case.findtext("system-out") or "").splitlines()
    for place, line in enumerate(lines):
        if line.rstrip().endswith(": Skipped") and place + 1 < len(lines):
            return lines[place + 1].strip()
        if line.startswith(EVERY_TEST):
            return line.removeprefix(EVERY_TEST)
    return "no reason given"


def verdict_of(case):
    skipped = case.find("skipped")
    if skipped is not None:  # ctest says so too of a test whose executable was not built
        return "skipped" if skipped.get("message", "").startswith("SKIP_") else "failed"
    return "passed" if case.get("status") == "run" else "failed"


def main(allowed_path, paths):
    allowed = allowed_patterns(allowed_path)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    is_good = True
    for path in paths:
        cases = list(xml.etree.ElementTree.parse(path).getroot().iter("testcase"))
        if not cases:
            print(f"{path} holds no test")
            is_good = False
        for case in cases:
            name, verdict = case.get("name"), verdict_of(case)
            counts[verdict] += 1
            if verdict == "failed":
                print(f"failed: {name} ({path})")
            if verdict == "skipped":
                is_allowed = any(pattern.fullmatch(name) for pattern in allowed)
                is_good = is_good and is_allowed
                print(f"skipped{'' if is_allowed else ', and not allowed to be'}: {name}: {reason_of(case)}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 0 if is_good and counts["failed"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
