"""What all tests share: which functions are tests, and that a session which is told to end cleans up."""

import inspect
import signal

import pytest


def pytest_configure():
    # Without this, what a session started would live on. What pytest has no name for, it takes for a test's failure.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=128 + signal.SIGTERM))


def pytest_pycollect_makeitem(collector, name, obj):
    # A function that a file imports is no test of it.
    if inspect.isfunction(obj) and obj.__module__ != collector.module.__name__:
        return []
    return None
