"""The stack: template.yaml as it stands, its code replaced by prebuilt programs, made by CreateStack."""

import hashlib
import io
import json
import platform
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

from . import paths
from .emulator import Emulator
from .template import FUNCTION, STATE_MACHINE, binary_of, resources_of, template

_ARTEFACTS = "artefacts"
# An execution whose tables are small needs no patience.
_PARAMETERS = {"MinRows": "10", "DonePollSeconds": "1", "ScheduleState": "DISABLED", "LogLevel": "info"}


class Stack:
    """A stack on the emulator, and what it is made of."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.emulator = emulator
        self.name = name
        self.outputs: dict[str, str] = {}
        self.resources: dict[str, str] = {}

    def queue_url(self, logical_id: str) -> str:
        return self.resources[logical_id]

    def role_of(self, function: str) -> str:
        """The name of a function's role; `CreateTable` for CreateTableFunction."""
        return self.resources[f"{function}Role"]

    def refresh(self) -> None:
        cloudformation = self.emulator.client("cloudformation")
        stack = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        self.resources = {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }


def deploy(emulator: Emulator, name: str, parameters: dict[str, str]) -> Stack:
    """Makes a stack; fails with the emulator's reasons."""
    _make_bucket(emulator)
    cloudformation = emulator.client("cloudformation")
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    chosen = _PARAMETERS | {"Architecture": architecture} | parameters
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(packaged(emulator)),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    _wait_until_made(emulator, name, timeout_seconds=120)
    stack = Stack(emulator, name)
    stack.refresh()
    _repair_concurrency(stack)
    return stack


def _repair_concurrency(stack: Stack) -> None:
    """Gives the mappings their concurrency again: the emulator keeps a parameter's number as text and stumbles over it."""
    lambdas = stack.emulator.client("lambda")
    for logical_id, physical_id in stack.resources.items():
        if logical_id in ("WriteToDynamoFunctionData", "WriteToDynamoFunctionDone"):
            limit = int(lambdas.get_event_source_mapping(UUID=physical_id)["ScalingConfig"]["MaximumConcurrency"])
            lambdas.update_event_source_mapping(UUID=physical_id, ScalingConfig={"MaximumConcurrency": limit})


def delete(stack: Stack) -> None:
    """Deletes a stack, and waits until it is gone."""
    cloudformation = stack.emulator.client("cloudformation")
    cloudformation.delete_stack(StackName=stack.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def packaged(emulator: Emulator) -> dict:
    """The template with the places of its code and of its definition in the emulator's S3."""
    document = template()
    document["Globals"]["Function"].pop("CodeUri")
    for function in resources_of(document, FUNCTION).values():
        body = _zip_of(paths.BINARIES / binary_of(function))
        function["Properties"]["CodeUri"] = f"s3://{_ARTEFACTS}/{_upload(emulator, body)}"
    for machine in resources_of(document, STATE_MACHINE).values():
        body = paths.DEFINITION.read_bytes()
        machine["Properties"]["DefinitionUri"] = {"Bucket": _ARTEFACTS, "Key": _upload(emulator, body)}
    return document


def _make_bucket(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    if _ARTEFACTS not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=_ARTEFACTS)


def _upload(emulator: Emulator, body: bytes) -> str:
    key = hashlib.sha256(body).hexdigest()
    s3 = emulator.client("s3")
    if s3.list_objects_v2(Bucket=_ARTEFACTS, Prefix=key).get("KeyCount", 0) == 0:
        s3.put_object(Bucket=_ARTEFACTS, Key=key, Body=body)
    return key


def _zip_of(program: Path) -> bytes:
    """The program as the archive's `bootstrap`, without its symbols; kept beside it until it is built again."""
    if not program.exists():
        raise FileNotFoundError(f"{program} is not built: cargo build --package lambdas")
    built = program.stat()
    cached = paths.SCRATCH / "zips" / f"{program.name}-{built.st_mtime_ns}-{built.st_size}.zip"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        for old in cached.parent.glob(f"{program.name}-*"):
            old.unlink(missing_ok=True)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, _stripped(program))
        cached.write_bytes(archive.getvalue())
    return cached.read_bytes()


def _stripped(program: Path) -> bytes:
    with_symbols = program.read_bytes()
    if not with_symbols.startswith(b"\x7fELF") or shutil.which("strip") is None:
        return with_symbols
    folder = paths.scratch_folder("strip")
    try:
        subprocess.run(["strip", "-o", folder / "program", program], check=True, timeout=60)
        return (folder / "program").read_bytes()
    finally:
        paths.remove(folder)


def _wait_until_made(emulator: Emulator, name: str, timeout_seconds: float) -> None:
    cloudformation = emulator.client("cloudformation")
    deadline = time.monotonic() + timeout_seconds
    status = "unknown"
    while time.monotonic() < deadline:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status == "CREATE_COMPLETE":
            return
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.2)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for event in events
        if "FAILED" in event["ResourceStatus"]
    ]
    raise RuntimeError(f"stack {name} is {status}: {reasons}\n{emulator.log_tail(20)}")
