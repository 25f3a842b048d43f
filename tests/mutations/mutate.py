#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks linearb on purpose, one way at a time, and sees whether the test that is there for it notices.

    mutate.py [NAME...]     all mutations of this folder, or those that are named
    mutate.py --list        what each of them breaks

Nothing is changed in place: the tree is copied to build-mutate/, and built there. The exit status is 0
when every mutation was killed by the test that it names and every control survived, 1 when not, 2 for
wrong usage. A mutation whose text is not found any more, or that does not compile, is no good either.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "tests" / "mutations"
COPY = ROOT / "build-mutate"
BUILD = COPY / "build"
LOGS = BUILD / "mutations"  # what the compiler or the test said of each

# A test is stopped after so long. One that is expected to hang has done so sooner: it takes no time.
TEST_SECONDS = 60
HANG_SECONDS = 10
STOPPED = (124, 137)  # what timeout(1) returns for what it had to end

# These make network namespaces.
NEED_ROOT = ("bpf", "e2e", "data_thread", "frame_owners")

# What ninja makes in a build directory, next to what CMake keeps there.
OUTPUT_SUFFIXES = ("", ".o", ".a", ".h")


class Unusable(Exception):
    """A mutation that says nothing, and why."""


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    breaks: str  # what goes wrong, in words
    file: str    # in which `old` stands once, and `new` takes its place
    old: str
    new: str
    target: str  # the executable that holds the test, and its target in the build
    test: str    # a filter of GoogleTest
    survives: bool = False  # a control: nothing is broken, and the test has to pass
    hangs: bool = False     # that the test does not end is how it notices


@dataclasses.dataclass(frozen=True)
class Result:
    is_good: bool
    verdict: str
    details: str = ""


# ---- mutations -----------------------------------------------------------------------------------


def parse(name, text):
    try:
        mutation = Mutation(name=name, **tomllib.loads(text))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise Unusable(f"{name}.toml: {error}") from error
    if mutation.old == mutation.new:
        raise Unusable(f"{name}.toml: old and new are the same")
    return mutation


def load(folder=FOLDER):
    return [parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]


def apply(mutation, text):
    """The text of the file with the mutation in it."""
    found = text.count(mutation.old)
    if found != 1:
        raise Unusable(f"its text stands {found} times in {mutation.file}, not once: has the code changed?")
    return text.replace(mutation.old, mutation.new)


# ---- the copy ------------------------------------------------------------------------------------


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)


def source_files():
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                             check=True, capture_output=True).stdout.decode()
    return {name for name in listing.split("\0") if name and (ROOT / name).is_file()}


def copy_tree():
    """Only what differs is written, so that a second run builds little."""
    wanted = source_files()
    for path in COPY.rglob("*"):
        if path.is_file() and BUILD not in path.parents and path.relative_to(COPY).as_posix() not in wanted:
            path.unlink()
    for name in wanted:
        source, copy = ROOT / name, COPY / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
        copy.chmod(source.stat().st_mode)


class Mutated:
    """A mutation in the copy, for the time of a `with`.

    Behind it the file has its text and its time back, and what was built since is removed: then ninja
    builds again what this mutation touched in its own target, and nothing else. After an interrupt
    somebody may still be building: the file keeps its new time, and all that includes it is built again.
    """

    def __init__(self, mutation):
        self.mutation = mutation
        self.path = COPY / mutation.file

    def __enter__(self):
        self.text = self.path.read_text(encoding="utf-8")
        self.times = self.path.stat()
        self.path.write_text(apply(self.mutation, self.text), encoding="utf-8")
        self.since_ns = self.path.stat().st_mtime_ns

    def __exit__(self, exception, *_):
        self.path.write_text(self.text, encoding="utf-8")
        if exception is not None:
            return
        os.utime(self.path, ns=(self.times.st_atime_ns, self.times.st_mtime_ns))
        for path in BUILD.rglob("*"):
            if path.suffix in OUTPUT_SUFFIXES and not path.name.startswith(".") and path.is_file() \
                    and path.stat().st_mtime_ns >= self.since_ns:
                path.unlink()


# ---- building and running ------------------------------------------------------------------------


def build(targets):
    return run(["cmake", "--build", BUILD, "-j", str(os.cpu_count() or 1), "--target", *targets])


def executable(target):
    folder = "unit" if target.startswith("unit_") else target
    return BUILD / "tests" / folder / target


