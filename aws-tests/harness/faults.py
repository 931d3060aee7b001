"""Rules for the gate: what goes wrong between the functions and the services, and how often."""

import threading
import time
from collections.abc import Callable

from .emulator import Emulator
from .gate import Answer, Call, Rule

Harm = Callable[[Call], Answer | None]


def on(action: str, harm: Harm, times: int = 1, after: int = 0) -> Rule:
    """Does harm to `times` calls of an action, having let `after` of them pass."""
    lock = threading.Lock()
    seen = 0

    def rule(call: Call) -> Answer | None:
        nonlocal seen
        if call.action != action:
            return None
        with lock:
            number = seen
            seen += 1
        return harm(call) if after <= number < after + times else None

    return rule


def on_mark(harm: Harm, times: int = 1, after: int = 0) -> Rule:
    """Does harm to marks of the ledger."""
    rule = on("UpdateItem", harm, times, after)
    return lambda call: rule(call) if b" ledger " in call.body else None


def always(action: str, harm: Harm) -> Rule:
    """Does harm to every call of an action."""
    return lambda call: harm(call) if call.action == action else None


def every(*rules: Rule) -> Rule:
    """The first rule that has an answer gives it."""

    def rule(call: Call) -> Answer | None:
        answers = (each(call) for each in rules)
        return next((answer for answer in answers if answer is not None), None)

    return rule


def kill_before(call: Call) -> None:
    """The function dies before its call is done."""
    call.kill_caller()


def kill_after(call: Call) -> None:
    """The function dies when its call is done, and never learns it."""
    call.send()
    call.kill_caller()


def twice(call: Call) -> Answer:
    """The call is done twice."""
    call.send()
    return call.send()


def later(seconds: float) -> Harm:
    """The call is done after a while."""

    def harm(call: Call) -> None:
        time.sleep(seconds)

    return harm


def refuse(name: str, message: str, status: int = 400) -> Harm:
    """The service answers with an error."""
    return lambda call: Answer.error(name, message, status)


def refuse_if_it_has(text: str, name: str, message: str) -> Harm:
    """The service refuses what a text is in."""

    def harm(call: Call) -> Answer | None:
        return Answer.error(name, message) if text.encode() in call.body.replace(b" ", b"") else None

    return harm


def leave_half_unprocessed(emulator: Emulator) -> Harm:
    """DynamoDB writes the first half of a batch, and gives the rest back."""

    def harm(call: Call) -> Answer:
        [(table, writes)] = call.document["RequestItems"].items()
        written, left = writes[: len(writes) // 2], writes[len(writes) // 2 :]
        if written:
            # This call comes through the gate as well, and may be halved in its turn.
            answer = emulator.client("dynamodb").batch_write_item(RequestItems={table: written})
            left = left + answer.get("UnprocessedItems", {}).get(table, [])
        return Answer.of({"UnprocessedItems": {table: left}})

    return harm


def fail_half_of_the_entries(emulator: Emulator) -> Harm:
    """SQS takes the first half of a batch, and says that it failed with the rest."""

    def harm(call: Call) -> Answer:
        document = call.document
        entries = document["Entries"]
        taken, left = entries[: len(entries) // 2], entries[len(entries) // 2 :]
        done = []
        if taken:
            answer = emulator.client("sqs").send_message_batch(QueueUrl=document["QueueUrl"], Entries=taken)
            done = answer.get("Successful", [])
        failed = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "no"} for entry in left]
        return Answer.of({"Successful": done, "Failed": failed})

    return harm
