#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the simulator simulates is the production code: it has no claim and no credit of its own, and is
built from the files under src/.

    production_test.py BUILD_DIRECTORY
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The code whose promise is to be shown, and the library in which the rest of it is.
COMPILED = ["src/hook/takeover.cpp", "src/hook/maps.cpp", "src/receiver/data_path.cpp",
            "src/receiver/data_path_packets.cpp", "src/receiver/publication.cpp", "src/xsk/socket.cpp",
            "tests/support/native_hook/program.c"]
LINKED = "src/sequencer/liblinearb_sequencer.a"
FUNCTION = re.compile(r"^LB_INLINE[^;(]*?\b(lb_\w+)\(", re.MULTILINE)


def functions_of_the_hook():
    names = set()
    for folder in ("core", "framing"):
        for path in (ROOT / "src" / folder).glob("*.h"):
            names.update(FUNCTION.findall(path.read_text(encoding="utf-8")))
    return names


def definitions(text, names):
    """Names that `text` defines: as a function with a body, or as a macro."""
    for name in names:
        if re.search(rf"#\s*define\s+{name}\b", text):
            yield name
        if re.search(rf"^[\w:<>*&\s]+\b{name}\([^;{{}}]*\)[\w\s]*{{", text, re.MULTILINE):
            yield name


def complaints(build):
    names = functions_of_the_hook()
    for wanted in ("lb_window_claim", "lb_window_holds", "lb_credit_take", "lb_mark_advance", "lb_judge"):
        if wanted not in names:
            yield f"{wanted} is nowhere in src/core and src/framing: this test looks for the wrong names"
    for path in sorted(HERE.glob("*.[ch]*")):
        for name in definitions(path.read_text(encoding="utf-8"), names):
            yield f"{path.name} defines {name}: the simulator is to use the production's"
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    compiled = {pathlib.Path(c["file"]).resolve() for c in commands if "/sim.dir/" in c["command"]}
    for source in COMPILED:
        if ROOT / source not in compiled:
            yield f"the simulator is not built from {source}"
    if LINKED not in (build / "build.ninja").read_text(encoding="utf-8").split(
            "build tests/sim/sim:")[1].split("\n\n")[0]:
        yield f"the simulator is not linked with {LINKED}"


def main():
    # The rule itself: it has to find a claim of one's own.
    assert list(definitions("enum lb_claim lb_window_claim(lb_u64* words,\n  int b) {\n", {"lb_window_claim"}))
    assert not list(definitions("  if (lb_credit_take(credit, share)) {\n", {"lb_credit_take"}) or [])
    found = list(complaints(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
