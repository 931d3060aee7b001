"""Seeded plans of faults: what goes wrong between the functions and everything that they speak to.

A decision rests on the seed, on what is asked for, and on how often it has been asked for: calls that go side by side
do not change each other's fate. Only where the budget runs out does their order count.
"""

import collections
import hashlib
import random
import re
import threading
import time
from collections.abc import Callable

from . import faults
from .emulator import Emulator
from .gate import Answer, Call
from .upstreams import Page

# Calls in a thousand that go wrong, how many at most, and which share of all kinds of calls is down for good.
_MEASURES = [(20, 6, 0), (40, 12, 0), (40, 12, 0), (80, 20, 0), (80, 20, 0), (150, 30, 0), (300, 60, 0), (20, 6, 12)]

_EVERYWHERE = ["delay", "throttle", "error", "unavailable", "reset", "truncate", "drop_answer"]
_OF_ACTIONS = {
    "half_done": ("BatchWriteItem", "SendMessageBatch"),
    # A message that is delivered twice; batches that overtake each other.
    "send_twice": ("SendMessageBatch",),
    "reorder": ("SendMessageBatch",),
}
_OF_FUNCTIONS = ["kill_before", "kill_after"]
# These are asked for five minutes, five times over, before a run gives up: too long for a test.
_NEVER_DOWN = {"CreateTable", "DeleteTable"}


class Plan:
    """The plan of a seed, at work."""

    def __init__(self, seed: int, emulator: Emulator) -> None:
        choice = random.Random(seed)
        self.seed = seed
        self.hits: collections.Counter = collections.Counter()
        self._emulator = emulator
        self._rate, self._budget, self._one_down_in = choice.choice(_MEASURES)
        kinds = [*_EVERYWHERE, *_OF_ACTIONS, *_OF_FUNCTIONS]
        self._kinds = [kind for kind in kinds if choice.random() < 2 / 3]
        self._asked: collections.Counter = collections.Counter()
        self._num_hits = 0
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return f"seed {self.seed}: " + ", ".join(f"{name} ×{times}" for name, times in sorted(self.hits.items()))

    def rule(self, call: Call) -> Answer | None:
        """For the gate. Only the functions are harmed, not who looks at what they did."""
        if not any(name.lower() == "user-agent" and "aws-sdk-rust" in value for name, value in call.headers):
            return None
        # S3 is told what by the path, in which the bucket and times differ from one time to the next.
        key = re.sub("^/[^/]*|[0-9]+", "", call.path.split("?")[0])
        what = call.action if call.method == "POST" else f"{call.method} {key}"
        kind, choice = self._next(what, lambda kind: call.action in _OF_ACTIONS.get(kind, (call.action,)))
        return self._harm(kind, choice, call) if kind else None

    def page(self, path: str, page: Page) -> Page:
        """For the upstreams."""
        kind, choice = self._next(f"GET {path}", lambda kind: kind in _EVERYWHERE)
        match kind:
            case "delay":
                time.sleep(choice.uniform(0.01, 0.5))
            case "throttle":
                return Page(b"too many requests", 429, "text/plain")
            case "error" | "unavailable":
                return Page(b"no", 500 if kind == "error" else 503, "text/plain")
            case "reset" | "drop_answer":
                raise ConnectionResetError
            case "truncate":
                return Page(page.body, page.status, page.kind, is_cut=True)
        return page

    def _next(self, what: str, fits: Callable[[str], bool]) -> tuple[str | None, random.Random]:
        with self._lock:
            number = self._asked[what]
            self._asked[what] += 1
            is_patient = what in _NEVER_DOWN
            if self._one_down_in and not is_patient and _random(self.seed, what, "down").randrange(self._one_down_in) == 0:
                self.hits[f"down: {what}"] += 1
                return "unavailable", random.Random(0)
            choice = _random(self.seed, what, number)
            kinds = [kind for kind in self._kinds if fits(kind)]
            if choice.randrange(1000) >= self._rate or self._num_hits >= self._budget or not kinds:
                return None, choice
            kind = choice.choice(kinds)
            self._num_hits += 1
            self.hits[f"{kind} of {what}"] += 1
            return kind, choice

    def _harm(self, kind: str, choice: random.Random, call: Call) -> Answer | None:
        match kind:
            case "delay":
                time.sleep(choice.uniform(0.01, 0.5))
            case "reorder":
                time.sleep(choice.uniform(0.5, 3))
            case "throttle":
                return _refusal(call, *_throttling(call))
            case "error":
                return _refusal(call, "InternalServerError", 500)
            case "unavailable":
                return _refusal(call, "ServiceUnavailable", 503)
            case "reset":
                raise ConnectionResetError
            case "drop_answer":
                call.send()
                raise ConnectionResetError
            case "truncate":
                answer = call.send()
                return Answer(answer.status, answer.body, answer.headers, is_cut=True)
            case "half_done" if call.action == "BatchWriteItem":
                return faults.leave_half_unprocessed(self._emulator)(call)
            case "half_done":
                return faults.fail_half_of_the_entries(self._emulator)(call)
            case "send_twice":
                return faults.twice(call)
            case "kill_before":
                faults.kill_before(call)
            case "kill_after":
                faults.kill_after(call)
        return None


def _random(*parts: object) -> random.Random:
    return random.Random(hashlib.sha256(repr(parts).encode()).digest())


def _throttling(call: Call) -> tuple[str, int]:
    """How each service says that it is asked too much."""
    target = next((value for name, value in call.headers if name.lower() == "x-amz-target"), "")
    if not target:
        return "SlowDown", 503
    return ("ProvisionedThroughputExceededException" if target.startswith("DynamoDB") else "ThrottlingException"), 400


def _refusal(call: Call, name: str, status: int) -> Answer:
    if call.method == "POST" and any(header.lower() == "x-amz-target" for header, _ in call.headers):
        return Answer.error(name, "the plan wants it", status)
    body = f"<Error><Code>{name}</Code><Message>the plan wants it</Message><RequestId>0</RequestId></Error>"
    return Answer(status, b"" if call.method == "HEAD" else body.encode(), [("Content-Type", "application/xml")])
