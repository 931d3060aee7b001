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
    # What its tasks were handed to, once for each attempt.
    resources: list[str] = field(default_factory=list)
    # The input set of a run that read one.
    inputs_set: str = ""

    def num_scheduled(self, resource: str) -> int:
        """How often a task was handed to a resource."""
        return sum(resource in scheduled for scheduled in self.resources)

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


def wait(stack: Stack, arn: str, timeout_seconds: float = 60) -> Run:
    """Waits until a run has ended."""
    states = stack.emulator.client("stepfunctions")
    began = time.monotonic()
    while True:
        described = states.describe_execution(executionArn=arn)
        if described["status"] != "RUNNING":
            break
        if time.monotonic() - began > timeout_seconds:
            raise TimeoutError(f"the run is still in {_entered(history(stack, arn))[-1]}\n{stack.emulator.log_tail()}")
        time.sleep(0.1)
    events = history(stack, arn)
    return Run(
        name=described["name"],
        status=described["status"],
        error=described.get("error", ""),
        cause=described.get("cause", ""),
        output=json.loads(described["output"]) if described["status"] == "SUCCEEDED" else {},
        states=_entered(events),
        seconds=time.monotonic() - began,
        resources=[e["taskScheduledEventDetails"]["resource"] for e in events if "taskScheduledEventDetails" in e],
        inputs_set=_inputs_set(events),
    )


def run(stack: Stack, name: str, inputs: str | None = None, timeout_seconds: float = 60) -> Run:
    """Starts a run and waits until it has ended."""
    return wait(stack, start(stack, name, inputs), timeout_seconds)


def history(stack: Stack, arn: str) -> list[dict]:
    """What happened in a run, in order."""
    pages = stack.emulator.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def _entered(events: list[dict]) -> list[str]:
    """The names of the states that were entered; those of branches are not among them."""
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def _inputs_set(events: list[dict]) -> str:
    for event in events:
        details = event.get("stateExitedEventDetails", {})
        if details.get("name") == "ParseHorizon":
            return json.loads(details["output"]).get("set", "")
    return ""


def first_execution(stack: Stack, timeout_seconds: float) -> str:
    """Waits until there is an execution that nobody here started."""
    states = stack.emulator.client("stepfunctions")
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        executions = states.list_executions(stateMachineArn=stack.outputs["StateMachineArn"])["executions"]
        if executions:
            return executions[-1]["executionArn"]
        time.sleep(0.5)
    raise TimeoutError("no execution began")


def depth(stack: Stack, logical_id: str) -> int:
    """How many messages a queue has, those in flight too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = stack.emulator.client("sqs").get_queue_attributes(
        QueueUrl=stack.queue_url(logical_id), AttributeNames=names
    )["Attributes"]
    return sum(int(attributes[name]) for name in names)


def wait_until_empty(stack: Stack, logical_id: str, timeout_seconds: float = 30) -> None:
    """Waits until a queue has no message, in flight or not."""
    deadline = time.monotonic() + timeout_seconds
    while depth(stack, logical_id) > 0:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{logical_id} is not empty")
        time.sleep(0.2)


def set_redrive(stack: Stack, visibility_seconds: int, max_receives: int) -> None:
    """Has the data queue's messages come back, and die, sooner than the template does."""
    sqs = stack.emulator.client("sqs")
    dead = sqs.get_queue_attributes(QueueUrl=stack.queue_url("DataDeadLetterQueue"), AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": dead["Attributes"]["QueueArn"], "maxReceiveCount": max_receives}
    attributes = {"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": json.dumps(policy)}
    sqs.set_queue_attributes(QueueUrl=stack.queue_url("DataQueue"), Attributes=attributes)
    sqs.set_queue_attributes(
        QueueUrl=stack.queue_url("DoneQueue"), Attributes={"VisibilityTimeout": str(visibility_seconds)}
    )


def status(stack: Stack, arn: str) -> str:
    return stack.emulator.client("stepfunctions").describe_execution(executionArn=arn)["status"]


def stop(stack: Stack, arn: str) -> None:
    """Stops a run that would go on."""
    if status(stack, arn) == "RUNNING":
        stack.emulator.client("stepfunctions").stop_execution(executionArn=arn)
