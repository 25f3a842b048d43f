#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
r"""Runs the fuzz targets of a build directory, each for so many seconds of a CPU.

    run.py BUILD_DIRECTORY SECONDS [TARGET...]

The canary goes first: it must fail, or nothing else is believed. Each target begins with what is in
corpus/TARGET, and keeps what it learns in the build directory. The exit status is 1 on a finding,
which stays as a file, printed with the command that shows it again.

What a target learned is worth keeping now and then, as few and small files as cover the same:

    build-fuzz/tests/fuzz/fuzz_walk -set_cover_merge=1 -use_counters=0 NEW_FOLDER \
        tests/fuzz/corpus/walk build-fuzz/fuzz/walk
"""

import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Files of ours that are good inputs too.
MORE_INPUTS = {"toml": [ROOT / "framings"], "config": [ROOT / "examples"]}
WORDS = {"toml": "toml.dict", "config": "config.dict"}
INPUT_BYTES_MAX = 4096
CANARY = "canary"
CANARY_SECONDS = 120
SINGLE_INPUT_SECONDS = 10


def target_names(build):
    paths = sorted((build / "tests" / "fuzz").glob("fuzz_*"))
    return [path.name.removeprefix("fuzz_") for path in paths if path.is_file()]


def run_target(build, name, seconds):
    """Its exit status and what it said. The canary learns nothing: it has to be found every time."""
    learned = build / "fuzz" / name
    findings = build / "fuzz" / "findings"
    for folder in (learned, findings):
        folder.mkdir(parents=True, exist_ok=True)
    command = [build / "tests" / "fuzz" / f"fuzz_{name}", f"-max_total_time={seconds}",
               "-print_final_stats=1", f"-max_len={INPUT_BYTES_MAX}",
               f"-timeout={SINGLE_INPUT_SECONDS}", f"-artifact_prefix={findings}/{name}-"]
    if name in WORDS:
        command.append(f"-dict={HERE / WORDS[name]}")
    if name != CANARY:
        command += [learned, HERE / "corpus" / name, *MORE_INPUTS.get(name, [])]
    environment = os.environ | {"ASAN_SYMBOLIZER_PATH": shutil.which("llvm-symbolizer") or ""}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          check=False)
    return done.returncode, done.stdout


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_target_for(build, name, seconds):
    """Again and again, until so many seconds of a CPU are used: on a busy machine that takes longer
    than a clock on the wall says. Returns the last exit status, what was said last, how many inputs
    were tried in all, and the seconds used."""
    begin = cpu_seconds()
    executions = 0
    while True:
        left = seconds - (cpu_seconds() - begin)
        status, said = run_target(build, name, max(1, round(left)))
        executions += last_number(r"stat::number_of_executed_units:\s+(\d+)", said)
        used = cpu_seconds() - begin
        if status != 0 or used + 1 >= seconds:
            return status, said, executions, used


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def print_finding(name, said):
    print(said[-6000:])
    written = re.search(r"Test unit written to (\S+)", said)
    if written:
        print(f"{name}: a finding; build-fuzz/tests/fuzz/fuzz_{name} {written[1]} shows it again")
    else:
        print(f"{name}: ended with an error before it could write the input down")


def canary_is_found(build):
    status, said = run_target(build, CANARY, CANARY_SECONDS)
    is_found = status != 0 and "AddressSanitizer" in said
    print("canary: found, as it must be" if is_found else
          f"canary: not found: what the others do not find says nothing\n{said[-2000:]}", flush=True)
    return is_found


def main(build, seconds, names):
    build = pathlib.Path(build).resolve()
    known = [name for name in target_names(build) if name != CANARY]
    unknown = set(names) - set(known)
    if unknown:
        print(f"no fuzz target {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    if not canary_is_found(build):
        return 1
    findings = 0
    for name in names or known:
        status, said, executions, used = run_target_for(build, name, seconds)
        covered = last_number(r"cov: (\d+)", said)
        print(f"{name}: {executions:,} executions in {used:,.0f} s of a CPU, "
              f"{covered:,} edges covered, {'a finding' if status else 'nothing found'}", flush=True)
        if status:
            print_finding(name, said)
            findings += 1
    return 1 if findings else 0


if __name__ == "__main__":
    if len(sys.argv) < 3 or not sys.argv[2].isdigit():
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
