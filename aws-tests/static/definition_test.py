"""The state machine's definition: valid, tied to the template and to the errors that the functions give."""

import json
import re
import subprocess

import jsonata
import pytest

from harness import paths
from harness.template import FUNCTION, binary_of, definition, placeholders, resources_of, states, template

# AWS, "Handling errors in Step Functions workflows" and "Lambda: troubleshoot invocation issues".
AWS_NAMES = re.compile(r"States\.[A-Za-z]+|Lambda\.[A-Za-z]+|Runtime\.ExitError|Sandbox\.Timedout")
# What is worth another try: it may pass by itself.
MAY_PASS = {"Upstream.Unavailable", "Store.Failed", "Table.Failed", "Queue.Failed", "Run.DeadlineExceeded"}
STATES = states(definition())
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def it_passes_the_validator(tmp_path):
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(definition()))
    command = [paths.PROJECT / "aws-tests" / "npm-tool", "asl-validator", "--json-path", path]
    validated = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert validated.returncode == 0, validated.stdout + validated.stderr


def every_expression_is_jsonata():
    expressions = re.findall(r"\{%(.*?)%\}", "\n".join(_texts(definition())))
    assert len(expressions) > 20
    for expression in expressions:
        jsonata.Jsonata.jsonata(expression)


def every_placeholder_is_bound_and_every_binding_used():
    bound = template()["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert set(bound) == placeholders()


def every_function_is_called_or_subscribed():
    functions = resources_of(template(), FUNCTION)
    called = {name for name in placeholders() if name.endswith("Function")}
    subscribed = {name for name, function in functions.items() if "Events" in function["Properties"]}
    assert called | subscribed == set(functions)
    assert called & subscribed == set()
    assert binary_of(functions["WriteToDynamoFunction"]) == "write-to-dynamo"


def a_function_is_called_by_its_own_name():
    bound = template()["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    for name in placeholders():
        if name.endswith("Function"):
            assert bound[name] == {"Fn::GetAtt": [name, "Arn"]}


@pytest.mark.parametrize("name", TASKS)
def a_task_has_a_timeout_and_what_may_pass_is_tried_again_with_care(name):
    task = TASKS[name]
    assert task["TimeoutSeconds"] > 0
    for retrier in task["Retry"]:
        if retrier.get("MaxAttempts") != 0:
            wanted = {"IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "MaxAttempts"}
            assert wanted <= retrier.keys()
            assert retrier["JitterStrategy"] == "FULL"


def every_failure_is_caught_and_told_once():
    branches = {name for branch in STATES["DownloadInputs"]["Branches"] for name in branch["States"]}
    for name, state in STATES.items():
        if state["Type"] in ("Task", "Parallel") and name not in branches:
            [catcher] = state["Catch"]
            assert catcher["ErrorEquals"] == ["States.ALL"]
    assert STATES["DescribeFailure"]["Next"] == "Discard"
    for way in (STATES["Discard"]["Next"], STATES["Discard"]["Catch"][0]["Next"]):
        assert way == "NotifyFailure"
    for way in (STATES["NotifyFailure"]["Next"], STATES["NotifyFailure"]["Catch"][0]["Next"]):
        assert STATES[way]["Type"] == "Fail"


def no_download_is_on_the_way_of_a_replay():
    assert STATES["WhichInputs"]["Default"] == "ParseHorizon"
    [fresh] = STATES["WhichInputs"]["Choices"]
    assert fresh["Next"] == "DownloadInputs"


def the_table_that_people_read_changes_only_when_all_is_written():
    leads_to = [name for name, state in STATES.items() if state.get("Next") == "Publish"]
    assert leads_to == ["WaitUntilWritten"]


def every_error_that_is_named_is_one_that_somebody_gives():
    ours = _names_of_functions()
    for name, state in STATES.items():
        for handler in state.get("Retry", []) + state.get("Catch", []):
            for error in handler["ErrorEquals"]:
                assert AWS_NAMES.fullmatch(error) or error in ours, f"{name}: {error}"


def only_what_may_pass_is_tried_again():
    for name, state in TASKS.items():
        for retrier in state["Retry"]:
            if retrier.get("MaxAttempts") != 0:
                own = {error for error in retrier["ErrorEquals"] if not AWS_NAMES.fullmatch(error)}
                assert own <= MAY_PASS, name


def whatever_may_pass_is_tried_again_somewhere():
    retried = {error for task in TASKS.values() for retrier in task["Retry"] for error in retrier["ErrorEquals"]}
    assert MAY_PASS <= retried


def _names_of_functions() -> set[str]:
    """The names that the functions' failures have, as the source lists them."""
    lists = ["engine/src/stages/kind.rs", "lambdas/src/failure.rs"]
    sources = [(paths.PROJECT / name).read_text() for name in lists]
    names = {name for source in sources for name in re.findall(r'=> "([A-Z][A-Za-z.]+)",', source)}
    assert MAY_PASS <= names
    return names


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for child in children for text in _texts(child)]
