"""The tables that runs make: the one on DynamoDB that people read, and the one-machine run's, as the same items."""

import json
import os
import sqlite3
import subprocess
from pathlib import Path

from boto3.dynamodb.types import TypeDeserializer

from . import paths
from .deploy import Stack
from .emulator import CREDENTIALS, REGION

# What only the table on DynamoDB has: the keys of its indexes.
_INTERNAL = ("top_", "name_initial", "name_key")
# Which run made an item: another one on each side.
_OF_A_RUN = "run"
_FLAGS = ("neo", "pha")

Items = dict[str, dict[str, object]]


def current(stack: Stack) -> dict:
    """What people are pointed to; empty before the first run."""
    item = _control(stack)
    others = ("lock_", "leftovers")
    return {name: value for name, value in item.items() if not name.startswith(others)} if "run" in item else {}


def lock(stack: Stack) -> dict:
    """Which run is going on; empty if none is."""
    item = _control(stack)
    return {"run": item["lock_run"], "expires_at": item["lock_expires_at"]} if "lock_run" in item else {}


def expire_lock(stack: Stack) -> None:
    """Does what time does to the lock of a run that was stopped."""
    if lock(stack):
        stack.emulator.client("dynamodb").update_item(
            TableName=stack.name,
            Key={"id": {"S": "current"}},
            UpdateExpression="SET lock_expires_at = :then",
            ExpressionAttributeValues={":then": {"N": "0"}},
        )


def _control(stack: Stack) -> dict:
    item = stack.emulator.client("dynamodb").get_item(
        TableName=stack.name, Key={"id": {"S": "current"}}, ConsistentRead=True
    ).get("Item", {})
    return _plain(item)


def bodies_tables(stack: Stack) -> list[str]:
    """The tables of bodies that the stack has."""
    pages = stack.emulator.client("dynamodb").get_paginator("list_tables").paginate()
    return [name for page in pages for name in page["TableNames"] if name.startswith(f"{stack.name}.")]


def read(stack: Stack, table: str | None = None) -> Items:
    """All items of a table, by default of the current one, numbers as doubles."""
    table = table or current(stack)["table"]
    pages = stack.emulator.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [_plain(item) for page in pages for item in page["Items"]]
    return {item["designation"]: _comparable(item) for item in items}


def one_machine(stack: Stack, inputs: str, folder: Path) -> Items:
    """The table that `prospector run` makes of the same input set."""
    database = folder / "bodies.sqlite"
    database.unlink(missing_ok=True)
    command = [paths.PROGRAM, "run", "--inputs", inputs, "--store", f"s3://{stack.outputs['BucketName']}"]
    subprocess.run(
        [*command, "--database", database],
        env=_environment(stack),
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=600,
    )
    connection = sqlite3.connect(database)
    try:
        cursor = connection.execute("SELECT * FROM bodies")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row)) for row in cursor]
    finally:
        connection.close()
    return {row["designation"]: _comparable(row) for row in rows}


def difference(left: Items, right: Items) -> list[str]:
    """The first few items in which two tables differ; empty if they are equal."""
    found = []
    for key in sorted(left.keys() | right.keys()):
        if left.get(key) != right.get(key):
            found.append(f"{key!r}: {left.get(key)} is not {right.get(key)}")
        if len(found) == 5:
            break
    return found


def _environment(stack: Stack) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(stack.emulator.folder / "home"),
        "AWS_ENDPOINT_URL": stack.emulator.url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _plain(item: dict) -> dict:
    decode = TypeDeserializer().deserialize
    return {name: decode(value) for name, value in item.items()}


def _comparable(item: dict) -> dict[str, object]:
    """An item's attributes as both tables can have them."""
    attributes = {}
    for name, value in item.items():
        if value is None or name == _OF_A_RUN or name.startswith(_INTERNAL):
            continue
        if name in _FLAGS:
            attributes[name] = bool(value)
        elif isinstance(value, str):
            attributes[name] = value
        else:
            attributes[name] = float(value)
    return attributes


def report(stack: Stack, run: str) -> dict:
    """A run's report."""
    key = f"runs/{run}/report.json"
    body = stack.emulator.client("s3").get_object(Bucket=stack.outputs["BucketName"], Key=key)["Body"].read()
    return json.loads(body)


def objects(stack: Stack, prefix: str) -> set[str]:
    """The names of the bucket's objects below a prefix."""
    pages = stack.emulator.client("s3").get_paginator("list_objects_v2").paginate(
        Bucket=stack.outputs["BucketName"], Prefix=prefix
    )
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}
