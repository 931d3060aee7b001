"""What the functions' processes need: the most memory that each had, and the time on a processor.

The emulator runs each environment of a function as a process of its own, which /proc tells of as long as it lives.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from .emulator import Emulator

_LOOK_EVERY_SECONDS = 0.1
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Need:
    """What the environments of one function needed."""

    num_processes: int = 0
    # Of the one that had the most.
    peak_megabytes: float = 0.0
    # Of all together.
    processor_seconds: float = 0.0


@dataclass
class _Process:
    function: str
    peak_kilobytes: int = 0
    ticks: int = 0


class Watch:
    """Looks at the functions' processes from its beginning to its end: `with Watch(emulator) as watch`."""

    def __init__(self, emulator: Emulator) -> None:
        self._group = emulator.process_group
        self._processes: dict[int, _Process] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def needs(self) -> dict[str, Need]:
        """By the functions' own names, what they needed."""
        needs: dict[str, Need] = {}
        for process in list(self._processes.values()):
            need = needs.setdefault(process.function, Need())
            need.num_processes += 1
            need.peak_megabytes = max(need.peak_megabytes, process.peak_kilobytes / 1024)
            need.processor_seconds += process.ticks / _TICKS_PER_SECOND
        return needs

    def _look_on(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    self._look_at(folder)
                except (OSError, ValueError):
                    # It has just ended.
                    continue

    def _look_at(self, folder: Path) -> None:
        # Behind the name, which may have anything in it: state, parent, group, …; the 12th and 13th are its ticks.
        fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        if int(fields[2]) != self._group:
            return
        pid = int(folder.name)
        if pid not in self._processes:
            if (function := _function_of(folder)) is None:
                return
            self._processes[pid] = _Process(function)
        process = self._processes[pid]
        process.ticks = int(fields[11]) + int(fields[12])
        for line in (folder / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                process.peak_kilobytes = max(process.peak_kilobytes, int(line.split()[1]))


def _function_of(folder: Path) -> str | None:
    """The function that a process is an environment of, if it is one."""
    for variable in (folder / "environ").read_bytes().split(b"\0"):
        name, _, value = variable.partition(b"=")
        if name == b"AWS_LAMBDA_FUNCTION_NAME":
            return value.decode()
    return None
