"""Medians of what was measured."""

from dataclasses import dataclass
from statistics import median

FULL = 1.0


@dataclass(frozen=True)
class Figures:
    """One case at one size: medians of the rounds, and the highest peak."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    rows_per_s: float
    # The quickest and the slowest round.
    spread_s: tuple


class Summary:
    """What `results`, the document of a comparison, says of a size and a case."""

    def __init__(self, results):
        self.results = results
        self.sizes = results["sizes"]
        self.rows = {size["size"]: size["rows"] for size in self.sizes}
        self._runs = {}
        for run in results["runs"]:
            self._runs.setdefault((run["size"], run["case"]), []).append(run)

    def outcome(self, size, case):
        """How a case ended that has no figures: `None` where it was not run at all."""
        runs = self._runs.get((size, case), [])
        return next((run["outcome"] for run in runs if run["outcome"] != "done"), None)

    def figures(self, size, case):
        """The figures of a case that was run and always came to its end."""
        runs = self._runs.get((size, case))
        if not runs or self.outcome(size, case):
            return None
        walls = [run["wall_s"] for run in runs]
        return Figures(
            wall_s=median(walls),
            cpu_s=median(run["cpu_s"] for run in runs),
            peak_bytes=max(run["peak_bytes"] for run in runs),
            rows_per_s=self.rows[size] / median(walls),
            spread_s=(min(walls), max(walls)),
        )

    def ratio(self, slow, fast, size=FULL):
        """How many times the time of `fast` the case `slow` takes."""
        slow, fast = self.figures(size, slow), self.figures(size, fast)
        return slow.wall_s / fast.wall_s if slow and fast else None
