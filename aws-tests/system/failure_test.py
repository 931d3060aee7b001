"""What goes wrong, and what becomes of it: the exact table, or a failure that is told once, with its cause, and the
old table as it was. Never a success with a row missing or counted twice."""

import json

import pytest

from harness import faults, runs, tables
from harness.system import System
from harness.upstreams import ASTEROIDS, EXOPLANETS, Page, catalogue

RUN = "harmed"


@pytest.fixture
def old_table(few):
    """The table of a run before anything went wrong."""
    few.run("before").succeeded()
    [_] = few.topic.notices()
    return tables.read(few.stack)


def _ends_well(system: System, old_table: tables.Items, run: runs.Run) -> None:
    """The inputs are the same, so the table is."""
    run.succeeded()
    assert tables.current(system.stack)["run"] == RUN
    assert tables.difference(tables.read(system.stack), old_table) == []
    [notice] = system.topic.notices()
    assert RUN in notice["Message"]
    assert runs.depth(system.stack, "DataDeadLetterQueue") == 0


def _fails(system: System, old_table: tables.Items, run: runs.Run, error: str, state: str, *causes: str) -> dict:
    """Whoever is told, is told once, what failed and why. Returns the input that the notice says to try again with."""
    assert (run.status, run.error) == ("FAILED", error), run.cause
    [notice] = system.topic.notices()
    assert notice["Subject"] == f"{system.stack.name}: run failed in {state}"
    for part in (RUN, error, *causes, "aws stepfunctions start-execution"):
        assert part in notice["Message"]
    assert tables.current(system.stack)["run"] == "before"
    assert tables.difference(tables.read(system.stack), old_table) == []
    assert tables.bodies_tables(system.stack) == [f"{system.stack.name}.before"]
    assert tables.lock(system.stack) == {}
    return json.loads(notice["Message"].split("--input '")[1].split("'")[0])


def an_upstream_that_stays_down_fails_the_run(few, old_table):
    few.upstreams.down = {EXOPLANETS}
    # Four attempts of the state machine, of five by the function, which waits in between.
    run = few.run(RUN, timeout_seconds=180)
    page = few.upstreams.url + EXOPLANETS
    assert _fails(few, old_table, run, "Upstream.Unavailable", "DownloadInputs", page, "503") == {"inputs": "fresh"}
    assert run.num_scheduled("DownloadExoplanets") == 4


def an_upstream_that_is_closed_for_an_hour_is_not_asked_again(few, old_table):
    few.upstreams.down = {ASTEROIDS}
    few.upstreams.retry_after = "3600"
    run = few.run(RUN)
    _fails(few, old_table, run, "Upstream.Refused", "GetLatestAsteroids", few.upstreams.url + ASTEROIDS, "503")
    assert run.num_scheduled("GetLatestAsteroids") == 1


def a_page_in_the_catalogues_place_fails_the_run(few, old_table):
    few.upstreams.pages[ASTEROIDS] = Page(b"<html><body>We are moving</body></html>", kind="text/html")
    run = few.run(RUN)
    _fails(few, old_table, run, "Input.Malformed", "GetLatestAsteroids")
    assert run.num_scheduled("GetLatestAsteroids") == 1


