"""What the comparison is to show, and whether it does. Ratios count, not seconds: they hold on other machines."""

from dataclasses import dataclass

MAX_PEAK_MIB = 48
BOUNDED = ("prospector 1", "prospector 2", "pipe", "gzip", "zstd", "zstd frames", "json 2")


@dataclass(frozen=True)
class Target:
    """A claim, what it wants, what was measured (`None`: nothing was), and whether that is enough."""

    claim: str
    wanted: str
    measured: str | None
    is_met: bool


def at_least(claim, wanted, ratio):
    return Target(claim, f"≥ {wanted} ×", ratio and f"{ratio:.2f} ×", bool(ratio) and ratio >= wanted)


def at_most(claim, wanted, ratio):
    return Target(claim, f"≤ {wanted} ×", ratio and f"{ratio:.2f} ×", bool(ratio) and ratio <= wanted)


def targets(summary):
    """All targets; those of speed at the full size."""
    ratio = summary.ratio
    for tool, name, to_nowhere, to_file in (
        ("csv-serde", "csv + serde + serde_json", 10, 6),
        ("polars", "polars", 12, 8),
        ("duckdb", "DuckDB", 12, 8),
    ):
        yield at_least(f"times as fast as {name}, to /dev/null", to_nowhere, ratio(tool, "prospector 2"))
        yield at_least(f"times as fast as {name}, to a file", to_file, ratio(f"{tool} file", "prospector 2 file"))
    yield at_least("two threads against one", 1.6, ratio("prospector 1", "prospector 2"))
    yield at_most("a row of JSON against a row of CSV, one thread", 1, ratio("json 1", "prospector 1"))
    yield at_most("a row of JSON against a row of CSV, two threads", 1, ratio("json 2", "prospector 2"))
    yield at_most("zstd in independent frames against plain CSV", 1.3, ratio("zstd frames", "prospector 2"))
    yield at_least("speed of one gzip stream against its decoder alone", 0.9, ratio("gzip decoder", "gzip"))
    yield at_least("speed of one zstd stream against its decoder alone", 0.9, ratio("zstd decoder", "zstd"))
    yield at_most("SQLite with its indexes against an NDJSON file", 8, ratio("sqlite", "prospector 2 file"))
    yield from memory(summary)


def memory(summary):
    for size in summary.rows:
        peaks = {case: figures.peak_bytes / 2**20 for case in BOUNDED if (figures := summary.figures(size, case))}
        # Some inputs say nothing of all.
        worst = max(peaks, key=peaks.get) if len(peaks) == len(BOUNDED) else None
        yield Target(
            f"peak memory at {size:g}×, any input",
            f"≤ {MAX_PEAK_MIB} MiB",
            worst and f"{peaks[worst]:.1f} MiB ({worst})",
            worst is not None and peaks[worst] <= MAX_PEAK_MIB,
        )


def check_list(summary):
    """The targets as lines of text."""
    lines = [("claim", "wanted", "measured", "")]
    for target in targets(summary):
        verdict = "not measured" if target.measured is None else "ok" if target.is_met else "NOT"
        lines.append((target.claim, target.wanted, target.measured or "", verdict))
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
