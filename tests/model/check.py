#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has spin go through every interleaving of the model, and through those of each broken order.

    check.py [--full] [NAME...]     all of them, or those that are named
    check.py --list                 names, and what each is about
    check.py --write-trails         the counterexamples of the broken orders into trails/
    check.py --steps                that model, README and program name the same steps

A case passes when the search was complete and found nothing; a broken order and a limit pass when
what is expected to fail failed. The exit status is 0 when all passed, 1 when one did not, 2 for wrong
usage, 77 when spin or gcc is missing.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODEL = HERE / "linearb.pml"
TRAILS = HERE / "trails"
EXIT_SKIPPED = 77
MEGABYTES, MEGABYTES_FULL = 2_000, 12_000
DEPTH = 1_000_000


class Case(NamedTuple):
    about: str
    defines: tuple
    expected: str = ""  # the property that has to fail; empty: none may


# The properties, by a piece of the assertion that stands for them in the model.
LOST = "owed& ~(delivered)"
TWICE = "news&delivered"
FALSE_GAP = "news&declared"
CLAIMED_IN_VAIN = "verdict!=1"
NO_FRAME = "filled[line]>0"
NO_ENTRY = "used[line]<2"
NO_CREDIT_FOR_ENTRY = "used[line]<=(redirected"
PROPERTIES = {
    LOST: "I1: a message that was owed is not delivered",
    TWICE: "I1: a message is delivered twice",
    FALSE_GAP: "I4: a message that is declared missing is delivered",
    CLAIMED_IN_VAIN: "I2: something is claimed and goes to the kernel",
    NO_FRAME: "I2: the fill ring is empty for what was claimed",
    NO_ENTRY: "I2: the RX ring is full for what was claimed",
    NO_CREDIT_FOR_ENTRY: "I2: an entry of the RX ring that no credit stands for",
}

CASES = {
    "packets": Case("lines that pack differently, once round the window", ("CASE_PACKETS",)),
    "last_frame": Case("credits run out", ("CASE_LAST_FRAME",)),
    "sessions": Case("a start, and a new session", ("CASE_SESSIONS",)),
    "wrap": Case("two sessions while a hook stands still; the generation comes round", ("CASE_WRAP",)),
    "restart": Case("the numbers restart under one session", ("CASE_RESTART",)),
    "cpus": Case("two CPUs in the hook for one line, which repeats itself", ("CASE_CPUS",)),
    "gaps": Case("what no line brought is declared missing, by marks", ("CASE_GAPS",)),
    "stop": Case("the receiver ends while the lines go on", ("CASE_STOP",)),
    "takeover": Case("the receiver dies, the next one takes over", ("CASE_TAKEOVER",)),
}

BROKEN = {
    "claim_before_credit": Case("the claim before the credit", (
        "CASE_LAST_FRAME", "FRAMES=1", "BROKEN_CLAIM_BEFORE_CREDIT"), LOST),
    "drop_behind_mark": Case("what begins behind its line's mark is dropped as a duplicate", (
        "CASE_RESTART", "BROKEN_DROP_BEHIND_MARK"), LOST),
    "mark_before_claim": Case("the mark moves before credit and claim", (
        "CASE_GAPS", "BROKEN_MARK_BEFORE_CLAIM"), FALSE_GAP),
    "marks_alone": Case("a gap is declared by the marks alone", ("CASE_GAPS", "BROKEN_MARKS_ALONE"), FALSE_GAP),
    "publish_without_grace": Case("the window is cleared and published without a grace period", (
        "CASE_WRAP", "BROKEN_PUBLISH_WITHOUT_GRACE"), LOST),
    "generation_reused": Case("a window is taken to be clear by its generation, which comes round", (
        "CASE_WRAP", "BROKEN_GENERATION_REUSED"), LOST),
    "takeover_without_grace": Case("a receiver takes over without a grace period", (
        "CASE_TAKEOVER", "BROKEN_TAKEOVER_WITHOUT_GRACE"), NO_CREDIT_FOR_ENTRY),
    "slot_before_credit": Case("the socket enters the map before its credit begins", (
        "CASE_TAKEOVER", "BROKEN_SLOT_BEFORE_CREDIT"), NO_CREDIT_FOR_ENTRY),
    "returned_before_fill": Case("a credit is returned before its frame is in the fill ring", (
        "CASE_LAST_FRAME", "BROKEN_RETURNED_BEFORE_FILL"), NO_FRAME),
    "returned_before_release": Case("a credit is returned before the RX ring is released", (
        "CASE_LAST_FRAME", "BROKEN_RETURNED_BEFORE_RELEASE"), NO_ENTRY),
    "late_dropped": Case("what is late or contended is dropped, although it may have claimed", (
        "CASE_PACKETS", "BROKEN_LATE_DROPPED"), LOST),
    "claims_trusted": Case("what the hook claimed is delivered without asking the exact memory", (
        "CASE_PACKETS", "BROKEN_CLAIMS_TRUSTED"), TWICE),
    "slots_emptied_while_published": Case("slots are emptied while hooks may still claim", (
        "CASE_STOP", "BROKEN_SLOTS_EMPTIED_WHILE_PUBLISHED"), CLAIMED_IN_VAIN),
    "slots_emptied_while_published_lost": Case("the same: what it does to the other line's copy", (
        "CASE_STOP", "BROKEN_SLOTS_EMPTIED_WHILE_PUBLISHED", "WITHOUT_I2"), LOST),
}

