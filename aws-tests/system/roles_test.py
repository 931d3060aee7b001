"""The roles: each permission of each function is needed, because without it a run fails with AccessDenied; and the
state machine's role, which the emulator does not enforce, is asked action by action."""

import json
import re
import time

import pytest

from harness import faults, runs, tables
from harness.system import System
from harness.template import FUNCTION, resources_of, template
from harness.upstreams import DELTA_V

# What no run on the emulator asks the function's role for: Lambda itself does it in the role's name.
BY_LAMBDA_ITSELF = {
    "logs:CreateLogStream": "Lambda writes the function's log",
    "logs:PutLogEvents": "Lambda writes the function's log",
    "sqs:DeleteMessage": "the event source mapping acknowledges",
    "sqs:GetQueueAttributes": "the event source mapping looks at its queue",
}
# The mapping receives from the queues that the function is subscribed to; from the dead letters, the function does.
BY_THE_MAPPING = {("WriteToDynamo", "Receive", "sqs:ReceiveMessage")}
# Only asked for where something goes wrong with an upload of several parts, which a small catalogue never is; the
# engine's tests of S3 show that it is asked for.
ON_LARGE_FAILURES = {"s3:AbortMultipartUpload"}
# Only used where the table cannot be had: the last set's is taken.
OF_AN_OLDER_SET = {("DownloadDeltaV", "s3:GetObject"), ("DownloadDeltaV", "s3:ListBucket")}
# Only used where a message is dead.
OF_DEAD_LETTERS = {("Answer", "states:SendTaskFailure"), ("DeadLetters", "sqs:ChangeMessageVisibility")}
# A run of a few seconds comes to its end without these; one that is written for longer than a heartbeat's time does not.
WAITED_OUT = {"states:SendTaskHeartbeat", "sqs:ChangeMessageVisibility", "sqs:ReceiveMessage"}

# Three functions mark the same set as begun. Who comes second need not see whose the mark is, and most may not.
LOST_RACE = re.compile(r"HEAD \S+/begun ")


