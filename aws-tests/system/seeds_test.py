"""Runs under seeded plans of faults: each ends with the exact table and one notice, or fails, says so once, and leaves
the old table; and nothing is left behind when the next good run has ended.

PROSPECTOR_FAULT_SEEDS=50 tries so many seeds (3 if it is not set), PROSPECTOR_FAULT_SEED=7 only that one."""

import json
import os

import pytest

from harness import runs, tables
from harness.plans import Plan
from harness.system import System

NUM_SEEDS = int(os.environ.get("PROSPECTOR_FAULT_SEEDS", "3"))
ONLY = os.environ.get("PROSPECTOR_FAULT_SEED")
SEEDS = [int(ONLY)] if ONLY else list(range(NUM_SEEDS))
TIMEOUT_SECONDS = 600
QUEUES = ["DataQueue", "DoneQueue"]


@pytest.fixture(scope="module")
def settled(many, tmp_path_factory):
    """A system with a good run behind it, and the table that one machine makes of the same inputs."""
    run = many.run("settled", timeout_seconds=TIMEOUT_SECONDS).succeeded()
    many.topic.notices()
    many.let_messages_die_quickly(max_receives=5)
    try:
        yield many, tables.one_machine(many.stack, run.inputs_set, tmp_path_factory.mktemp("one-machine"))
    finally:
        many.emulator.gate.rule = None
        many.upstreams.restore()
        runs.set_redrive(many.stack, visibility_seconds=360, max_receives=5)


@pytest.mark.parametrize("seed", SEEDS)
def a_run_keeps_its_promises_under_the_plan_of(settled, seed):
    system, expected = settled
    plan = Plan(seed, system.emulator)
    before = tables.current(system.stack)["run"]
    name = f"seed-{seed}"
    system.emulator.gate.rule = plan.rule
    system.upstreams.harm = plan.page
    try:
        arn = runs.start(system.stack, name)
        try:
            run = runs.wait(system.stack, arn, TIMEOUT_SECONDS)
        except TimeoutError:
            # The next seed is to find a system at rest.
            runs.stop(system.stack, arn)
            tables.expire_lock(system.stack)
            raise
    finally:
        system.emulator.gate.rule = None
        system.upstreams.restore()
        # Shown where it is broken.
        print(plan)
    print(f"{name}: {run.status} {run.error} {run.cause} in {run.seconds:.0f} s")
    if run.status == "SUCCEEDED":
        _is_done(system, expected, run)
        return
    _is_told(system, expected, run, before)
    # What a failed run left on its way is gone when the next one has ended.
    _drain(system)
    again = system.run(f"{name}-again", timeout_seconds=TIMEOUT_SECONDS)
    _is_done(system, expected, again)


def _is_done(system: System, expected: tables.Items, run: runs.Run) -> None:
    run.succeeded()
    stack = system.stack
    current = tables.current(stack)
    assert current["run"] == run.name
    # Pages of the ledger would be items that one machine has not.
    assert tables.difference(tables.read(stack), expected) == []
    assert tables.bodies_tables(stack) == [current["table"]]
    assert tables.lock(stack) == {}
    [notice] = system.topic.notices()
    assert run.name in notice["Message"]
    rows = tables.report(stack, run.name)["rows"]
    assert rows["read"] == rows["valued"] + rows["rejected"]
    assert rows["valued"] == rows["written"] == len(expected) == run.output["items"]
    kinds = [item["kind"] for item in expected.values()]
    assert rows["kinds"] == {kind: kinds.count(kind) for kind in ("asteroid", "comet", "exoplanet")}
    made = {key.rsplit("/", 1)[-1] for key in tables.objects(stack, f"runs/{run.name}/")}
    assert made == {"inputs", "report.json", "rejects.jsonl"}
    assert rows["rejected"] == _num_rejects(system, run.name)
    for queue in QUEUES:
        runs.wait_until_empty(stack, queue)
    assert runs.depth(stack, "DataDeadLetterQueue") == 0
    assert runs.depth(stack, "DoneDeadLetterQueue") == 0


def _num_rejects(system: System, run: str) -> int:
    bucket = system.stack.outputs["BucketName"]
    answer = system.emulator.client("s3").get_object(Bucket=bucket, Key=f"runs/{run}/rejects.jsonl")
    return answer["Body"].read().count(b"\n")


def _is_told(system: System, expected: tables.Items, run: runs.Run, before: str) -> None:
    stack = system.stack
    assert run.status == "FAILED"
    [notice] = system.topic.notices()
    assert notice["Subject"].startswith(f"{stack.name}: run failed in ")
    for part in (run.name, run.error, "aws stepfunctions start-execution"):
        assert part in notice["Message"]
    assert json.loads(notice["Message"].split("--input '")[1].split("'")[0])["inputs"]
    current = tables.current(stack)
    # In its last step a run may have been published before it failed: the notice says that nobody knows.
    readable = {before, run.name} if notice["Subject"].endswith(" Publish") else {before}
    assert current["run"] in readable
    assert tables.difference(tables.read(stack), expected) == []
    if "could not be deleted" in notice["Message"]:
        # It could not even tidy up: the next run does.
        tables.expire_lock(stack)
        return
    assert tables.bodies_tables(stack) == [current["table"]]
    assert tables.lock(stack) == {}


def _drain(system: System) -> None:
    """Waits for messages of the run that failed, and throws the dead ones away."""
    for queue in QUEUES:
        runs.wait_until_empty(system.stack, queue, timeout_seconds=120)
    system.emulator.client("sqs").purge_queue(QueueUrl=system.stack.queue_url("DataDeadLetterQueue"))
