#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes point downwards only, as ARCHITECTURE.md draws the layers, and every file names its licence.

A layer may include itself and what stands behind its name below, nothing else. `core` and `framing`
are compiled into the XDP program too: they are C, and include no header of C++.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SUFFIXES = {".h", ".c", ".cpp"}

# include/linearb is the public interface: types that any layer of C++ may use.
LAYERS = {
    "core": [],
    "framing": ["core"],
    "bpf": ["core", "framing"],
    "linearb": [],
    "sys": ["linearb"],
    "config": ["linearb", "sys", "core", "framing"],
    "xsk": ["linearb", "sys", "core"],
    "hook": ["linearb", "sys", "core", "framing"],
    "sequencer": ["linearb", "core", "framing"],
    "capture": ["linearb", "sys", "core", "framing"],
    "inspect": ["linearb", "core", "framing", "config", "sequencer", "capture"],
    "sink": ["linearb", "sys", "core", "framing", "capture"],
    "lab": ["linearb", "sys", "core"],
    "report": ["linearb", "sys"],
    "live": ["linearb", "sys", "core"],
    "feeder": ["linearb", "sys", "core", "framing", "config", "xsk", "live", "capture"],
    "receiver": ["linearb", "sys", "core", "framing", "config", "xsk", "hook", "sequencer", "sink"],
    "merge": ["linearb", "sys", "core", "framing", "config", "hook", "sequencer", "capture", "sink"],
    "cli": ["linearb", "sys", "core", "framing", "config", "hook", "capture", "inspect", "lab", "report",
            "feeder", "receiver", "merge"],
    "examples": ["linearb"],
}
SHARED_WITH_KERNEL = {"core", "framing", "bpf"}

# What the build generates has no layer; the hook alone loads the program.
GENERATED = {"hook": {"linearb.skel.h"}, "live": {"live_packets.skel.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
APACHE = "SPDX-License-Identifier: Apache-2.0"
DUAL = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"


def layer_of(path):
    """The layer of a file by its path from the root; None for tests and benchmarks, which see all."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[0] in ("src", "include"):
        return parts[1]
    return parts[0] if parts[0] == "examples" else None


def include_complaints(path, text):
    layer = layer_of(path)
    if layer is None:
        return
    if layer not in LAYERS:
        yield f"{path}: tests/layers_test.py knows no layer {layer}"
        return
    for quote, header in INCLUDE.findall(text):
        target = header.split("/")[0]
        if quote == "<":
            if layer in ("core", "framing") and not header.endswith(".h"):
                yield f"{path}: {layer} is C and cannot include <{header}>"
        elif header in GENERATED.get(layer, ()):
            continue
        elif "/" not in header or target not in LAYERS:
            yield f'{path}: "{header}" is not named from src/ or include/'
        elif target != layer and target not in LAYERS[layer]:
            yield f'{path}: {layer} stands below {target} or beside it, and cannot include "{header}"'


def licence_complaints(path, text):
    first = text.split("\n", 1)[0]
    is_shared = layer_of(path) in SHARED_WITH_KERNEL or path.endswith((".bpf.c", ".bpf.h"))
    wanted = DUAL if is_shared else APACHE
    if wanted not in first:
        yield f"{path}: the first line has to be {wanted}"


def source_files():
    for folder in ("src", "include", "examples", "tests", "bench"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


class Tree(unittest.TestCase):
    maxDiff = None

    def test_includes_point_downwards(self):
        complaints = [c for path, text in source_files() for c in include_complaints(path, text)]
        self.assertEqual([], complaints)

    def test_every_file_names_its_licence(self):
        complaints = [c for path, text in source_files() for c in licence_complaints(path, text)]
        self.assertEqual([], complaints)

    def test_layers_have_no_cycle(self):
        settled = set()
        while len(settled) < len(LAYERS):
            ready = {n for n, below in LAYERS.items() if n not in settled and settled >= set(below)}
            self.assertTrue(ready, f"a cycle among {set(LAYERS) - settled}")
            settled |= ready


class Rules(unittest.TestCase):
    """Each rule refuses what it is there for."""

    def complaints(self, path, text):
        return list(include_complaints(path, text)) + list(licence_complaints(path, text))

    def refuses(self, path, text, word):
        complaints = self.complaints(path, text)
        self.assertEqual(1, len(complaints), complaints)
        self.assertIn(word, complaints[0])

    def test_accepts_what_is_right(self):
        self.assertEqual([], self.complaints(
            "src/receiver/a.cpp",
            f'// {APACHE}\n#include <vector>\n#include "receiver/a.h"\n#include "xsk/umem.h"\n'))

    def test_upwards(self):
        self.refuses("src/xsk/a.cpp", f'// {APACHE}\n#include "receiver/a.h"\n', "xsk stands below")

    def test_beside(self):
        self.refuses("src/receiver/a.cpp", f'// {APACHE}\n#include "feeder/a.h"\n', "or beside it")

    def test_merge_knows_no_receiver(self):
        self.refuses("src/merge/a.cpp", f'// {APACHE}\n#include "receiver/a.h"\n', "or beside it")

    def test_cpp_in_core(self):
        self.refuses("src/core/a.h", f"/* {DUAL} */\n#include <cstdint>\n", "core is C")

    def test_relative(self):
        self.refuses("src/xsk/a.cpp", f'// {APACHE}\n#include "../sys/fd.h"\n', "not named from")

    def test_unknown_layer(self):
        self.refuses("src/new/a.cpp", f"// {APACHE}\n", "knows no layer new")

    def test_example_sees_the_public_headers_only(self):
        self.refuses("examples/a.cpp", f'// {APACHE}\n#include "sys/fd.h"\n', "examples stands below")

    def test_licence(self):
        self.refuses("src/xsk/a.cpp", "#include <vector>\n", APACHE)
        self.refuses("src/core/a.h", f"/* {APACHE} */\n", DUAL)
        self.refuses("bench/a.bpf.c", f"// {APACHE}\n", DUAL)
        self.refuses("tests/a.bpf.h", f"/* {APACHE} */\n", DUAL)


if __name__ == "__main__":
    sys.exit(unittest.main())
