"""The command: measures, writes the results, and draws the tables and the plot from them."""

import argparse
import json
import subprocess
from pathlib import Path

from . import lookups, measure, plot, tables
from .cases import FORMS, TOOLS, all_cases
from .inputs import Inputs, warm
from .programs import REPOSITORY, Programs, machine
from .summary import FULL, Summary
from .targets import check_list

EVERYTHING = [*TOOLS, FORMS]


def names(text):
    return set(text.split(","))


def sizes(text):
    return [float(size) for size in text.split(",")]


def arguments():
    parser = argparse.ArgumentParser(
        prog="benches/compare/run",
        description="Runs the job of `prospector value` with the tools that people use for such jobs, and compares.",
    )
    every = ",".join(EVERYTHING)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each case, of which the median counts [5]")
    parser.add_argument("--sizes", type=sizes, default=[0.1, FULL, 4.0], help="of 1,570,000 rows [0.1,1,4]")
    parser.add_argument("--tools", type=names, default=set(EVERYTHING), help=f"beside Prospector [{every}]")
    parser.add_argument("--timeout", type=int, default=600, help="seconds that one run may take [600]")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "target/compare", help="where inputs are kept")
    parser.add_argument("--docs", type=Path, default=REPOSITORY / "docs", help="where performance.md is")
    parser.add_argument("--render", action="store_true", help="measure nothing, render the results that are there")
    given = parser.parse_args()
    if unknown := given.tools - set(EVERYTHING):
        parser.error(f"no tool is called {', '.join(sorted(unknown))}")
    return given


def main():
    given = arguments()
    results = given.docs / "performance-results.json"
    if not given.render:
        measured = compare(given)
        results.write_text(json.dumps(measured, indent=1) + "\n")
    if not results.exists():
        raise SystemExit(f"{results} is not there: nothing was measured yet")
    summary = Summary(json.loads(results.read_text()))
    page = given.docs / "performance.md"
    page.write_text(tables.replace_block(page.read_text(), tables.block(summary)))
    (given.docs / "performance.svg").write_text(plot.svg(summary))
    print(check_list(summary))


def compare(given):
    """Measures everything, interleaved: whatever disturbs the machine for a while disturbs every tool."""
    given.work.mkdir(parents=True, exist_ok=True)
    programs = Programs(given.work.resolve())
    programs.prepare(given.tools)
    lookups.make(programs.work / "lookups", programs.prospector, REPOSITORY)
    results = {
        "machine": machine(),
        "versions": programs.versions(given.tools),
        "floor_bytes": measure.floor_bytes(programs, programs.work),
        "memory_limit_bytes": measure.MEMORY_LIMIT_BYTES,
        "rounds": given.rounds,
        "sizes": [],
        "runs": [],
    }
    cases = all_cases(programs, programs.work / "lookups", given.tools)
    for size in given.sizes:
        inputs = Inputs(programs.work, size, programs)
        results["sizes"].append({"size": size, "rows": inputs.num_rows})
        results["runs"] += measure_size(cases, inputs, size, given, programs)
    return results


def measure_size(cases, inputs, size, given, programs):
    reference = write_reference(inputs, programs)
    given_up = set()
    for round_number in range(1, given.rounds + 1):
        for case in cases:
            # What does not come to its end once is not waited for again.
            if case.name in given_up:
                continue
            source = inputs.path(case.input)
            warm(source)
            measured = measure.run(case, source, programs, programs.work, given.timeout)
            show(size, round_number, case, measured)
            if measured["outcome"] != "done":
                given_up.add(case.name)
            elif case.is_compared and round_number == 1:
                check_agreement(case, reference, programs)
            if case.output:
                (programs.work / case.output).unlink(missing_ok=True)
            yield {"size": size, "round": round_number, "case": case.name} | measured
    reference.unlink()


def write_reference(inputs, programs):
    """Our output, which the others have to agree with."""
    reference = programs.work / "reference.ndjson"
    command = [programs.prospector, "value", inputs.path("catalogue.csv"), "--delta-v", programs.delta_v]
    subprocess.run([*command, "--output", reference], check=True, stderr=subprocess.DEVNULL)
    return reference


def check_agreement(case, reference, programs):
    command = [programs.comparison, "agree", reference, programs.work / case.output, str(case.slack)]
    checked = subprocess.run(command, capture_output=True, text=True)
    if checked.returncode != 0:
        raise SystemExit(f"{case.name} does not agree with Prospector:\n{checked.stderr}")
    print(f"      {checked.stdout.strip()}", flush=True)


def show(size, round_number, case, measured):
    figures = measured["outcome"]
    if figures == "done":
        peak = measured["peak_bytes"] / 2**20
        figures = f"{measured['wall_s']:9.3f} s  {measured['cpu_s']:9.3f} s CPU  {peak:9.1f} MiB"
    print(f"{size:4g}× round {round_number}  {case.name:<20} {figures}", flush=True)
