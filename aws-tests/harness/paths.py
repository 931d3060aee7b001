"""Where things are: the project's files, what is built, and where the tests may write."""

import os
import shutil
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE = PROJECT / "template.yaml"
DEFINITION = PROJECT / "statemachine" / "asteroids.asl.json"
DATA = PROJECT / "data"
# The functions and the program, built: a profile's folder below target/.
BINARIES = Path(os.environ.get("PROSPECTOR_LAMBDAS", PROJECT / "target" / "debug"))
PROGRAM = Path(os.environ.get("PROSPECTOR_PROGRAM", BINARIES / "prospector"))
SCRATCH = PROJECT / "target" / "aws-tests"


def scratch_folder(name: str) -> Path:
    """A new folder of the session's own."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=SCRATCH))


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