LIMITS = {
    "short_epoch": Case("numbers that restart pass the old mark before anybody looked", (
        "CASE_RESTART", "LIMIT_SHORT_EPOCH"), LOST),
    "corrupt_copy": Case("one line's copy is corrupt, and claimed until the receiver has seen it", (
        "CASE_CORRUPT",), LOST),
}

EVERYTHING = {**CASES, **BROKEN, **LIMITS}

# Every step of the model in words. {0}, {1}, {2} are what it prints.
STEPS = {
    "lost_on_line": "number {0} is lost on the way",
    "packet": "a packet of epoch {0} arrives: number {1}, messages {2}",
    "slot_look": "looks for a socket: {0:of receiver {0}|none}",
    "published_look": "reads what is published to the line: generation {0}",
    "judge": "reads the line's mark, {0}, and judges: {1:verdict}",
    "window_look": "looks at word {0} of the window: {1:all claimed|not all claimed}",
    "mark_moved": "moves the mark to {0}",
    "mark_passed": "the mark is at {0} already: not moved",
    "mark_race_lost": "another CPU moved the mark to {0} meanwhile",
    "credit_returned": "reads how many credits were returned: {0}",
    "credit_capacity": "reads how many credits it may have out: {0}",
    "credit_redirected": "reads how many were taken: {0}",
    "credit_taken": "takes a credit, the {0}.",
    "credit_too_many": "takes a credit that is one too many, the {0}.",
    "credit_undone": "puts that back: {0} taken",
    "credit_given_back": "gives its credit back: {0} taken",
    "claim_load": "reads word {0} for the claim: bits {1}",
    "claim_done": "sets its bits in word {0}: claimed",
    "claim_late": "a newer lap or another life holds word {0}: late",
    "claim_race_lost": "another hook changed word {0} meanwhile",
    "redirect": "redirects number {0} to the socket, {1:verdict}",
    "redirect_refused": "finds the slot empty when it redirects number {0}",
    "to_kernel": "leaves number {0} to the kernel",
    "into_ring": "the kernel puts number {0} into the RX ring",
    "into_dead_socket": "number {0} goes with the socket of a receiver that died",
    "drop_duplicate": "drops number {0} as a duplicate",
    "drop_late": "drops number {0} because it is late or contended",
    "drop_without_credit": "drops number {0} for want of a credit",
    "flush": "the kernel ends its poll: {0} in the ring are shown",
    "peek": "sees {1} in the ring of line {0:line}",
    "take": "takes number {1} of line {0:line}, {2:verdict}, and delivers what is new",
    "claim_undone": "the messages are not there: undoes the claim of line {0:line} in word {1}",
    "fill": "line {0:line}: {1} frames into the fill ring",
    "release": "line {0:line}: {1} entries of the RX ring released",
    "returned": "line {0:line}: {1} credits returned",
    "unpublish": "publishes nothing to line {0:line}",
    "want": "wants the window cleared, request {0}, for generation {1}",
    "cleared_look": "reads which request the window is clear for: {0}",
    "publish_mark": "sets the mark of line {0:line} to {1}",
    "publish": "publishes generation {1} to line {0:line}",
    "mark_look": "reads the mark of line {0:line}",
    "mark_raised": "raises the mark of line {0:line} to {1}",
    "redirected_look": "reads how many line {0:line} has redirected: {1}",
    "claimed_look": "looks whether number {0} is claimed: bits {1}",
    "declared_missing": "declares number {0} missing on every line",
    "wanted": "sees request {0}",
    "grace": "CPU {0} was seen outside of the hook",
    "word": "clears word {0}",
    "cleared": "says that request {0} is done",
    "empty_slot": "takes the socket of line {0:line} out of the map",
    "clear_word": "clears word {0}",
    "clear_mark": "clears the mark of line {0:line}",
    "capacity_closed": "line {0:line}: no credit may be taken",
    "credit_closed": "line {0:line}: returned becomes what was redirected",
    "new_life": "is receiver {0} from here on",
    "credit_begins": "line {0:line}: returned becomes what was redirected",
    "capacity": "line {0:line}: credits may be taken",
    "open_slot": "puts the socket of line {0:line} into the map",
    "end": "is done",
}
VERDICTS = ("nothing new", "claimed", "late", "contended", "skipping", "unpublished", "behind the mark")
PROCESSES = {"hook 0": "hook-A", "hook 1": "hook-B", "hook 2": "hook-A2", "data": "receiver", "clear": "clearing"}

