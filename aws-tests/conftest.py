"""What all tests share: which functions are tests."""

import inspect


def pytest_pycollect_makeitem(collector, name, obj):
    # A function that a file imports is no test of it.
    if inspect.isfunction(obj) and obj.__module__ != collector.module.__name__:
        return []
    return None
