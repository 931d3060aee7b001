"""What all tests share: which functions are tests, and that a session which is told to end cleans up."""

import inspect
import signal
import sys


def pytest_configure():
    # Without this, what a session started would live on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def pytest_pycollect_makeitem(collector, name, obj):
    # A function that a file imports is no test of it.
    if inspect.isfunction(obj) and obj.__module__ != collector.module.__name__:
        return []
    return None
