"""A run of the whole system that succeeds, and its replay: what must be true afterwards."""

import pytest

from harness import runs, tables
from harness.system import System

QUEUES = ["DataQueue", "DoneQueue", "DataDeadLetterQueue", "DoneDeadLetterQueue"]


@pytest.fixture(scope="module", autouse=True)
def scheduled(emulator, few_bodies):
    """A system that starts a run every minute, made first of all: the minute passes while others are looked at."""
    few_bodies.restore()
    system = System(emulator, few_bodies, {"ScheduleState": "ENABLED", "ScheduleExpression": "rate(1 minute)"})
    try:
        yield system
    finally:
        system.close()


@pytest.fixture(scope="module")
def notices(many, first_run):
    """What the topic was told of the first run, and nothing else since."""
    return many.topic.notices()


@pytest.fixture(scope="module")
def one_machine(many, first_run, tmp_path_factory):
    """The table that one machine makes of the same inputs."""
    return tables.one_machine(many.stack, first_run.inputs_set, tmp_path_factory.mktemp("one-machine"))


def the_table_is_that_of_one_machine_item_for_item(many, first_run, one_machine):
    assert len(one_machine) > 100
    assert tables.difference(tables.read(many.stack), one_machine) == []


def the_pointer_is_at_the_runs_table_and_no_other_is_left(many, first_run):
    current = tables.current(many.stack)
    assert current["run"] == first_run.name
    assert tables.bodies_tables(many.stack) == [current["table"]]


def no_ledger_and_no_lock_is_left(many, first_run):
    assert not [key for key in tables.read(many.stack) if key.startswith(" ")]
    assert tables.lock(many.stack) == {}


def the_report_reconciles(many, first_run, one_machine):
    rows = tables.report(many.stack, first_run.name)["rows"]
    assert rows["read"] == rows["valued"] + rows["rejected"]
    assert rows["valued"] == rows["written"] == len(one_machine)
    assert first_run.output["items"] == len(one_machine)


def one_notice_says_what_came_of_it(first_run, notices):
    [notice] = notices
    assert first_run.name in notice["Message"]
    assert first_run.output["report"] in notice["Message"]
    assert len(notice["Subject"]) <= 100


def every_queue_is_empty(many, first_run):
    assert {queue: runs.depth(many.stack, queue) for queue in QUEUES} == dict.fromkeys(QUEUES, 0)


def the_done_queue_had_exactly_one_message(many, first_run):
    assert first_run.states.count("WaitUntilWritten") == 1
    assert first_run.num_scheduled("sqs:sendMessage") == 1


def the_bucket_has_the_inputs_the_manifest_and_the_report(many, first_run):
    inputs = tables.objects(many.stack, f"inputs/{first_run.inputs_set}/")
    names = {key.rsplit("/", 1)[-1] for key in inputs}
    assert {"manifest.json", "delta-v.json", "exoplanets.json", "masses.json", "nhats.json"} <= names
    assert any(name.startswith("asteroids.") for name in names)
    made = {key.rsplit("/", 1)[-1] for key in tables.objects(many.stack, f"runs/{first_run.name}/")}
    assert made == {"inputs", "report.json", "rejects.jsonl"}


def a_replay_gives_the_same_table_and_asks_no_upstream(many, first_run, notices):
    before = tables.read(many.stack)
    many.upstreams.take_down()
    asked = len(many.upstreams.asked)
    try:
        replayed = many.run("replay", "latest", timeout_seconds=300).succeeded()
    finally:
        many.upstreams.restore()
    assert len(many.upstreams.asked) == asked
    assert replayed.states == [
        "Begin", "CreateTable", "WhichInputs", "ParseHorizon", "WaitUntilWritten", "Publish", "NotifySuccess"
    ]  # fmt: skip
    assert tables.current(many.stack)["run"] == "replay"
    assert tables.difference(tables.read(many.stack), before) == []
    assert len(many.topic.notices()) == 1


def the_schedule_starts_a_run_by_itself(scheduled):
    arn = runs.first_execution(scheduled.stack, timeout_seconds=150)
    assert runs.wait(scheduled.stack, arn).succeeded().states[-1] == "NotifySuccess"