def _permissions() -> list[tuple[str, str, str]]:
    """Function, statement, action: all that the functions' roles allow."""
    document = template()
    found = []
    for name in resources_of(document, FUNCTION):
        function = name.removesuffix("Function")
        [policy] = document["Resources"][f"{function}Role"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            for action in actions if isinstance(actions, list) else [actions]:
                found.append((function, statement["Sid"], action))
    return found


PERMISSIONS = [
    permission
    for permission in _permissions()
    if permission[2] not in BY_LAMBDA_ITSELF | dict.fromkeys(ON_LARGE_FAILURES)
    and permission not in BY_THE_MAPPING
]


@pytest.fixture(scope="module")
def system(emulator, few_bodies):
    """A system with a run behind it."""
    few_bodies.restore()
    system = System(emulator, few_bodies)
    try:
        system.run("before").succeeded()
        yield system
    finally:
        system.close()


@pytest.mark.parametrize("function, statement, action", PERMISSIONS)
def a_run_fails_without(system, function, statement, action):
    gate = system.emulator.gate
    gate.denials.clear()
    is_of_dead_letters = (statement, action) in OF_DEAD_LETTERS
    gate.rule = _need_for(action, is_of_dead_letters)
    if (function, action) in OF_AN_OLDER_SET:
        system.upstreams.down, system.upstreams.retry_after = {DELTA_V}, "3600"
    if is_of_dead_letters:
        system.let_messages_die_quickly(max_receives=2)
    run = "-".join(["without", function, statement, action.split(":")[1].strip("*")])
    with _without(system, function, statement, action):
        arn = runs.start(system.stack, run)
        try:
            denial = _first_denial(system, arn, timeout_seconds=40)
            # S3 does not say what was denied.
            assert action.startswith("s3:") or action.split(":")[1].strip("*") in denial
            if function != "WriteToDynamo":
                ended = runs.wait(system.stack, arn)
                assert ended.status == "FAILED"
                assert "denied" in ended.cause.lower()
            elif action not in WAITED_OUT:
                assert runs.status(system.stack, arn) == "RUNNING"
        finally:
            gate.rule = None
            system.upstreams.restore()
            runs.stop(system.stack, arn)
            if is_of_dead_letters:
                runs.set_redrive(system.stack, visibility_seconds=360, max_receives=5)
            _clean_up(system)


def _need_for(action: str, is_of_dead_letters: bool) -> faults.Rule | None:
    """What makes a run do what it would not do if all went well."""
    if is_of_dead_letters:
        return faults.always("BatchWriteItem", faults.refuse("ValidationException", "no"))
    if action in WAITED_OUT:
        # A mark that takes its time: the done message finds the ledger incomplete.
        return faults.on_mark(faults.later(2))
    return None


class _without:
    """The role, for a while, without one action."""

    def __init__(self, system: System, function: str, statement: str, action: str) -> None:
        self._iam = system.emulator.client("iam")
        self._role = system.stack.role_of(function)
        [self._policy] = self._iam.list_role_policies(RoleName=self._role)["PolicyNames"]
        self._whole = self._iam.get_role_policy(RoleName=self._role, PolicyName=self._policy)["PolicyDocument"]
        self._less = json.loads(json.dumps(self._whole))
        for each in self._less["Statement"]:
            if each["Sid"] == statement:
                each["Action"] = [kept for kept in each["Action"] if kept != action]
        self._less["Statement"] = [each for each in self._less["Statement"] if each["Action"]]
        assert self._less != self._whole

    def __enter__(self) -> None:
        self._put(self._less)

    def __exit__(self, *_) -> None:
        self._put(self._whole)

    def _put(self, document: dict) -> None:
        self._iam.put_role_policy(
            RoleName=self._role, PolicyName=self._policy, PolicyDocument=json.dumps(document)
        )


def _first_denial(system: System, arn: str, timeout_seconds: float) -> str:
    """Waits until the emulator says to somebody that access is denied."""
    began = time.monotonic()
    while time.monotonic() < began + timeout_seconds:
        denials = [denial for denial in system.emulator.gate.denials if not LOST_RACE.match(denial)]
        if denials:
            return denials[0]
        assert runs.status(system.stack, arn) != "SUCCEEDED", "the run succeeded without it"
        time.sleep(0.1)
    raise TimeoutError("nobody was denied anything")


def _clean_up(system: System) -> None:
    """Takes away what a run left: its lock, its table, its messages."""
    stack = system.stack
    dynamodb = system.emulator.client("dynamodb")
    tables.expire_lock(stack)
    current = tables.current(stack)["table"]
    for table in tables.bodies_tables(stack):
        if table != current:
            dynamodb.delete_table(TableName=table)
    for queue in ("DataQueue", "DoneQueue", "DataDeadLetterQueue", "DoneDeadLetterQueue"):
        system.emulator.client("sqs").purge_queue(QueueUrl=stack.queue_url(queue))
    system.topic.notices()


def the_state_machine_may_do_what_its_states_do_and_nothing_else(system):
    allowed = {
        "lambda:InvokeFunction": {"CreateTableFunction", "DownloadDeltaVFunction", "DownloadExoplanetsFunction",
                                  "CalculateMassesFunction", "GetLatestAsteroidsFunction", "ParseHorizonFunction"},
        "sqs:SendMessage": {"DoneQueue"},
        "sns:Publish": {"Topic"},
    }  # fmt: skip
    arns = _arns(system)
    for action, resources in allowed.items():
        service = action.split(":")[0]
        for logical_id, arn in arns.items():
            if arn.split(":")[2] == service:
                expected = "allowed" if logical_id in resources else "implicitDeny"
                assert _decision(system, action, arn) == expected, f"{action} on {logical_id}"
    for action in ("dynamodb:DeleteTable", "s3:GetObject", "sqs:ReceiveMessage", "lambda:UpdateFunctionCode"):
        assert _decision(system, action, "*") == "implicitDeny"


def _decision(system: System, action: str, resource: str) -> str:
    role = system.emulator.client("iam").get_role(RoleName=system.stack.resources["StateMachineRole"])["Role"]["Arn"]
    [result] = system.emulator.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
    )["EvaluationResults"]
    return result["EvalDecision"]


def _arns(system: System) -> dict[str, str]:
    """The ARNs of the stack's functions, queues and topic, by their names in the template."""
    sqs, lambdas = system.emulator.client("sqs"), system.emulator.client("lambda")
    found = {}
    for logical_id, physical_id in system.stack.resources.items():
        if logical_id.endswith("Function"):
            found[logical_id] = lambdas.get_function(FunctionName=physical_id)["Configuration"]["FunctionArn"]
        elif logical_id.endswith("Queue"):
            attributes = sqs.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["QueueArn"])["Attributes"]
            found[logical_id] = attributes["QueueArn"]
        elif logical_id == "Topic":
            found[logical_id] = physical_id
    return found
