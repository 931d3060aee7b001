"""The template: what CloudFormation makes of it is valid, and what its parts must agree on, they agree on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from samtranslator.translator.transform import transform

from harness import paths
from harness.template import FUNCTION, STATE_MACHINE, binary_of, definition, resources_of, states, template

# How many seconds each binary of the crate may run is told once, in the template.
BINARIES = {
    "create-table",
    "download-delta-v",
    "download-exoplanets",
    "calculate-masses",
    "get-latest-asteroids",
    "parse-horizon",
    "write-to-dynamo",
}


class _NoManagedPolicies:
    def load(self) -> dict:
        return {}


@pytest.fixture(scope="module")
def transformed(tmp_path_factory) -> dict:
    """The template as CloudFormation sees it."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    try:
        document = template()
        document["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
        for machine in resources_of(document, STATE_MACHINE).values():
            machine["Properties"]["DefinitionUri"] = "s3://bucket/definition"
        return transform(document, {}, _NoManagedPolicies())
    finally:
        monkeypatch.undo()


def what_sam_makes_of_it_passes_cfn_lint(transformed, tmp_path):
    # No rule is off.
    path = tmp_path / "template.json"
    path.write_text(json.dumps(transformed))
    command = [Path(sys.executable).with_name("cfn-lint"), "--non-zero-exit-code", "informational", path]
    linted = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def no_two_stacks_have_a_name_in_common(transformed):
    # A name that is given, and not made by CloudFormation, has the stack's name in it.
    names = {"Name", "BucketName", "TableName", "QueueName", "TopicName", "FunctionName", "RoleName", "LogGroupName",
             "StateMachineName", "AlarmName", "GroupName"}
    for logical_id, resource in transformed["Resources"].items():
        for key in names & resource.get("Properties", {}).keys():
            value = resource["Properties"][key]
            is_of_a_resource = isinstance(value, dict) and value.get("Ref") in transformed["Resources"]
            assert is_of_a_resource or "AWS::StackName" in json.dumps(value), f"{logical_id}.{key}"


def there_is_a_function_for_each_program():
    functions = resources_of(template(), FUNCTION)
    assert sorted(binary_of(function) for function in functions.values()) == sorted(BINARIES)
    for function in functions.values():
        assert function["Metadata"]["BuildMethod"] == "rust-cargolambda"


def every_function_has_a_role_and_a_log_of_its_own():
    document = template()
    roles = [json.dumps(function["Properties"]["Role"]) for function in resources_of(document, FUNCTION).values()]
    logs = [json.dumps(function["Properties"]["LoggingConfig"]) for function in resources_of(document, FUNCTION).values()]
    assert len(set(roles)) == len(set(logs)) == len(BINARIES)
    for log in resources_of(document, "AWS::Logs::LogGroup").values():
        assert log["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def every_parameter_has_a_default_and_a_use():
    text = paths.TEMPLATE.read_text()
    for name, parameter in template()["Parameters"].items():
        assert "Default" in parameter, name
        assert re.search(rf"!Ref {name}\b|\[!Ref {name},", text), f"{name} is not used"


def a_message_stays_hidden_for_six_lives_of_its_writer():
    # AWS, "Using Lambda with Amazon SQS: configuring a queue".
    document = template()
    timeout = document["Resources"]["WriteToDynamoFunction"]["Properties"]["Timeout"]
    for queue in ("DataQueue", "DoneQueue"):
        assert document["Resources"][queue]["Properties"]["VisibilityTimeout"] >= 6 * timeout


def a_message_dies_before_the_deadline_of_the_writers():
    # Else a dead message would be told as a late one.
    document = template()
    queue = document["Resources"]["DataQueue"]["Properties"]
    life = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
    assert life < document["Parameters"]["WriteDeadlineSeconds"]["Default"]


def the_done_message_outlives_the_deadline():
    # It comes back every DonePollSeconds, and SQS counts each time.
    document = template()
    received = document["Resources"]["DoneQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    parameters = document["Parameters"]
    assert received * parameters["DonePollSeconds"]["Default"] > parameters["WriteDeadlineSeconds"]["MaxValue"]


def the_lock_of_a_run_outlives_the_execution_that_holds_it():
    document = template()
    longest = max(function["Properties"]["Timeout"] for function in resources_of(document, FUNCTION).values())
    variables = document["Globals"]["Function"]["Environment"]["Variables"]
    assert int(variables["RUN_SECONDS"]) >= definition()["TimeoutSeconds"] + longest


def the_wait_for_the_writers_outlives_their_deadline_and_misses_no_beat():
    document = template()
    waiting = states(definition())["WaitUntilWritten"]
    parameters = document["Parameters"]
    assert waiting["TimeoutSeconds"] > parameters["WriteDeadlineSeconds"]["MaxValue"]
    hidden = document["Resources"]["DoneQueue"]["Properties"]["VisibilityTimeout"]
    # A writer that crashes with the done message misses one beat, and the message comes back when it is no longer hidden.
    assert waiting["HeartbeatSeconds"] > hidden + parameters["DonePollSeconds"]["MaxValue"]


def a_state_waits_for_its_function_longer_than_the_function_lives():
    functions = resources_of(template(), FUNCTION)
    for name, state in states(definition()).items():
        if ":function:" in state.get("Resource", ""):
            function = functions[state["Resource"].rsplit(":", 1)[-1]]
            assert state["TimeoutSeconds"] > function["Properties"]["Timeout"], name
