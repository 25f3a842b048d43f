#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables and plots of docs/performance.md, from what linearb_bench --json has measured.

usage: report.py MAIN.json CURVES.json
Writes docs/performance/*.svg, and in docs/performance.md what stands between its marks.
"""

import json
import math
import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
WIDTH, HEIGHT = 480, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 34, 46
COLOURS = ("#1f5fa8", "#b4531a")


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def number(value):
    """As people write it: 4096 as 4,096, and three digits of what is small."""
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def ticks(highest):
    """Round steps from 0: four to eight of them."""
    power = 10 ** math.floor(math.log10(highest / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if highest / (power * factor) <= 8)
    return [step * i for i in range(int(highest / step) + 1)]


class Plot:
    """One axis, one or more series, each point with its spread."""

    def __init__(self, title, axis, unit, series):
        self.title, self.axis, self.unit, self.series = title, axis, unit, series
        places = [point["at"] for _, points in series for point in points]
        self.is_log = min(places) > 0 and max(places) / min(places) > 16
        self.places = sorted(set(places))
        self.highest = 1.05 * max(point["max"] for _, points in series for point in points)

    def x(self, at):
        if self.is_log:
            low, high, here = (math.log(v) for v in (self.places[0], self.places[-1], at))
        else:
            low, high, here = self.places[0], self.places[-1], at
        return LEFT + (here - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT - 20) + 10

    def y(self, value):
        return HEIGHT - BOTTOM - value / self.highest * (HEIGHT - TOP - BOTTOM)

    def frame(self):
        yield f'<text x="{LEFT}" y="18" class="t">{escaped(self.title)}</text>'
        for value in ticks(self.highest):
            y = self.y(value)
            yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" class="g"/>'
            yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        for at in self.places:
            yield f'<text x="{self.x(at):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{number(at)}</text>'
        yield f'<text x="{(WIDTH + LEFT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escaped(self.axis)}</text>'
        yield (f'<text transform="rotate(-90 14 {HEIGHT / 2})" x="14" y="{HEIGHT / 2}" '
               f'text-anchor="middle">{escaped(self.unit)}</text>')

    def lines(self):
        for place, (name, points) in enumerate(self.series):
            colour = COLOURS[place % len(COLOURS)]
            path = " ".join(f"{self.x(p['at']):.1f},{self.y(p['median']):.1f}" for p in points)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for point in points:
                x = self.x(point["at"])
                yield (f'<line x1="{x:.1f}" y1="{self.y(point["min"]):.1f}" x2="{x:.1f}" '
                       f'y2="{self.y(point["max"]):.1f}" stroke="{colour}"/>')
                yield f'<circle cx="{x:.1f}" cy="{self.y(point["median"]):.1f}" r="3" fill="{colour}"/>'
            yield f'<text x="{WIDTH - RIGHT}" y="{18 + 14 * place}" text-anchor="end" fill="{colour}">{escaped(name)}</text>'

    def svg(self):
        style = ("text{font:11px sans-serif;fill:#222}.t{font-weight:bold;font-size:13px}"
                 ".g{stroke:#ddd}")
        body = "\n".join([*self.frame(), *self.lines()])
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}">\n<style>{style}</style>\n<rect width="100%" height="100%" fill="#fff"/>\n'
                f"{body}\n</svg>\n")


def spread(entry):
    return f"{number(entry['median'])} ({number(entry['min'])} to {number(entry['max'])})"


def ratio_table(main):
    yield "| ratio | median (least to most) | target | |"
    yield "|---|---|---|---|"
    for name, entry in main["ratios"].items():
        target = ""
        if "target" in entry:
            target = f"{'at most' if entry.get('at_most') else 'at least'} {entry['target']}"
        verdict = "" if "met" not in entry else "met" if entry["met"] else "**missed**"
        yield f"| {name} | {spread(entry)} | {target} | {verdict} |"


def figure_table(main):
    yield "| figure | median (least to most) |"
    yield "|---|---|"
    for name, entry in main["figures"].items():
        yield f"| {name} | {spread(entry)} |"


def curves_by_name(curves):
    by_name = {}
    for curve in curves["curves"]:
        if curve["points"]:
            by_name.setdefault(curve["name"], []).append(curve)
    return by_name


def file_of(name):
    return f"{name.replace(' ', '_')}.svg"


def cost_cell(curve, at):
    """With what a packet costs: 1,000 over millions a second are ns."""
    found = [point for point in curve["points"] if point["at"] == at]
    if not found:
        return ""
    cost = f", {number(1000 / found[0]['median'])} ns" if "/s" in curve["unit"] else ""
    return spread(found[0]) + cost


def curve_table(same_axis):
    yield f"| {same_axis[0]['axis']} | " + " | ".join(f"{c['series']}, {c['unit']}" for c in same_axis) + " |"
    yield "|---" * (1 + len(same_axis)) + "|"
    for at in sorted({point["at"] for curve in same_axis for point in curve["points"]}):
        yield f"| {number(at)} | " + " | ".join(cost_cell(curve, at) for curve in same_axis) + " |"


def between_marks(text, name, lines):
    """Replaces what stands between two comments of the page."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, rest = text.split(begin, 1)
    return before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip().splitlines()[2], file=sys.stderr)
        return 2
    measured, curves = (json.loads(pathlib.Path(path).read_text()) for path in arguments)
    (DOCS / "performance").mkdir(exist_ok=True)
    page = DOCS / "performance.md"
    text = page.read_text()
    text = between_marks(text, "machine", [f"{measured['machine']}."])
    text = between_marks(text, "ratios", ratio_table(measured))
    text = between_marks(text, "figures", figure_table(measured))
    parts = []
    for name, same_axis in curves_by_name(curves).items():
        plot = Plot(name, same_axis[0]["axis"], same_axis[0]["unit"],
                    [(curve["series"], curve["points"]) for curve in same_axis])
        (DOCS / "performance" / file_of(name)).write_text(plot.svg())
        parts += ["", f"### {name.capitalize()}", "", f"![{name}](performance/{file_of(name)})", "", *curve_table(same_axis)]
    page.write_text(between_marks(text, "curves", parts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
