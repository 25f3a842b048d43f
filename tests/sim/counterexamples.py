#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The counterexamples of the model, replayed in the production code.

    counterexamples.py BUILD_DIRECTORY [NAME...]

Each broken order of tests/model has a schedule in counterexamples/. The code as it is cannot follow it,
since its order is another, or nothing fails; with the order broken in a copy of the code it is followed as
far as the invariant that fails. Where something else in the code holds as well, that is taken away too, and
with that alone nothing fails.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "model")]
import check  # noqa: E402
import mutations  # noqa: E402
from mutations import CLAIM, DATA_PATH, HOOK, PACKETS, PUBLICATION, TAKE_CREDIT, TAKEOVER  # noqa: E402

SCRIPTS = HERE / "counterexamples"
RECEIVER_RUN = "tests/sim/receiver_run.cpp"
KERNEL = "tests/sim/calls.cpp"  # what is played of it
GAP_RULE = "tests/sim/gap_rule.cpp"


class Counterexample(typing.NamedTuple):
    broken: list           # of (file, changes): the order turned round
    fails: str             # what the simulator then says
    stops: str = ""        # the step that the code as it is does not take; empty: it takes them all
    guards: list = []      # of (file, changes): what else holds, taken away
    stops_later: str = ""  # without it, where that is another step


def mutation(name):
    return next(one.changes for one in mutations.MUTATIONS if one.name == name)


TWO_GENERATIONS = ("state.generation % LB_GENERATION_MAX + 1", "state.generation % 2 + 1")
NO_CREDIT = "I2: a packet goes into the RX ring, and no credit stands for it"
NOTHING_FIRST = (TAKEOVER, mutation("slots emptied while hooks claim"))

COUNTEREXAMPLES = {
    "claim_before_credit": Counterexample(
        [(HOOK, mutation("claim before credit"))],
        "I1: message 5 of life 0 of channel 0 came, and was not delivered", "hook-A claim_done"),
    "drop_behind_mark": Counterexample(
        [(HOOK, [
            ("    if (follows_a_hole(packet))\n      verdict = LB_VERDICT_SKIP;\n    else if (advance(packet))\n"
             "      return drop_duplicate(packet);\n    else\n      verdict = LB_VERDICT_BEHIND;\n",
             "    return drop_duplicate(packet);\n"),
            ("  return arbitrate(context, &packet, verdict, slot, settings->flags);",
             "  if (verdict == LB_VERDICT_BEHIND) verdict = LB_VERDICT_CLAIMED;\n"
             "  return arbitrate(context, &packet, verdict, slot, settings->flags);")])],
        "I1: message 3 of life 1 of channel 0 came, and was not delivered", "hook-A drop_duplicate"),
    "mark_before_claim": Counterexample(
        [(HOOK, [
            (TAKE_CREDIT, "  if (verdict <= LB_VERDICT_ORDINARY_LAST) advance(packet);\n" + TAKE_CREDIT),
            ("  if (verdict <= LB_VERDICT_ORDINARY_LAST) has_metadata ? advance(packet) : "
             "advance_unseen(packet);\n", "")])],
        "I4: message 3 of life 0 was declared missing, and is delivered", "gaps declared_missing"),
    "marks_alone": Counterexample(
        [(GAP_RULE, [
            ("    while (!has_come(receiver.port(line), redirected[line]))", "    while (false)"),
            ("  if (lb_window_holds(maps.windows()[0].words, LB_WINDOW_ORDER, generation, number, 1))\n"
             "    return false;\n", "")])],
        "I4: message 3 of life 0 was declared missing, and is delivered", "gaps declared_missing"),
    "publish_without_grace": Counterexample(
        [(PUBLICATION, [
            ("    sys::wait_for_grace_period();\n  } catch", "  } catch")])],
        "I1: message 4 of life 2 of channel 0 came, and was not delivered", "clearing cleared",
        guards=[(PUBLICATION, [TWO_GENERATIONS])]),
    "generation_reused": Counterexample(
        [(PUBLICATION, [
            ("state.wanted.fetch_add(1, std::memory_order_release)",
             "state.wanted.store(state.generation, std::memory_order_release)")])],
        "I1: message 3 of life 2 of channel 0 came, and was not delivered", "receiver publish 1",
        guards=[(PUBLICATION, [TWO_GENERATIONS])]),
    "takeover_without_grace": Counterexample(
        [(TAKEOVER, mutation("takeover without grace"))],
        NO_CREDIT, "receiver unpublish 1",
        # The kernel waits as it closes a socket, and the thread that clears windows is started with a grace
        # period.
        guards=[(KERNEL, [("  Kernel::instance().wait_for_grace_period();\n  delete socket;",
                           "  delete socket;")]),
                (PUBLICATION, [("  sys::wait_for_grace_period();  // throws here", "  // throws here")])],
        stops_later="receiver credit_closed 1"),
    "slot_before_credit": Counterexample(
        [(RECEIVER_RUN, [
            ("    lb_store_release(&credit.returned, port->redirected_before);\n", ""),
            ("    maps_.set_socket(port->slot, port->socket->fd());\n  }\n",
             "    maps_.set_socket(port->slot, port->socket->fd());\n  }\n"
             "  for (const auto& port : ports_) {\n    lb_credit& credit = maps_.credit(port->slot);\n"
             "    port->redirected_before = lb_load_acquire(&credit.redirected);\n"
             "    lb_store_release(&credit.returned, port->redirected_before);\n  }\n")])],
        NO_CREDIT, "receiver credit_begins 0"),
    "returned_before_fill": Counterexample(
        [(DATA_PATH, mutation("credit before the frame"))],
        NO_CREDIT),
    "returned_before_release": Counterexample(
        [(DATA_PATH, [("  batch.release();\n  return_credits(port, returned);\n",
                       "  return_credits(port, returned);\n  batch.release();\n")])],
        NO_CREDIT),
    "late_dropped": Counterexample(
        [(HOOK, [
            (CLAIM, CLAIM + "  if (verdict == LB_VERDICT_LATE || verdict == LB_VERDICT_CONTENDED) {\n"
                            "    lb_credit_give_back(credit);\n    return drop_duplicate(packet);\n  }\n")])],
        "I1: message 31 of life 0 of channel 0 came, and was not delivered"),
    "claims_trusted": Counterexample(
        [(PACKETS, [
            ("  for (const lb_run& run : decision.news) news_.push_back({run.first, run.count});\n",
             "  if (generation_ != 0) news_.push_back({packet.first(), packet.datagram.count});\n"
             "  for (const lb_run& run : decision.news)\n"
             "    if (generation_ == 0) news_.push_back({run.first, run.count});\n")])],
        "I1: message 3 of life 0 delivered twice"),
    "slots_emptied_while_published": Counterexample(
        [NOTHING_FIRST], "I2: claimed, and goes to the kernel", "receiver empty_slot 0"),
    "slots_emptied_while_published_lost": Counterexample(
        [NOTHING_FIRST], "I1: message 3 of life 0 of channel 0 came, and was not delivered",
        "receiver empty_slot 1"),
}