STEP_LINE = re.compile(r"@ (hook \d|data|clear) (\w+)((?: -?\d+)*)\s*$")


class Step(NamedTuple):
    process: str
    name: str
    values: tuple


def in_words(step):
    """The sentence of a step. "{n:line}", "{n:verdict}" and "{n:if not 0|if 0}" put a value in words."""
    def put(match):
        place, _, shape = match.group(1).partition(":")
        value = step.values[int(place)]
        if shape == "line":
            return "AB"[value]
        if shape == "verdict":
            return VERDICTS[value]
        if "|" in shape:
            return shape.split("|")[0 if value else 1].replace("{0}", str(value))
        return str(value)

    return re.sub(r"\{(\d(?::(?:[^{}]|\{0\})*)?)\}", put, STEPS[step.name])


def run(command, directory):
    result = subprocess.run(command, cwd=directory, text=True, capture_output=True)
    return result.stdout + result.stderr


def build(directory, defines, options):
    """Makes `pan`, the search, of the model. What spin and gcc say is an error."""
    flags = [f"-D{define}" for define in defines]
    shutil.copy(MODEL, directory)  # the counterexample is written beside it
    said = run(["spin", *flags, "-a", MODEL.name], directory)
    if not (directory / "pan.c").exists() or "rror" in said:
        raise RuntimeError(f"spin does not accept the model with {' '.join(flags)}:\n{said}")
    said = run(["gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", *options, "-o", "pan", "pan.c"],
               directory)
    if not (directory / "pan").exists():
        raise RuntimeError(f"gcc does not compile what spin made:\n{said}")


def trail_of(directory):
    """The steps of the counterexample, one for each line that the model prints."""
    steps = []
    for line in run(["./pan", "-r"], directory).splitlines():
        found = STEP_LINE.search(line)
        if found:
            values = tuple(int(value) for value in found.group(3).split())
            steps.append(Step(PROCESSES[found.group(1)], found.group(2), values))
    return steps


class Search(NamedTuple):
    states: int
    megabytes: float
    seconds: float
    failed: str  # the assertion, or what else spin complains of; empty: nothing
    is_complete: bool
    trail: list


def number_in(pattern, text, default=0.0):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else default


def search(case, is_full):
    """A case is searched in depth, with the reduction that commuting steps allow; a broken order in
    breadth, so that its counterexample is among the shortest."""
    megabytes = MEGABYTES_FULL if is_full else MEGABYTES
    options = [f"-DMEMLIM={megabytes}"] + (["-DBFS"] if case.expected else [])
    defines = case.defines + (("FULL", "POLLS") if is_full else ())
    with tempfile.TemporaryDirectory(prefix="linearb-model-") as name:
        directory = pathlib.Path(name)
        build(directory, defines, options)
        said = run(["./pan", f"-m{DEPTH}", "-w22"], directory)
        failed = re.search(r"pan:\d+: (.*?) \(at depth", said)
        is_complete = ("errors: 0" in said and "Search not completed" not in said and
                       "max search depth too small" not in said and "out of memory" not in said)
        return Search(states=int(number_in(r"([\d.e+]+) states, stored", said)),
                      megabytes=number_in(r"([\d.]+)\s+total actual memory usage", said),
                      seconds=number_in(r"elapsed time ([\d.]+)", said),
                      failed=failed.group(1) if failed else "",
                      is_complete=is_complete,
                      trail=trail_of(directory) if failed else [])


