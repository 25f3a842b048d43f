#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The memory that `linearb merge` takes: 10 million packets in two captures against 20 thousand.

    bench/merge_memory.py [--program build/linearb] [--packets N] [--write] [--gzip] [--sequence]

Needs no rights, and some 800 MiB of disk for the captures (a tenth with --gzip), which it removes.
Each line of the feed loses one packet in a hundred of its own. Fails when the larger merge took more
than 4 MiB beyond the smaller one, or did not deliver what it had to.
"""

import argparse
import gzip
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

HEADER = struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
PAYLOAD = 20 + 10  # MoldUDP64's header, and a message of 8 bytes behind its length
FRAME = 14 + 20 + 8 + PAYLOAD
BEGIN_NS = 1_700_000_000 * 10**9
SPACING_NS = 1_000
BEHIND_NS = 50_000
MOST_BEYOND_KIB = 4 * 1024


def headers():
    """Ethernet, IPv4 and UDP to 239.192.30.1:30001, without checksums, and a session."""
    ethernet = bytes.fromhex("01005e401e01020000000001") + b"\x08\x00"
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + 8 + PAYLOAD, 0, 0, 64, 17, 0, 0xC0000201, 0xEFC01E01)
    udp = struct.pack(">HHHH", 40000, 30001, 8 + PAYLOAD, 0)
    return ethernet + ip + udp + b"SESSION001"


def write_line(stream, numbers, behind_ns, seed):
    """Writes as it goes; returns the numbers that the line lost."""
    lost, pieces, head = set(), [], headers()
    draw = random.Random(seed).random
    record, rest = struct.Struct("<IIII"), struct.Struct(">QHHQ")
    stream.write(HEADER)
    for number in range(1, numbers + 1):
        if draw() < 0.01 and 1 < number < numbers:  # the ends are there: what is missing is known
            lost.add(number)
            continue
        seconds, ns = divmod(BEGIN_NS + number * SPACING_NS + behind_ns, 10**9)
        pieces.append(record.pack(seconds, ns, FRAME, FRAME) + head + rest.pack(number, 1, 8, number))
        if len(pieces) == 10_000:
            stream.write(b"".join(pieces))
            pieces.clear()
    stream.write(b"".join(pieces))
    return lost


def write_captures(folder, numbers, packed):
    paths, lost = [], []
    for line, name in enumerate("AB"):
        path = folder / f"{name}.pcap"
        with gzip.open(path, "wb", 1) if packed else open(path, "wb") as stream:
            lost.append(write_line(stream, numbers, line * BEHIND_NS, line + 1))
        paths.append(str(path))
    return paths, lost


def resident_kib(pid):
    """The largest resident set so far; nothing of a process that has ended."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) if found else None


def merge(program, paths, options):
    """The summary, the largest resident set in KiB, and the seconds that it took.

    A child's rusage would not do: it begins with the memory of the process that started it.
    """
    command = [program, "merge", *paths, "--channel", "feed=moldudp64@any:30001", "--json", *options]
    largest, began = 0, time.monotonic()
    with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output) as child:
        while child.poll() is None:
            name = pathlib.Path(f"/proc/{child.pid}/exe")
            if name.exists() and name.resolve().name == pathlib.Path(program).name:
                largest = resident_kib(child.pid) or largest
            time.sleep(0.001)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if child.returncode != 0:
        sys.exit(f"merge ended with {child.returncode}")
    return json.loads(text), largest, seconds


def measure(arguments, packets):
    with tempfile.TemporaryDirectory(prefix="linearb-merge-") as name:
        folder = pathlib.Path(name)
        numbers = packets // 2
        paths, lost = write_captures(folder, numbers, arguments.gzip)
        options = ["--write", str(folder / "merged.pcap")] if arguments.write else []
        options += ["--order", "sequence"] if arguments.sequence else []
        summary, kib, seconds = merge(arguments.program, paths, options)
    on_no_line = lost[0] & lost[1]
    read = sum(line["packets"] for line in summary["lines"])
    if not summary["balanced"] or summary["packets"] != numbers - len(on_no_line):
        sys.exit(f"{packets} packets: not what the lines had: {summary}")
    if summary["gap_messages"] != len(on_no_line):
        sys.exit(f"{packets} packets: {summary['gap_messages']} missing, and not {len(on_no_line)}")
    print(f"{read:>11,} packets read, {summary['packets']:>10,} delivered: {kib / 1024:6.1f} MiB, "
          f"{seconds:6.2f} s, {read / seconds:12,.0f} packets/s", flush=True)
    return kib


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="build/linearb")
    parser.add_argument("--packets", type=int, default=10_000_000, help="of both captures, before losses")
    parser.add_argument("--write", action="store_true", help="also write what is delivered")
    parser.add_argument("--sequence", action="store_true", help="in the order of numbers")
    parser.add_argument("--gzip", action="store_true", help="captures that are packed")
    arguments = parser.parse_args()
    small = measure(arguments, 20_000)
    large = measure(arguments, arguments.packets)
    if large > small + MOST_BEYOND_KIB:
        sys.exit(f"{(large - small) / 1024:.1f} MiB more than for 20 thousand packets")


if __name__ == "__main__":
    main()
