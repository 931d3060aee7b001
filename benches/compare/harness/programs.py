"""Builds and installs everything that is measured, into the work folder."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent


class Programs:
    """Paths of the programs, each there once `prepare` has returned."""

    def __init__(self, work):
        self.work = work
        self.prospector = REPOSITORY / "target/release/prospector"
        self.comparison = work / "cargo/release/comparison"
        self.python = work / "venv/bin/python"
        self.delta_v = REPOSITORY / "data/delta-v.html"
        self.tools = HERE / "tools"
        self.udsv = work / "node/value_udsv.mjs"

    def prepare(self, tools):
        cargo = ["cargo", "build", "--release", "--locked"]
        call([*cargo, "-p", "prospector"], REPOSITORY)
        call([*cargo, "--target-dir", self.work / "cargo"], HERE / "rust")
        if tools & {"polars", "duckdb", "pandas"}:
            self._install_python()
        if "udsv" in tools:
            self._install_node()

    def _install_python(self):
        if not self.python.exists():
            call([sys.executable, "-m", "venv", self.work / "venv"])
        pip = [self.python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        call([*pip, "--requirement", HERE / "requirements.txt"])

    def _install_node(self):
        # Node looks for packages beside the script, and none are to lie among the sources.
        self.udsv.parent.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json", self.udsv.name):
            (self.udsv.parent / name).write_bytes((self.tools / name).read_bytes())
        call(["npm", "ci", "--silent", "--no-audit", "--no-fund"], self.udsv.parent)

    def versions(self, tools):
        """What was measured, by name."""
        versions = {
            "prospector": output(["git", "describe", "--always", "--dirty"], REPOSITORY),
            "rustc": output(["rustc", "--version"]).split()[1],
        }
        if "csv-serde" in tools:
            tree = output(["cargo", "tree", "--depth", "1", "--prefix", "none", "--locked"], HERE / "rust")
            crates = dict(line.split()[:2] for line in tree.splitlines())
            versions |= {name: crates[name].lstrip("v") for name in ("csv", "serde", "serde_json", "flate2", "zstd")}
        if self.python.exists():
            freeze = output([self.python, "-m", "pip", "freeze"])
            versions |= dict(line.split("==") for line in freeze.splitlines() if "==" in line)
            versions["python"] = output([self.python, "--version"]).split()[1]
        if "udsv" in tools:
            versions["node"] = output(["node", "--version"]).lstrip("v")
            versions["udsv"] = output(["npm", "pkg", "get", "dependencies.udsv"], HERE / "tools").strip('"')
        return versions


def machine():
    """The machine, as far as figures depend on it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": cpu[0] if cpu else os.uname().machine,
        "cores": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
    }


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def call(command, folder=None):
    subprocess.run(command, cwd=folder, check=True)


def output(command, folder=None):
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