def property_of(assertion):
    for piece, words in PROPERTIES.items():
        if piece in assertion:
            return words
    return assertion


def print_trail(trail):
    for step in trail:
        print(f"    {step.process:9} {in_words(step)}")


def check(name, is_full):
    """True when it ended as it has to."""
    case = EVERYTHING[name]
    result = search(case, is_full and not case.expected)
    figures = f"{result.states:,} states, {result.megabytes:.0f} MB, {result.seconds:.1f} s"
    if not case.expected:
        passed = result.is_complete and not result.failed
        verdict = "holds" if passed else property_of(result.failed) if result.failed else "search not complete"
    else:
        passed = case.expected in result.failed
        verdict = f"fails as it has to: {property_of(result.failed)}" if passed else (
            f"fails, but so: {property_of(result.failed)}" if result.failed else "does not fail")
    print(f"{'ok  ' if passed else 'FAIL'} {name}: {case.about}: {verdict} ({figures})")
    print_trail(result.trail)
    sys.stdout.flush()
    return passed


def schedule_of(name, trail):
    case = EVERYTHING[name]
    lines = [f"# {name}: {case.about}",
             f"# {property_of(case.expected)}",
             f"# model: {' '.join(case.defines)}"]
    for step in trail:
        values = " ".join(str(value) for value in step.values)
        lines.append(f"{step.process:9}{step.name} {values}".ljust(44) + f"# {in_words(step)}")
    return "\n".join(lines) + "\n"


def write_trails():
    TRAILS.mkdir(exist_ok=True)
    for name in (*BROKEN, *LIMITS):
        result = search(EVERYTHING[name], False)
        if EVERYTHING[name].expected not in result.failed:
            print(f"{name} does not fail as it has to: {result.failed or 'it holds'}", file=sys.stderr)
            return 1
        (TRAILS / f"{name}.txt").write_text(schedule_of(name, result.trail), encoding="utf-8")
    return 0


def complaints_about_steps():
    """Model, words and README have the same steps, and what README points to is there."""
    printed = set(re.findall(r'"@ (?:hook %d|data|clear) (\w+)', MODEL.read_text(encoding="utf-8")))
    rows = re.findall(r"^\| ((?:`\w+`,? ?)+) \| `([^`]+)` \| `([^`]+)` \|",
                      (HERE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    mapped = {step for steps, _, _ in rows for step in re.findall(r"`(\w+)`", steps)}
    for step in sorted(printed ^ set(STEPS)):
        yield f"step {step} is in {'the model' if step in printed else 'check.py'} only"
    for step in sorted(printed ^ mapped):
        yield f"step {step} is in {'the model' if step in printed else 'README.md'} only"
    for steps, path, function in rows:
        if not (ROOT / path).exists():
            yield f"{steps}: there is no {path}"
        elif not re.search(rf"\b{re.escape(function)}\(", (ROOT / path).read_text(encoding="utf-8")):
            yield f"{steps}: {path} has no {function}()"


def check_steps():
    complaints = list(complaints_about_steps())
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--full", action="store_true", help="larger bounds for the cases that have to hold")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--write-trails", action="store_true", help="write the counterexamples to trails/")
    parser.add_argument("--steps", action="store_true", help="compare the steps of model, README and program")
    options = parser.parse_args()
    if options.list:
        for name, case in EVERYTHING.items():
            print(f"{name}: {case.about}")
        return 0
    if options.steps:
        return check_steps()
    unknown = [name for name in options.names if name not in EVERYTHING]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; --list lists those there are")
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            print(f"model: Skipped\n{tool} is not installed; ./dev deps installs it")
            return EXIT_SKIPPED
    if options.write_trails:
        return write_trails()
    passed = [check(name, options.full) for name in options.names or EVERYTHING]
    print(f"{sum(passed)} as they have to be, {len(passed) - sum(passed)} not")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
