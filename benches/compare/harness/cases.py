"""What is measured: one case is a tool with one input and one output."""

from dataclasses import dataclass

# The tools that do the whole job, by the name that --tools takes, and how tables call them.
TOOLS = {
    "csv-serde": "csv + serde + serde_json, one core",
    "polars": "polars, streaming",
    "duckdb": "DuckDB",
    "pandas": "pandas",
    "udsv": "Node, uDSV",
}
# The other inputs and outputs of Prospector's, and the decoders alone.
FORMS = "forms"

# pandas writes at most 15 decimals.
SLACK = {"pandas": 1e-15}

NULL = "/dev/null"


@dataclass(frozen=True)
class Case:
    """How one thing is run. In `command`, INPUT and OUTPUT stand for the files."""

    name: str
    command: tuple
    input: str = "catalogue.csv"
    # Where OUTPUT, or else standard output, goes: a file of this name, or nowhere.
    output: str | None = None
    # Whether the input comes through a pipe.
    is_piped: bool = False
    # Whether the output is NDJSON that is to agree with ours.
    is_compared: bool = False
    # What its figures may be off by, absolute, beside 1e-9 relative.
    slack: float = 0.0


def all_cases(programs, lookups, tools):
    """The cases of `tools`, a set of names, in the order in which a round runs them."""
    cases = list(prospector(programs))
    commands = {
        "csv-serde": (programs.comparison, "value"),
        "polars": (programs.python, programs.tools / "value_polars.py"),
        "duckdb": (programs.python, programs.tools / "value_duckdb.py"),
        "pandas": (programs.python, "-W", "ignore", programs.tools / "value_pandas.py"),
        "udsv": ("node", programs.udsv),
    }
    for tool in TOOLS:
        if tool in tools:
            command = (*commands[tool], "INPUT", lookups, "OUTPUT")
            cases.append(Case(tool, command))
            slack = SLACK.get(tool, 0.0)
            cases.append(Case(f"{tool} file", command, output="items.ndjson", is_compared=True, slack=slack))
    if FORMS in tools:
        cases += forms(programs)
    return cases


def value(programs, threads, *options, source="INPUT"):
    lookups = ("--delta-v", programs.delta_v, "--max-rejects", "0")
    return (programs.prospector, "value", source, "--threads", str(threads), *lookups, *options)


def prospector(programs):
    for threads in (1, 2):
        command = value(programs, threads)
        yield Case(f"prospector {threads}", command)
        yield Case(f"prospector {threads} file", command, output="items.ndjson", is_compared=True)


def forms(programs):
    two = value(programs, 2)
    # Standard output to a file is what the other tools do; --output syncs the file before it takes its place.
    yield Case("synced file", value(programs, 2, "--output", "OUTPUT"), output="items.ndjson", is_compared=True)
    yield Case("sqlite", value(programs, 2, "--format", "sqlite", "--output", "OUTPUT"), output="items.sqlite")
    yield Case("pipe", value(programs, 2, source="-"), is_piped=True)
    yield Case("json 1", value(programs, 1), input="catalogue.json")
    yield Case("json 2", two, input="catalogue.json")
    yield Case("gzip", two, input="catalogue.csv.gz")
    yield Case("zstd", two, input="catalogue.csv.zst")
    yield Case("zstd frames", two, input="catalogue.frames.zst")
    yield Case("gzip decoder", (programs.comparison, "decode", "gzip", "INPUT"), input="catalogue.csv.gz")
    yield Case("zstd decoder", (programs.comparison, "decode", "zstd", "INPUT"), input="catalogue.csv.zst")
