"""docs/performance.svg: rows a second and peak memory of each tool, one dot a size, on logarithmic scales."""

import math
from html import escape
from itertools import cycle

from .cases import TOOLS

NAMES = {"prospector 2": "Prospector, two threads", "prospector 1": "Prospector, one thread"} | TOOLS
COLOURS = ("#9ecae1", "#3182bd", "#08306b")
LABELS, PANEL, GAP, LINE = 250, 300, 50, 30
TOP, BOTTOM, RADIUS = 70, 20, 5


class Axis:
    """A logarithmic scale from one power of ten to another, drawn from `left` on."""

    def __init__(self, left, title, values, unit):
        self.left, self.title, self.unit = left, title, unit
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def at(self, value):
        return self.left + PANEL * (math.log10(value) - self.low) / max(self.high - self.low, 1)

    def draw(self, bottom):
        yield text(self.left, 20, self.title, "bold")
        for power in range(self.low, self.high + 1):
            x = self.at(10**power)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 12}" y2="{bottom}" stroke="#ddd"/>'
            yield text(x, TOP - 18, self.unit(10**power), anchor="middle")


def text(x, y, content, weight="normal", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}" text-anchor="{anchor}">{escape(content)}</text>'


def rows_unit(value):
    return f"{value // 10**6} M" if value >= 10**6 else f"{value // 1000} k" if value >= 1000 else str(value)


def bytes_unit(value):
    return f"{value / 1000:g} GB" if value >= 1000 else f"{value:g} MB"


def svg(summary):
    """The drawing; tools without any figure are left out."""
    dots = {
        name: {size: figures for size in summary.rows if (figures := summary.figures(size, case))}
        for case, name in NAMES.items()
    }
    dots = {name: by_size for name, by_size in dots.items() if by_size}
    every = [figures for by_size in dots.values() for figures in by_size.values()]
    axes = {
        "rows_per_s": Axis(LABELS, "rows a second, to /dev/null", [dot.rows_per_s for dot in every], rows_unit),
        "peak_mb": Axis(LABELS + PANEL + GAP, "peak memory", [dot.peak_bytes / 1e6 for dot in every], bytes_unit),
    }
    width, bottom = LABELS + 2 * PANEL + 2 * GAP, TOP + LINE * len(dots)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + BOTTOM}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{bottom + BOTTOM}" fill="white"/>',
        *legend(summary),
    ]
    for axis in axes.values():
        parts += axis.draw(bottom)
    colours = dict(zip(summary.rows, cycle(COLOURS)))
    for line, (name, by_size) in enumerate(dots.items()):
        y = TOP + LINE * (line + 0.5)
        parts.append(text(LABELS - 15, y + 4, name, "bold" if name.startswith("Prospector") else "normal", "end"))
        for size, figures in by_size.items():
            positions = axes["rows_per_s"].at(figures.rows_per_s), axes["peak_mb"].at(figures.peak_bytes / 1e6)
            parts += (f'<circle cx="{x:.1f}" cy="{y}" r="{RADIUS}" fill="{colours[size]}"/>' for x in positions)
    return "\n".join([*parts, "</svg>\n"])


def legend(summary):
    for line, (rows, colour) in enumerate(zip(summary.rows.values(), cycle(COLOURS))):
        y = 20 + 16 * line
        yield f'<circle cx="15" cy="{y - 4}" r="{RADIUS}" fill="{colour}"/>'
        yield text(26, y, f"{rows:,} rows")
