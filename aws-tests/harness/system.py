"""A system under test: a stack, its upstreams, and who listens to its topic."""

import itertools

from . import deploy, runs
from .emulator import Emulator
from .upstreams import Upstreams

_numbers = itertools.count(1)


class System:
    """One of them, from its deployment to `close`."""

    def __init__(self, emulator: Emulator, upstreams: Upstreams, parameters: dict[str, str] | None = None) -> None:
        self.emulator = emulator
        self.upstreams = upstreams
        name = f"prospector-{next(_numbers)}"
        self.stack = deploy.deploy(emulator, name, upstreams.parameters() | (parameters or {}))
        self.topic = runs.Topic(self.stack)

    def run(self, name: str, inputs: str | None = None, timeout_seconds: float = 60) -> runs.Run:
        return runs.run(self.stack, name, inputs, timeout_seconds)

    def let_messages_die_quickly(self, max_receives: int) -> None:
        """A message comes back after two seconds, and is dead when it has come so often."""
        runs.set_redrive(self.stack, visibility_seconds=2, max_receives=max_receives)

    def close(self) -> None:
        self.emulator.gate.rule = None
        deploy.delete(self.stack)