def follow(simulator, name):
    """What the simulator says of the script, and its exit status."""
    run = subprocess.run([simulator, "--script", SCRIPTS / f"{name}.txt"], capture_output=True, text=True,
                         check=False)
    return run.stdout + run.stderr, run.returncode


def mutant_follows(build, edits, name):
    merged = {}
    for file, changes in edits:
        merged.setdefault(file, []).extend(changes)
    with tempfile.TemporaryDirectory() as folder:
        return follow(mutations.build_mutant(build, list(merged.items()), pathlib.Path(folder)), name)


def holds(said, status, stops):
    """Whether nothing failed, and the schedule was followed as far as it has to be."""
    wanted = rf"cannot be followed at line \d+, `{re.escape(stops)}`" if stops else "followed to the end"
    return status == 0 and re.search(rf": {wanted}, and all that has to hold holds$", said.strip()) is not None


def complaints(build, name, case):
    said, status = follow(build / "tests" / "sim" / "sim", name)
    if not holds(said, status, case.stops):
        yield f"the code as it is:\n{said}"
    if case.guards:
        said, status = mutant_follows(build, case.guards, name)
        if not holds(said, status, case.stops_later or case.stops):
            yield f"without what else holds, and with the order as it is:\n{said}"
    said, status = mutant_follows(build, case.broken + case.guards, name)
    if status != 1 or f": {case.fails}\n" not in said or "cannot be followed" in said:
        yield f"the broken order:\n{said}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    build = options.build.resolve()
    names = options.names or list(COUNTEREXAMPLES)
    if unknown := [name for name in names if name not in COUNTEREXAMPLES]:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(COUNTEREXAMPLES)}")
    failed = [f"{name}: in the model or here, but not in both"
              for name in sorted(set(check.BROKEN) ^ set(COUNTEREXAMPLES))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda name: list(complaints(build, name, COUNTEREXAMPLES[name])), names)
        for name, found in zip(names, results):
            failed += [f"{name}: {complaint}" for complaint in found]
            print(f"{name}: {'FAILED' if found else COUNTEREXAMPLES[name].fails}", flush=True)
    print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
