"""The roles: valid policies, no more than is said here to everything, and each function's none of another's."""

import json

import parliament
import pytest

from harness.template import template

# AWS, "Actions, resources, and condition keys": these have no resource types.
WITHOUT_RESOURCE_TYPES = {
    "states:SendTaskSuccess",
    "states:SendTaskFailure",
    "states:SendTaskHeartbeat",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# SendMessage is the only action of that name on AWS; the emulator knows a SendMessageBatch, too.
PATTERNS = {"sqs:SendMessage*"}
ARNS = {
    "Bucket": "arn:aws:s3:::bucket",
    "ControlTable": "arn:aws:dynamodb:us-east-1:000000000000:table/stack",
    "Topic": "arn:aws:sns:us-east-1:000000000000:topic",
}


def _policies() -> dict[str, dict]:
    """The policy of each role, its references replaced by ARNs."""
    return {
        name: _resolved(policy["PolicyDocument"])
        for name, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"]["Policies"]
    }


def _resolved(value: object) -> object:
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return _arn(value["Ref"])
    if "Fn::GetAtt" in value:
        return _arn(value["Fn::GetAtt"][0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        for name, arn in ARNS.items():
            text = text.replace(f"${{{name}.Arn}}", arn)
        return text
    return {key: _resolved(item) for key, item in value.items()}


def _arn(name: str) -> str:
    if name in ARNS:
        return ARNS[name]
    kinds = {"Queue": "sqs", "Function": "lambda", "Log": "logs"}
    service = next(service for ending, service in kinds.items() if name.endswith(ending))
    place = {"sqs": name, "lambda": f"function:{name}", "logs": f"log-group:/aws/lambda/{name}:*"}[service]
    return f"arn:aws:{service}:us-east-1:000000000000:{place}"


def _list(value: object) -> list:
    return value if isinstance(value, list) else [value]


POLICIES = _policies()


@pytest.mark.parametrize("role", POLICIES)
def a_policy_has_no_finding(role):
    analyzed = parliament.analyze_policy_string(json.dumps(POLICIES[role]))
    findings = [str(finding) for finding in analyzed.findings]
    assert findings == []


@pytest.mark.parametrize("role", POLICIES)
def everything_is_allowed_only_where_aws_has_no_resource_types(role):
    for statement in POLICIES[role]["Statement"]:
        if "*" in _list(statement["Resource"]):
            assert set(_list(statement["Action"])) <= WITHOUT_RESOURCE_TYPES


@pytest.mark.parametrize("role", POLICIES)
def actions_are_named_one_by_one(role):
    for statement in POLICIES[role]["Statement"]:
        for action in _list(statement["Action"]):
            assert "*" not in action or action in PATTERNS, action


def the_bodies_tables_of_another_stack_are_out_of_reach():
    # `stack.*` has a dot, which no stack's name can have: `stack2` and its tables do not match.
    for role, policy in POLICIES.items():
        for statement in policy["Statement"]:
            for resource in _list(statement["Resource"]):
                if ":dynamodb:" in resource:
                    table = ARNS["ControlTable"]
                    assert resource in (table, f"{table}.*", f"{table}.*/index/*"), role


def the_state_machine_invokes_the_functions_of_its_states_and_no_other():
    [functions] = [s for s in POLICIES["StateMachineRole"]["Statement"] if s["Sid"] == "Functions"]
    substitutions = template()["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    invoked = {_arn(value["Fn::GetAtt"][0]) for name, value in substitutions.items() if name.endswith("Function")}
    assert set(functions["Resource"]) == invoked
