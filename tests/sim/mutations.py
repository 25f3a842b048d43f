#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The simulator must be able to fail. Breaks one line of the production code at a time, in a copy, and
wants a seed that finds it.

    mutations.py BUILD_DIRECTORY [--seeds N] [NAME...]

Each mutation is a file, a text that stands in it exactly once, and what stands there instead. The copy
of the file is compiled as the build compiles the original, and linked as the build links the simulator.
"""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HOOK = "src/bpf/linearb.bpf.c"
PUBLICATION = "src/receiver/publication.cpp"
TAKEOVER = "src/hook/takeover.cpp"
DATA_PATH = "src/receiver/data_path.cpp"
PACKETS = "src/receiver/data_path_packets.cpp"


class Mutation(typing.NamedTuple):
    name: str
    file: str
    changes: list  # of (text, instead)


TAKE_CREDIT = ("  if (LB_UNLIKELY(!lb_credit_take(credit, share))) "
               "return drop_for_want_of_credit(packet, verdict);\n")
CLAIM = "  if (verdict == LB_VERDICT_CLAIMED) verdict = (lb_u32)claim_verdict(packet);\n"

MUTATIONS = [
    Mutation("claim before credit", HOOK, [(CLAIM, ""), (TAKE_CREDIT, CLAIM + TAKE_CREDIT)]),
    Mutation("drop behind the mark", HOOK, [
        ("    if (follows_a_hole(packet))\n      verdict = LB_VERDICT_SKIP;\n    else if (advance(packet))\n"
         "      return drop_duplicate(packet);\n    else\n      verdict = LB_VERDICT_BEHIND;\n",
         "    return drop_duplicate(packet);\n"),
        ("  return arbitrate(context, &packet, verdict, slot, settings->flags);",
         "  if (verdict == LB_VERDICT_BEHIND) return drop_duplicate(&packet);\n"
         "  return arbitrate(context, &packet, verdict, slot, settings->flags);")]),
    Mutation("late packets are dropped", HOOK, [
        (CLAIM, CLAIM + "  if (verdict == LB_VERDICT_LATE) {\n    lb_credit_give_back(credit);\n"
                        "    return drop_duplicate(packet);\n  }\n")]),
    Mutation("a credit is kept by a duplicate", HOOK, [
        ("    lb_credit_give_back(credit);\n    return drop_duplicate(packet);",
         "    return drop_duplicate(packet);")]),
    Mutation("two generations, and no clearing", PUBLICATION, [
        ("    for (std::uint64_t& word : window.words) lb_store_release(&word, 0);\n", ""),
        ("state.generation % LB_GENERATION_MAX + 1", "state.generation % 2 + 1")]),
    Mutation("takeover without grace", TAKEOVER, [
        ("maps.clear_socket(slot);\n  sys::wait_for_grace_period();", "maps.clear_socket(slot);"),
        ("  lb_store_release(&maps.config().flow_index, table.index);\n  sys::wait_for_grace_period();",
         "  lb_store_release(&maps.config().flow_index, table.index);"),
        ("  lb_store_release(&maps.config().bank, left ^ 1);\n  sys::wait_for_grace_period();",
         "  lb_store_release(&maps.config().bank, left ^ 1);")]),
    Mutation("slots emptied while hooks claim", TAKEOVER, [
        ("void empty_slots(const Maps& maps) {\n  unpublish(maps);\n  sys::wait_for_grace_period();\n",
         "void empty_slots(const Maps& maps) {\n")]),
    Mutation("credit before the frame", DATA_PATH, [
        ("  const std::uint32_t returned = port.socket->refill(port.socket->pool().size());\n"
         "  batch.release();\n  return_credits(port, returned);\n",
         "  return_credits(port, size);\n  port.socket->refill(port.socket->pool().size());\n"
         "  batch.release();\n")]),
    Mutation("old metadata is believed", PACKETS, [
        ("  metadata->verdict = 0;  // so", "  // so")]),
]


def mutated(file, changes):
    text = (ROOT / file).read_text(encoding="utf-8")
    for wanted, instead in changes:
        if text.count(wanted) != 1:
            sys.exit(f"a mutation's text stands {text.count(wanted)} times in {file}; write it anew: {wanted}")
        text = text.replace(wanted, instead)
    return text


def compile_command(build, source):
    """How the build compiles it for the simulator."""
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        output = entry.get("output") or entry["command"]
        if "/sim.dir/" in output and pathlib.Path(entry["file"]).resolve() == source.resolve():
            return shlex.split(entry["command"])
    sys.exit(f"the build knows no {source} for the simulator; build it first")


def link_command(build):
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", "tests/sim/sim"],
                              check=True, capture_output=True, text=True).stdout.splitlines()
    return re.sub(r"^: && | && :$", "", commands[-1])


def compile_mutated(build, file, changes, folder):
    """The object of the mutated file. Returns what stands for it when the simulator is linked."""
    is_hook = file == HOOK
    source = ROOT / ("tests/support/native_hook/program.c" if is_hook else file)
    copy = folder / ("bpf/linearb.bpf.c" if is_hook else pathlib.Path(file).name)
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(mutated(file, changes), encoding="utf-8")
    command = compile_command(build, source)
    original = next(part for part in command if part.endswith(".o"))
    made = str(folder / (source.name + ".o"))
    command = [made if part == original else part for part in command]
    if is_hook:  # program.c includes it by this name
        command.insert(1 if "ccache" not in command[0] else 2, f"-I{folder}")
    else:
        command = [str(copy) if part == str(source) else part for part in command]
    subprocess.run(command + ["-Wno-error"], check=True, cwd=build, stderr=subprocess.DEVNULL)
    return original, made


def build_mutant(build, edits, folder):
    """A simulator with mutated files in place of the originals: pairs of a file and its changes."""
    link = shlex.split(link_command(build))
    for file, changes in edits:
        original, made = compile_mutated(build, file, changes, folder)
        link = [made if original.endswith(part) and part.endswith(".o") else part for part in link]
    link[link.index("-o") + 1] = str(folder / "sim")
    subprocess.run(link, check=True, cwd=build)
    return folder / "sim"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=6000)
    options = parser.parse_intermixed_args()
    build = options.build.resolve()
    missed = []
    for mutation in MUTATIONS:
        if options.names and mutation.name not in options.names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            mutant = build_mutant(build, [(mutation.file, mutation.changes)], pathlib.Path(folder))
            run = subprocess.run([mutant, "--seeds", str(options.seeds)], capture_output=True,
                                 text=True, check=False)
        lines = run.stdout.splitlines() + [""]
        if run.returncode == 0 or not lines[0].startswith("seed "):
            missed.append(mutation.name)
            print(f"{mutation.name}: NOT FOUND in {options.seeds} seeds", flush=True)
        else:
            said = lines[1].split(": ", 1)[-1] if len(lines) > 2 else "the process ended"
            print(f"{mutation.name}: found by {lines[0].split(' fails')[0]}: {said}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
