"""Runs one case and measures it."""

import json
import os
import resource
import signal
import subprocess
from contextlib import ExitStack

from .cases import NULL
from .programs import memory_bytes

# A tool that wants more is out of memory, before the machine is.
MEMORY_LIMIT_BYTES = memory_bytes() * 8 // 10
# What the launcher itself holds is in every peak: /bin/true shows it.
MAX_FLOOR_BYTES = 8 << 20


def floor_bytes(programs, work):
    """The peak memory of a program that does nothing, as it is measured here."""
    measured = launch(programs, work, ["/bin/true"], timeout=10)
    if measured["peak_bytes"] > MAX_FLOOR_BYTES:
        raise SystemExit(f"/bin/true shows {measured['peak_bytes']:,} bytes: peaks would be wrong")
    return measured["peak_bytes"]


def run(case, source, programs, work, timeout):
    """Seconds, peak memory and outcome of one run; a file that it wrote stays, as `work / case.output`."""
    target = work / case.output if case.output else NULL
    if case.output:
        target.unlink(missing_ok=True)
    names = {"INPUT": source, "OUTPUT": target}
    command = [str(names.get(part, part)) for part in case.command]
    with ExitStack() as opened:
        stdin = subprocess.DEVNULL
        if case.is_piped:
            cat = opened.enter_context(subprocess.Popen(["cat", source], stdout=subprocess.PIPE))
            stdin = cat.stdout
        is_named = "OUTPUT" in case.command
        stdout = opened.enter_context(open(NULL if is_named else target, "wb"))
        return launch(programs, work, command, timeout, stdin, stdout)


def launch(programs, work, command, timeout, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
    """Runs `command` below the launcher, which is small: the kernel counts a parent's memory into its child's peak."""
    result, errors = work / "launched.json", work / "stderr.txt"
    result.unlink(missing_ok=True)
    with open(errors, "wb") as stderr:
        child = subprocess.Popen(
            [programs.comparison, "launch", result, *command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=limit_memory,
        )
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            return {"outcome": f"no end within {timeout} s"}
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    if child.returncode != 0:
        raise SystemExit(f"the launcher failed: {errors.read_text(errors='replace')}")
    measured = json.loads(result.read_text())
    succeeded, ended = measured.pop("succeeded"), measured.pop("ended")
    if succeeded:
        return measured | {"outcome": "done"}
    return {"outcome": failure(ended, errors.read_text(errors="replace")), "peak_bytes": measured["peak_bytes"]}


def failure(ended, errors):
    """Why a tool failed, by how it ended and what it said. Each says in its own words that there is no memory."""
    if "signal: 9" in ended or "memory" in errors.lower():
        return "out of memory"
    return ": ".join([ended, *errors.strip().splitlines()[-1:]])[:200]


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
