"""Runs of the state machine, and who is told of them."""

import json
import time
from dataclasses import dataclass, field

from .deploy import Stack


@dataclass
class Run:
    """An execution that ended."""

    name: str
    status: str
    error: str = ""
    cause: str = ""
    output: dict = field(default_factory=dict)
    # The names of the states that were entered, in order.
    states: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def succeeded(self) -> "Run":
        assert self.status == "SUCCEEDED", f"{self.error}: {self.cause}"
        return self


class Topic:
    """Reads what the stack's topic is told, through a queue that subscribes to it."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.emulator.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"{stack.name}-subscriber")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self._allow(stack.outputs["TopicArn"], arn)
        stack.emulator.client("sns").subscribe(TopicArn=stack.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)

    def _allow(self, topic: str, queue: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})

    def notices(self) -> list[dict]:
        """What came since the last time: `Subject`, `Message`."""
        notices = []
        # The second look finds nothing: a notice is there before its run has ended.
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                notices.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return notices


def start(stack: Stack, name: str, inputs: str | None = None) -> str:
    """Starts a run; the execution's ARN."""
    document = {} if inputs is None else {"inputs": inputs}
    return stack.emulator.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"], name=name, input=json.dumps(document)
    )["executionArn"]


def wait(stack: Stack, arn: str, timeout_seconds: float = 120) -> Run:
    """Waits until a run has ended."""
    states = stack.emulator.client("stepfunctions")
    began = time.monotonic()
    while True:
        described = states.describe_execution(executionArn=arn)
        if described["status"] != "RUNNING":
            break
        if time.monotonic() - began > timeout_seconds:
            raise TimeoutError(f"the run is still in {entered(stack, arn)[-1]}\n{stack.emulator.log_tail()}")
        time.sleep(0.1)
    return Run(
        name=described["name"],
        status=described["status"],
        error=described.get("error", ""),
        cause=described.get("cause", ""),
        output=json.loads(described["output"]) if described["status"] == "SUCCEEDED" else {},
        states=entered(stack, arn),
        seconds=time.monotonic() - began,
    )


def run(stack: Stack, name: str, inputs: str | None = None, timeout_seconds: float = 120) -> Run:
    """Starts a run and waits until it has ended."""
    return wait(stack, start(stack, name, inputs), timeout_seconds)


def entered(stack: Stack, arn: str) -> list[str]:
    """The names of the states that a run has entered; those of branches are not among them."""
    pages = stack.emulator.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [
        event["stateEnteredEventDetails"]["name"]
        for page in pages
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]


def depth(stack: Stack, logical_id: str) -> int:
    """How many messages a queue has, those in flight too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = stack.emulator.client("sqs").get_queue_attributes(
        QueueUrl=stack.queue_url(logical_id), AttributeNames=names
    )["Attributes"]
    return sum(int(attributes[name]) for name in names)
