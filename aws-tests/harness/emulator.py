"""The emulator: MiniStack in a process group of its own, IAM enforced, with a gate before it.

Everything, the functions' calls too, goes through the gate (gate.py), which says that it ended TLS, as the bucket's
policy wants, and where faults are injected.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import botocore.config

from . import paths
from .gate import Gate

REGION = "us-east-1"
ACCOUNT = "000000000000"
# The account's root, as the emulator has it.
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
# Delays between retries of the state machine and its Wait states are this much shorter than on AWS.
WAIT_SCALE = 0.02


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Emulator:
    """One emulator, from `start` to `stop`."""

    def __init__(self) -> None:
        self.folder = paths.scratch_folder("emulator")
        self.port = _free_port()
        self.gate = Gate(self.port)
        self.url = self.gate.url
        self._log = open(self.folder / "log.txt", "wb")
        self._process: subprocess.Popen | None = None
        self._clients: dict[str, object] = {}

    def start(self) -> "Emulator":
        self.gate.start()
        for name in ("home", "tmp", "state", "s3"):
            (self.folder / name).mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=self._environment(),
            cwd=self.folder,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_ready(timeout_seconds=60)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._end_group(self._process.pid)
        self.gate.stop()
        self._log.close()
        paths.remove(self.folder)

    @property
    def process_group(self) -> int:
        """The emulator's, which the functions' processes are in."""
        return self._process.pid

    def client(self, service: str):
        """A client of a service, as the account's root."""
        if service not in self._clients:
            self._clients[service] = boto3.session.Session(**CREDENTIALS, region_name=REGION).client(
                service,
                endpoint_url=self.url,
                config=botocore.config.Config(
                    s3={"addressing_style": "path"},
                    retries={"mode": "standard", "max_attempts": 3},
                    max_pool_connections=32,
                ),
            )
        return self._clients[service]

    def log_tail(self, num_lines: int = 60) -> str:
        self._log.flush()
        text = (self.folder / "log.txt").read_text(errors="replace")
        return "\n".join(text.splitlines()[-num_lines:])

    def _environment(self) -> dict[str, str]:
        # The functions inherit it: nothing of the caller's, above all no credentials.
        folder = self.folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "AWS_ENDPOINT_URL": self.gate.url,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent.sock",
            "LAMBDA_EXECUTOR": "local",
            "S3_PERSIST": "0",
            "PERSIST_STATE": "0",
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
            "LOG_LEVEL": "WARNING",
            "AUTH": "true",
            "SFN_WAIT_SCALE": str(WAIT_SCALE),
        }

    def _wait_until_ready(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ministack/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the emulator did not start:\n{self.log_tail()}")

    def _end_group(self, group: int) -> None:
        """Ends the emulator, and with it the functions that it runs."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(timeout=10)
