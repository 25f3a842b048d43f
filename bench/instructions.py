#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions of what the path of a packet is made of, counted by callgrind.

Unlike a time, a count is the same on a busy machine. Each deed of the program is done twice, so often
and then more often; the difference, divided, is the deed alone. A count that is more than 5 % above
what bench/instructions.json has is a failure, and so is a deed that it does not have. --update writes
what was counted, to be looked at and committed with the change that is the reason.

usage: instructions.py PROGRAM [--update]
"""

import json
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

KEPT = pathlib.Path(__file__).with_name("instructions.json")
FEW, MANY = 2_000, 12_000
MORE = 0.05


def collected(program, deed, times):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, deed, str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    return int(found.group(1))


def of_deed(program, deed):
    return round((collected(program, deed, MANY) - collected(program, deed, FEW)) / (MANY - FEW), 1)


def complaints(kept, counted):
    """Pure: what has grown, is new or has gone."""
    for deed, count in counted.items():
        if deed not in kept:
            yield f"{deed}: {count} instructions; it is not in {KEPT.name}"
        elif count > kept[deed] * (1 + MORE):
            yield f"{deed}: {count} instructions, {count / kept[deed] - 1:.0%} more than {kept[deed]}"
    for deed in kept.keys() - counted.keys():
        yield f"{deed}: is in {KEPT.name}, and nothing does it"


def main(arguments):
    if not arguments or len(arguments) > 2 or arguments[1:] not in ([], ["--update"]):
        print(__doc__.strip().splitlines()[-1], file=sys.stderr)
        return 2
    deeds = subprocess.run(arguments[:1], capture_output=True, text=True, check=True).stdout.splitlines()
    with ThreadPoolExecutor(2) as pool:
        counted = dict(zip(deeds, pool.map(lambda deed: of_deed(arguments[0], deed), deeds)))
    if arguments[1:]:
        KEPT.write_text(json.dumps(counted, indent=1) + "\n")
    kept = json.loads(KEPT.read_text())
    for deed, count in counted.items():
        print(f"{deed:<45} {count:>8.1f}  {count / kept[deed] - 1:>+6.1%}" if deed in kept else deed)
    found = list(complaints(kept, counted))
    for complaint in found:
        print(f"MORE: {complaint}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