def outcome_of(exit_status, report):
    """passed, failed, stopped, or did not run. `report` is the JSON of GoogleTest; None if there is none."""
    if exit_status in STOPPED:
        return "stopped"
    if exit_status != 0:
        return "failed"
    tests = [test for suite in (report or {}).get("testsuites", []) for test in suite["testsuite"]]
    ran = [test for test in tests if test["status"] == "RUN" and test["result"] == "COMPLETED"]
    return "passed" if tests and ran == tests else "did not run"


def run_test(mutation):
    path = BUILD / "mutation_test.json"
    path.unlink(missing_ok=True)
    is_root = os.geteuid() == 0
    command = ["sudo"] if mutation.target in NEED_ROOT and not is_root else []
    seconds = HANG_SECONDS if mutation.hangs else TEST_SECONDS
    command += ["timeout", "--kill-after=5", str(seconds), executable(mutation.target),
                f"--gtest_filter={mutation.test}", f"--gtest_output=json:{path}"]
    done = run(command, cwd=BUILD)
    report = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return outcome_of(done.returncode, report), done.stdout


def judge(mutation, outcome):
    """Whether what the test said of the mutation is as it has to be, and in words."""
    if mutation.survives:
        return outcome == "passed", "survives, as it has to" if outcome == "passed" else f"control: {outcome}"
    noticed = outcome == "failed" or (outcome == "stopped" and mutation.hangs)
    named = f"{mutation.target} {mutation.test}"
    if noticed:
        return True, named + (" (does not end)" if outcome == "stopped" else "")
    return False, {"passed": f"SURVIVED {named}", "stopped": f"did not end: {named}"}.get(
        outcome, f"{outcome}: {named}")


def try_out(mutation):
    try:
        with Mutated(mutation):
            built = build([mutation.target])
            if built.returncode != 0:
                return Result(False, "DOES NOT COMPILE", built.stdout)
            outcome, output = run_test(mutation)
    except Unusable as unusable:
        return Result(False, f"UNUSABLE: {unusable}")
    is_good, verdict = judge(mutation, outcome)
    return Result(is_good, verdict, output)


# ---- a run ---------------------------------------------------------------------------------------


def prepare(mutations):
    """The copy, built, with every test that is named passing. What a failing test says proves nothing."""
    copy_tree()
    for done in (run(["cmake", "--preset", "release", "--log-level=WARNING"], cwd=COPY),
                 build(sorted({mutation.target for mutation in mutations}))):
        if done.returncode != 0:
            sys.exit(f"{done.stdout}\nthe tree does not build without a mutation")
    failures = 0
    for mutation in {(m.target, m.test): m for m in mutations}.values():
        outcome, output = run_test(mutation)
        if outcome != "passed":
            failures += 1
            print(f"{output}\n{mutation.target} {mutation.test}: {outcome}, without a mutation", flush=True)
    if failures:
        sys.exit(f"{failures} of the named tests do not pass without a mutation")


def report(name, result, seconds):
    LOGS.mkdir(exist_ok=True)
    (LOGS / f"{name}.txt").write_text(result.details, encoding="utf-8")
    print(f"{name:<50} {seconds:5.0f} s  {result.verdict}", flush=True)
    if not result.is_good and result.details:
        print("    " + "\n    ".join(result.details.splitlines()[-30:]), flush=True)


def chosen(mutations, names):
    unknown = set(names) - {mutation.name for mutation in mutations}
    if unknown:
        print(f"no mutation {', '.join(sorted(unknown))}; --list names those there are", file=sys.stderr)
        sys.exit(2)
    return [mutation for mutation in mutations if not names or mutation.name in names]


def main(arguments):
    try:
        mutations = load()
    except Unusable as unusable:
        sys.exit(str(unusable))
    if arguments == ["--list"]:
        for mutation in mutations:
            print(f"{mutation.name:<50} {mutation.breaks}")
        return 0
    mutations = chosen(mutations, arguments)
    began = time.monotonic()
    prepare(mutations)
    print(f"built, and every named test passes: {time.monotonic() - began:.0f} s", flush=True)
    bad = 0
    # Of one file together: what they have in common is built once.
    for mutation in sorted(mutations, key=lambda m: (m.target, m.file, m.name)):
        start = time.monotonic()
        result = try_out(mutation)
        report(mutation.name, result, time.monotonic() - start)
        bad += not result.is_good
    controls = sum(mutation.survives for mutation in mutations)
    print(f"{len(mutations)} mutations, {controls} of them controls, {bad} not as they have to be: "
          f"{time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
