"""One emulator for all tests of the system; a stack with a run behind it for those that look at what came of it, and
one of its own for each that does it harm."""

import os

import pytest

from harness.emulator import Emulator
from harness.system import System
from harness.upstreams import Upstreams

# How many bodies the whole run has: aws-tests/run --bodies.
NUM_BODIES = int(os.environ.get("PROSPECTOR_BODIES", "10000"))
NUM_FEW = 250


@pytest.fixture(scope="session")
def emulator():
    emulator = Emulator()
    try:
        yield emulator.start()
    finally:
        emulator.stop()


@pytest.fixture(scope="session")
def many(emulator):
    """A system whose catalogue is as large as was asked for."""
    upstreams = Upstreams(NUM_BODIES)
    system = System(emulator, upstreams)
    try:
        yield system
    finally:
        system.close()
        upstreams.stop()


@pytest.fixture(scope="session")
def first_run(many):
    """Its first run, on fresh inputs."""
    return many.run("first", timeout_seconds=120 + NUM_BODIES / 500).succeeded()


@pytest.fixture(scope="session")
def few_bodies():
    """Upstreams with a small catalogue."""
    upstreams = Upstreams(NUM_FEW, seed=2)
    try:
        yield upstreams
    finally:
        upstreams.stop()


@pytest.fixture
def few(emulator, few_bodies):
    """A system of one's own, whose catalogue is small."""
    few_bodies.restore()
    # One message a call: what happens half-way, happens between two of them.
    system = System(emulator, few_bodies, {"QueueBatchBytes": "61440"})
    try:
        yield system
    finally:
        system.close()
        few_bodies.restore()
