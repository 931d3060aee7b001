"""The template and the definition, read as documents."""

import json
import re

from samtranslator.yaml_helper import yaml_parse

from . import paths

FUNCTION = "AWS::Serverless::Function"
STATE_MACHINE = "AWS::Serverless::StateMachine"


def template() -> dict:
    """template.yaml, its short forms (`!Ref`) written out."""
    return yaml_parse(paths.TEMPLATE.read_text())


def resources_of(document: dict, kind: str) -> dict[str, dict]:
    """The resources of a type, by their names."""
    return {name: resource for name, resource in document["Resources"].items() if resource["Type"] == kind}


def binary_of(function: dict) -> str:
    """The program that a function runs."""
    return function["Metadata"]["BuildProperties"]["Binary"]


def definition_text() -> str:
    return paths.DEFINITION.read_text()


def placeholders() -> set[str]:
    """What the definition wants to be filled in."""
    return set(re.findall(r"\$\{(\w+)\}", definition_text()))


def definition(**values: str) -> dict:
    """The definition with its placeholders filled in, those that are not given with something of the right form."""
    filled = {name: values.get(name, _stand_in(name)) for name in placeholders()}
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda match: filled[match[1]], definition_text()))


def _stand_in(name: str) -> str:
    arn = "arn:aws:{}:us-east-1:000000000000:{}"
    if name.endswith("Function"):
        return arn.format("lambda", f"function:{name}")
    return {
        "TopicArn": arn.format("sns", "topic"),
        "DoneQueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/done",
        "WriteDeadlineSeconds": "3600",
        "StackName": "prospector",
    }[name]


def states(document: dict) -> dict[str, dict]:
    """All states, those of branches too, by their names."""
    found = {}
    for name, state in document["States"].items():
        found[name] = state
        for branch in state.get("Branches", []):
            found |= states(branch)
    return found