def a_catalogue_that_ends_early_fails_the_run(few, old_table):
    whole = few.upstreams.pages[ASTEROIDS].body
    few.upstreams.pages[ASTEROIDS] = Page(whole[: len(whole) // 2])
    _fails(few, old_table, few.run(RUN), "Input.Malformed", "GetLatestAsteroids")


def a_catalogue_that_shrank_fails_the_run(few, old_table):
    few.upstreams.pages[ASTEROIDS] = Page(catalogue(100, seed=2))
    _fails(few, old_table, few.run(RUN), "Input.Shrunk", "GetLatestAsteroids")


def a_parse_that_dies_half_way_is_done_again(few, old_table):
    few.emulator.gate.rule = faults.on("SendMessageBatch", faults.kill_after)
    run = few.run(RUN)
    assert run.num_scheduled("ParseHorizon") == 2
    _ends_well(few, old_table, run)


def a_parse_that_dies_before_it_tells_how_much_it_sent_is_done_again(few, old_table):
    puts = faults.on("PUT", faults.kill_before)
    few.emulator.gate.rule = lambda call: puts(call) if f"runs/{RUN}/rejects.jsonl" in call.path else None
    run = few.run(RUN)
    assert run.num_scheduled("ParseHorizon") == 2
    _ends_well(few, old_table, run)


def a_writer_that_dies_between_writing_and_marking_loses_nothing(few, old_table):
    few.let_messages_die_quickly(max_receives=5)
    few.emulator.gate.rule = faults.on_mark(faults.kill_before)
    _ends_well(few, old_table, few.run(RUN))


def a_writer_that_dies_having_marked_counts_nothing_twice(few, old_table):
    few.let_messages_die_quickly(max_receives=5)
    few.emulator.gate.rule = faults.on_mark(faults.kill_after)
    _ends_well(few, old_table, few.run(RUN))


def messages_that_come_twice_and_out_of_order_count_once(few, old_table):
    few.emulator.gate.rule = faults.every(
        faults.on("SendMessageBatch", faults.later(1)), faults.always("SendMessageBatch", faults.twice)
    )
    _ends_well(few, old_table, few.run(RUN))


def a_message_that_comes_when_its_run_is_over_changes_nothing(few, old_table):
    late = []
    few.emulator.gate.rule = faults.always("SendMessageBatch", lambda call: late.append(call.document))
    run = few.run(RUN)
    _ends_well(few, old_table, run)
    few.emulator.gate.rule = None
    assert late
    for document in late:
        few.emulator.client("sqs").send_message_batch(QueueUrl=document["QueueUrl"], Entries=document["Entries"])
    runs.wait_until_empty(few.stack, "DataQueue")
    assert runs.depth(few.stack, "DataDeadLetterQueue") == 0
    assert tables.difference(tables.read(few.stack), old_table) == []


def a_message_that_cannot_be_written_fails_the_run_by_its_number(few, old_table):
    few.let_messages_die_quickly(max_receives=2)
    poison = next(key for key in old_table if key.isdigit() and len(key) == 3)
    harm = faults.refuse_if_it_has(f'"designation":{{"S":"{poison}"}}', "ValidationException", "this item cannot be written")
    few.emulator.gate.rule = faults.always("BatchWriteItem", harm)
    run = few.run(RUN)
    _fails(few, old_table, run, "Messages.Dead", "WaitUntilWritten")
    assert runs.depth(few.stack, "DataDeadLetterQueue") == 1


def a_message_that_nobody_sent_dies_alone(few, old_table):
    few.let_messages_die_quickly(max_receives=2)
    sqs = few.emulator.client("sqs")
    sqs.send_message(QueueUrl=few.stack.queue_url("DataQueue"), MessageBody="not a message of ours")
    few.run(RUN).succeeded()
    assert tables.difference(tables.read(few.stack), old_table) == []
    runs.wait_until_empty(few.stack, "DataQueue")
    assert runs.depth(few.stack, "DataDeadLetterQueue") == 1


def writes_that_are_throttled_for_a_while_come_through(few, old_table):
    throttled = faults.refuse("ThrottlingException", "rate exceeded")
    failing = faults.refuse("InternalServerError", "try again", status=500)
    few.emulator.gate.rule = faults.every(
        faults.on("BatchWriteItem", throttled, times=6),
        faults.on("BatchWriteItem", failing, times=3, after=2),
        faults.on("BatchWriteItem", faults.leave_half_unprocessed(few.emulator), times=12),
        faults.on_mark(throttled, times=2),
    )
    _ends_well(few, old_table, few.run(RUN))


def a_run_beside_another_is_refused(few, old_table):
    few.emulator.gate.rule = faults.on("SendMessageBatch", faults.later(4))
    first = runs.start(few.stack, RUN)
    while tables.lock(few.stack).get("run") != RUN:
        assert runs.status(few.stack, first) == "RUNNING"
    second = few.run("second")
    assert (second.status, second.error) == ("FAILED", "Run.InProgress")
    few.topic.notices()
    _ends_well(few, old_table, runs.wait(few.stack, first))


def a_notice_that_cannot_be_sent_fails_the_run_and_says_that_the_table_is_new(few, old_table):
    few.emulator.client("sns").delete_topic(TopicArn=few.stack.outputs["TopicArn"])
    run = few.run(RUN)
    assert (run.status, run.error) == ("FAILED", "Notify.Failed")
    assert "the new table is in place" in run.cause
    assert tables.current(few.stack)["run"] == RUN


def the_retry_that_a_failure_names_takes_the_set_that_was_downloaded(few, old_table):
    few.let_messages_die_quickly(max_receives=2)
    few.emulator.gate.rule = faults.always("BatchWriteItem", faults.refuse("ValidationException", "no"))
    run = few.run(RUN)
    retry = _fails(few, old_table, run, "Messages.Dead", "WaitUntilWritten")
    assert retry == {"inputs": run.inputs_set}
    few.emulator.gate.rule = None
    few.upstreams.take_down()
    few.run("again", retry["inputs"]).succeeded()
    assert tables.difference(tables.read(few.stack), old_table) == []
