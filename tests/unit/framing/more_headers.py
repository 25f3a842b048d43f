#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams of feeds, and of kinds, that headers.json has none of: more_headers.json, in its form.

The bytes are put together from the layouts that the venues publish, and not from framings/, which
they are there to test. Without an argument the file is written; with --check it is compared.
"""

import json
import pathlib
import struct
import sys

OUTPUT = pathlib.Path(__file__).with_name("more_headers.json")
# What has messages with numbers of their own.
SEQUENCED = ("data", "retransmission", "sequence_reset", "reset_block_sequence", "start_of_day", "end_of_day")
TIME = 1_700_000_000_000_000_000


def row(feed, kind, payload, stream, seq, count, next_expected, note=""):
    return {
        "feed": feed,
        "kind": kind,
        "hex": payload.hex(),
        "len": len(payload),
        "stream": stream,
        "seq": seq,
        "count": count,
        "next_expected_after": next_expected,
        "carries_new_sequenced_data": count > 0 and kind in SEQUENCED,
        "note": note,
    }


def blocks(byte_order, *messages):
    """Messages behind lengths that do not count themselves."""
    return b"".join(struct.pack(byte_order + "H", len(message)) + message for message in messages)


# MoldUDP64: session, number, count; big-endian.
def mold(session, number, count, *messages):
    return struct.pack(">10sQH", session, number, count) + blocks(">", *messages)


def ose_and_asx():
    ose, asx = b"JP20261127", b"ASX2611271"
    for kind, payload, number, count, note in (
        ("data", mold(ose, 7, 2, b"A1", b"B22"), 7, 2, ""),
        ("heartbeat", mold(ose, 9, 0), 9, 0, "number of the next message"),
    ):
        yield row("ose_itch", kind, payload, ose.decode(), number, count, number + count, note)
    for kind, payload, number, count, note in (
        ("data", mold(asx, 1, 1, b"T"), 1, 1, "the first message of a session"),
        ("heartbeat", mold(asx, 2, 0), 2, 0, "number of the next message"),
        ("end_of_session", mold(asx, 2, 0xFFFF), 2, 0, "of ASX Trade ITCH"),
    ):
        yield row("asx_ntp", kind, payload, asx.decode(), number, count, number + count, note)


# Market day, feed, number, count; little-endian.
def aspen(number, *messages):
    day = b"20261127 "
    return struct.pack("<9scQH", day, b"A", number, len(messages)) + blocks("<", *messages)


def cix_aspen():
    stream = "day 20261127 feed A"
    yield row("cix_aspen", "data", aspen(501, b"one", b"three"), stream, 501, 2, 503)
    yield row("cix_aspen", "heartbeat", aspen(503), stream, 503, 0, 503)


# Version, block size, "O", retransmission, session, number, count, time, checksum; big-endian.
def opra(version, retransmission, number, *messages, pad=b""):
    body = b"".join(messages)
    size = 21 + len(body)
    return struct.pack(">BHccBIBIIH", version, size, b"O", retransmission, 0, number, len(messages),
                       1_700_000_000, 0, 0) + body + pad


def opra_message(category, kind, length=12):
    return (b"C" + category + kind + b" ").ljust(length, b"\0")


def opra_rows():
    stream = "line = group/port, session indicator 0"
    quote, control = opra_message(b"k", b" ", 31), lambda kind: opra_message(b"H", kind)
    yield row("opra_v6", "data", opra(6, b" ", 1000, quote, quote, pad=b"\0"), stream, 1000, 2, 1002,
              "an odd number of bytes is padded")
    yield row("opra_v6", "data", opra(6, b" ", 0xFFFFFFFF, quote), stream, 0xFFFFFFFF, 1, 1,
              "rollover 2^32-1 -> 1")
    yield row("opra_v6", "end_of_day", opra(6, b" ", 1002, control(b"J")), stream, 1002, 1, 1003,
              "it has the number behind the last")
    yield row("opra_v6", "retransmission", opra(6, b"V", 900, quote), stream, 900, 1, None)
    yield row("opra_v6", "malformed", opra(5, b" ", 900, quote), stream, 900, 1, None,
              "of the version before: its number is another")
    yield row("opra_v5", "data", opra(5, b" ", 77, quote, quote, quote), stream, 77, 1, 78,
              "blocks are numbered, whatever is in them")
    yield row("opra_v5", "line_integrity", opra(5, b" ", 77, control(b"N")), stream, 77, 1, None,
              "number of the last block")
    yield row("opra_v5", "start_of_day", opra(5, b" ", 0, control(b"C")), stream, 0, 1, 1)
    yield row("opra_v5", "reset_block_sequence", opra(5, b" ", 1, control(b"K")), stream, 1, 1, 2)
    yield row("opra_v5", "end_of_day", opra(5, b" ", 78, control(b"J")), stream, 78, 1, 79)
    yield row("opra_v5", "retransmission", opra(5, b"V", 70, quote), stream, 70, 1, None)
    yield row("opra_v5", "malformed", opra(6, b" ", 70, quote), stream, 70, 1, None,
              "of the version behind it")


# Version, block size, feed, retransmission, number, count, time, checksum; big-endian.
def cta(feed, retransmission, number, *messages, version=2):
    body = b"".join(messages)
    size = 20 + len(body)
    return struct.pack(">BHccIBIIH", version, size, feed, retransmission, number, len(messages),
                       1_700_000_000, 0, 0) + body


def cta_message(category, kind, length=26):
    return (struct.pack(">H", length) + category + kind + b"S").ljust(length, b"\0")


def cta_rows():
    stream = "line = group/port"
    quote, control = cta_message(b"Q", b"L", 40), lambda kind: cta_message(b"C", kind)
    yield row("cta_cqs", "data", cta(b"Q", b"O", 41, quote, quote), stream, 41, 2, 43)
    yield row("cta_cqs", "start_of_day", cta(b"Q", b"O", 0, control(b"A")), stream, 0, 1, 1)
    yield row("cta_cqs", "sequence_reset", cta(b"Q", b"O", 5000, control(b"L")), stream, 5000, 1, 5001,
              "to a higher number")
    yield row("cta_cqs", "retransmission", cta(b"Q", b"V", 30, quote), stream, 30, 1, None)
    yield row("cta_cts", "data", cta(b"T", b"O", 0xFFFFFFFF, cta_message(b"T", b"L")), stream, 0xFFFFFFFF,
              1, 1, "rollover 2^32-1 -> 1")
    yield row("cta_cts", "line_integrity", cta(b"T", b"O", 8, control(b"T")), stream, 8, 1, None,
              "number of the last message")
    yield row("cta_cts", "malformed", cta(b"T", b"O", 8, quote, version=0), stream, 8, 1, None,
              "of the version that counts blocks")
    yield row("cta_cts", "malformed", cta(b"R", b"O", 8, quote), stream, 8, 1, None, "of no such feed")


# Size, delivery flag, count, number, time; little-endian.
def nyse(flag, count, number, *messages):
    body = b"".join(messages)
    return struct.pack("<HBBIII", 16 + len(body), flag, count, number, 1_700_000_000, 5) + body


def nyse_message(kind, length=20):
    return struct.pack("<HH", length, kind).ljust(length, b"\0")


def nyse_rows():
    stream = "channel = group/port"
    yield row("nyse_pillar", "data", nyse(11, 2, 20, nyse_message(100), nyse_message(103, 24)), stream, 20,
              2, 22)
    yield row("nyse_pillar", "data", nyse(10, 1, 22, nyse_message(100)), stream, 22, 1, 23, "in fail-over")
    yield row("nyse_pillar", "sequence_reset", nyse(10, 1, 1, nyse_message(1, 14)), stream, 1, 1, 2,
              "in fail-over")
    for flag in (13, 15, 17, 18, 19, 20):
        yield row("nyse_pillar", "retransmission", nyse(flag, 1, 9, nyse_message(100)), stream, 9, 1, None,
                  f"delivery flag {flag}")
    yield row("nyse_pillar", "unsequenced_data", nyse(21, 1, 9, nyse_message(31, 14)), stream, 9, 1, None,
              "messages that cannot be retransmitted: fills no hole")


# Version, protocol, channel, session, length, count, offset, number, time; little-endian.
def iex(number, *messages, version=1, excess=0):
    body = blocks("<", *messages)
    return struct.pack("<BBHIIHHqqq", version, 0, 0x8004, 1, 0x42870000, len(body) + excess,
                       len(messages), 0, number, TIME) + body


def iex_rows():
    stream = "proto 0x8004 ch 1 session 0x42870000"
    yield row("iex_tp", "data", iex(1, b"S" * 10), stream, 1, 1, 2, "the numbers begin anew under one session")
    yield row("iex_tp", "malformed", iex(1, b"S" * 10, version=2), stream, 1, 1, None, "another version")
    yield row("iex_tp", "malformed", iex(1, b"S" * 10, excess=1), stream, 1, 1, None, "another length")


# Type, header length, session, number, and of data a count; big-endian.
def memx(kind, number, *messages):
    header = struct.pack(">BBQQ", kind, 18, 0x5553453164E486C8, number)
    return header + (struct.pack(">H", len(messages)) + blocks(">", *messages) if kind == 2 else b"")


def memx_rows():
    stream = "session 0x5553453164E486C8"
    yield row("memx_udp", "heartbeat", memx(0, 0), stream, 0, 0, 1, "before the first message")
    yield row("memx_udp", "malformed", memx(3, 7), stream, 7, 0, None, "no such type")


# Number, length, type, session for each; little-endian.
def mach(number, kind, session, body=b""):
    return struct.pack("<QHBB", number, 12 + len(body), kind, session) + body


def miax_rows():
    yield row("miax_mach", "data", mach(1, 3, 2, b"first"), "session 2", 1, 1, 2)
    yield row("miax_mach", "data", b"".join(mach(2 + i, 3, 2, b"x" * i) for i in range(5)), "session 2", 2, 5, 7)
    yield row("miax_mach", "heartbeat_before_session", mach(0, 0, 0), "session 0", 0, 0, None,
              "says nothing before a session has begun")
    yield row("miax_mach", "end_of_session", mach(865, 2, 1), "session 1", 865, 0, 866,
              "number of the last message")
    yield row("miax_mach", "malformed", mach(2, 3, 2, b"whole") + mach(3, 3, 2, b"cut off")[:-1], "session 2",
              2, 2, None, "the second is cut off")
    yield row("miax_mach", "malformed", mach(2, 4, 2), "session 2", 2, 0, None, "no such type")


# Body length, template, -1, number, market segment, ...; little-endian.
def eobi(number, template, body, message_number=0xFFFFFFFF):
    header = struct.pack("<HHIIiBBBB4xQ", 32, 13000, message_number, number, 675, 3, 1, 0, 0, TIME)
    return header + struct.pack("<HHI", 8 + len(body), template, 0) + body


def eurex_rows():
    stream = "multicast group/port"
    yield row("eurex_eobi", "data", eobi(384662, 13001, bytes(8)), stream, 384662, 1, 384663,
              "Heartbeat (13001) in a packet with a number of its own")
    yield row("eurex_eobi", "malformed", eobi(384662, 13001, bytes(8), 384662), stream, 384662, 1, None,
              "no packet header")
    yield row("eurex_eobi", "malformed", b"\xc0\xf8" + bytes(30), stream, 0, 0, None, "technical beacon")


# Length, count, group, number; little-endian.
def mitch(number, *messages):
    body = b"".join(messages)
    return struct.pack("<HBcI", 8 + len(body), len(messages), b"A", number) + body


def lse_rows():
    yield row("lse_mitch_gtp", "data", mitch(1, b"\x06TABCD", b"\x03SX"), "market data group A", 1, 2, 3,
              "the numbers begin anew")


# Time, number, flags, channel; little-endian.
def mdg(number, flags, body):
    return struct.pack("<QIHH", TIME, number, flags, 600) + body


def euronext_rows():
    message = struct.pack("<HHHHH", 10, 0, 1103, 0, 331)
    yield row("euronext_optiq", "data", mdg(102, 1 << 9, message), "channel 600, epoch bits1-3=0", 102, 1, 103,
              "Health Status (1103) in a packet with a number of its own")
    yield row("euronext_optiq", "data", mdg(103, 1, b"\x1fpacked"), "channel 600, epoch bits1-3=0", 103, 1, 104,
              "compressed (flags bit 0)")
    yield row("euronext_optiq", "data", mdg(0xFFFFFFFF, 0x7E, message), "channel 600, epoch bits1-3=7",
              0x7FFFFFFFF, 1, 0, "the largest number; what comes after it is not confirmed")


# Size, count, compression, number, time; little-endian.
def omd(number, *messages, compression=0):
    body = b"".join(messages)
    return struct.pack("<HBBIQ", 16 + len(body), len(messages), compression, number, TIME) + body


def hkex_rows():
    stream = "channel = group/port"
    yield row("hkex_omd", "data", omd(9, *[struct.pack("<HHI", 8, 21, i) for i in range(4)]), stream, 9, 4, 13)
    yield row("hkex_omd", "data", omd(13, b"\x78\x9c" + struct.pack("<HI", 100, 1), b"", compression=1), stream,
              13, 2, 15, "compressed: what looks like a Sequence Reset is none")
    yield row("hkex_omd", "heartbeat", omd(0), stream, 0, 0, 1, "before the first message")


# Session, number, count, time; big-endian.
def ice(session, number, *messages):
    body = b"".join(kind + struct.pack(">H", len(body)) + body for kind, body in messages)
    return struct.pack(">HIHQ", session, number, len(messages), 1_700_000_000_000) + body


def ice_rows():
    yield row("ice_impact", "data", ice(1292, 1, (b"T", b"S"), (b"Q", b"")), "group/port + session 1292", 1, 2,
              3, "the first messages of a session")


# Channel, version, number, time; and of each message length, encoding, and SBE's four.
def umdf(version, number, template, body=b""):
    header = struct.pack("<BBHIQ", 50, 1 if number == 0 else 0, version, number, TIME)
    return header + struct.pack("<HHHHHH", 12 + len(body), 0xEB50, len(body), template, 2, 16) + body


def b3_rows():
    yield row("b3_umdf", "sequence_reset", umdf(1334, 0, 1), "channel 50 version 1334", 0, 0, 1,
              "SequenceReset (1): its message has no fields, and the next number is 1")
    yield row("b3_umdf", "unsequenced_data", umdf(1334, 0, 12, bytes(4)), "channel 50 version 1334", 0, 1, None,
              "anything else without a number")
    yield row("b3_umdf", "malformed", umdf(1334, 0, 2), "channel 50 version 1334", 0, 0, None,
              "Sequence (2) without its number")


def sbe(length, fields):
    return struct.pack("<H", length).ljust(fields, b"\1").ljust(length, b"\2")


# Time, number, channel, flags, count, instrument; little-endian.
def coinbase(number, flags, *messages):
    return struct.pack("<qqHBBi", TIME, number, 303, flags, len(messages), 0) + b"".join(messages)


def coinbase_rows():
    for kind, number, flags, note in (("data", 37426195, 1, ""), ("retransmission", 37426100, 5, ""),
                                      ("unsequenced_data", 3, 2, "snapshot")):
        payload = coinbase(number, flags, sbe(34, 10), sbe(10, 10))
        following = number + 2 if kind == "data" else None
        yield row("coinbase_derivatives", kind, payload, "channel 303", number, 2, following, note)


# Time, number, channel, type, count; little-endian.
def starbase(number, kind, *messages):
    return struct.pack("<qqiHH", TIME, number, 12, kind, len(messages)) + b"".join(messages)


def deribit_rows():
    for kind, number, flags, note in (("data", 88, 1, ""), ("retransmission", 70, 5, ""),
                                      ("unsequenced_data", 3, 2, "snapshot")):
        payload = starbase(number, flags, sbe(40, 16), sbe(16, 16))
        following = number + 2 if kind == "data" else None
        yield row("deribit_starbase", kind, payload, "channel 12", number, 2, following, note)
    yield row("deribit_starbase", "heartbeat", starbase(90, 1), "channel 12", 90, 0, 90,
              "taken for the number of the next message: not confirmed")


# Number, size, flags, time; of incremental packets another time and the trading session.
def simba(number, flags, template):
    incremental = struct.pack("<QI", TIME, 6902) if flags & 8 else b""
    body = incremental + struct.pack("<HHHH", 0, template, 19780, 4)
    return struct.pack("<IHHQ", number, 16 + len(body), flags, TIME) + body


def moex_rows():
    for kind, number, flags, template, following, note in (
        ("data", 5, 1 | 8 | 0x10, 15, 6, "incremental, perhaps sent before"),
        ("data", 6, 1, 1, 7, "Heartbeat (1) in a packet with a number of its own"),
        ("unsequenced_data", 1, 2, 18, None, "the first packet of a snapshot"),
        ("unsequenced_data", 2, 0, 18, None, "within a snapshot"),
    ):
        yield row("moex_simba", kind, simba(number, flags, template), "group/port", number, 1, following, note)


# Count; and of each message type, length, number; little-endian.
def aquis(kind, number, *lengths):
    messages = (struct.pack("<BBI", kind, length, number + i).ljust(length, b"a") for i, length in enumerate(lengths))
    return struct.pack("<B", len(lengths)) + b"".join(messages)


def aquis_rows():
    yield row("aquis_amd", "data", aquis(4, 501, 20, 6, 33), "group/port", 501, 3, 504)


def cme_rows():
    heartbeat = struct.pack("<IQHHHHH", 5001, TIME, 10, 0, 12, 1, 13)
    yield row("cme_mdp3", "data", heartbeat, "multicast group/port (no field)", 5001, 1, 5002,
              "AdminHeartbeat (12): taken for a packet with a number of its own, not confirmed")


def text():
    rows = [found for of_feed in (ose_and_asx, cix_aspen, opra_rows, cta_rows, nyse_rows, iex_rows, memx_rows,
                                  miax_rows, eurex_rows, lse_rows, euronext_rows, hkex_rows, ice_rows, b3_rows,
                                  coinbase_rows, deribit_rows, moex_rows, aquis_rows, cme_rows)
            for found in of_feed()]
    return json.dumps(rows, indent=1) + "\n"


def main(arguments):
    if arguments == ["--check"]:
        if OUTPUT.read_text() == text():
            return 0
        print(f"{OUTPUT} is not what {__file__} writes: run it, and look at what has changed", file=sys.stderr)
        return 1
    OUTPUT.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
