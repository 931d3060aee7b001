"""The gate before the emulator: an HTTP proxy that passes calls on, and does harm where a rule says so.

A rule is a function of a `Call`. It returns None to let the call pass, or does with it what it wants: answer in the
emulator's place (`Answer`), let it pass and answer something else, hold it back, or kill the function that makes it.
"""

import http.client
import json
import os
import signal
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

# What belongs to one connection and is not passed on.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection", "expect"}


@dataclass
class Answer:
    """What the caller gets."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    # The connection breaks in the middle of it.
    is_cut: bool = False

    @staticmethod
    def error(name: str, message: str, status: int = 400) -> "Answer":
        """An error as the JSON protocols have it: DynamoDB, SQS, Step Functions."""
        body = json.dumps({"__type": f"com.amazonaws#{name}", "message": message}).encode()
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-errortype", name)]
        return Answer(status, body, headers)

    @staticmethod
    def of(document: object) -> "Answer":
        return Answer(200, json.dumps(document).encode(), [("Content-Type", "application/x-amz-json-1.0")])


@dataclass
class Call:
    """A call of a service."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    # The emulator's answer to it; may be asked for more than once, and each time it is done.
    send: Callable[[], Answer]
    # Ends the process that makes the call, as a crash would.
    kill_caller: Callable[[], None]

    @property
    def action(self) -> str:
        """`BatchWriteItem` of a JSON protocol, or `PUT` of S3."""
        for name, value in self.headers:
            if name.lower() == "x-amz-target":
                return value.rsplit(".", 1)[-1]
        return self.method

    @property
    def document(self) -> dict:
        return json.loads(self.body)


class Killed(Exception):
    """The caller is dead: there is nobody to answer."""


Rule = Callable[[Call], Answer | None]


class Gate:
    """A server on loopback before the emulator's port."""

    def __init__(self, emulator_port: int) -> None:
        self.rule: Rule | None = None
        # What the emulator said to calls that were not allowed.
        self.denials: list[str] = []
        self._server = _Server(("127.0.0.1", 0), _handler_class(self, emulator_port))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=10)
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256


def _handler_class(gate: Gate, emulator_port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self._onward: http.client.HTTPConnection | None = None

        def finish(self) -> None:
            if self._onward is not None:
                self._onward.close()
            super().finish()

        def log_message(self, *args) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (ConnectionError, Killed):
                self.close_connection = True

        def _serve(self) -> None:
            body = _body(self)
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP]
            call = Call(
                method=self.command,
                path=self.path,
                headers=headers,
                body=body,
                send=lambda: self._pass_on(headers, body),
                kill_caller=lambda: _kill(self.client_address[1], gate.port),
            )
            rule = gate.rule
            answer = rule(call) if rule is not None else None
            answer = answer if answer is not None else call.send()
            # S3 answers a HEAD without a body.
            if answer.status == 403 or (answer.status == 400 and b"AccessDenied" in answer.body):
                gate.denials.append(f"{call.action} {call.path} {answer.body.decode(errors='replace')}")
            self._answer(answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = _serve

        def _pass_on(self, headers: list[tuple[str, str]], body: bytes) -> Answer:
            try:
                return self._exchange(headers, body)
            except (ConnectionError, http.client.BadStatusLine):
                # The emulator closed a connection that was idle: once more, on a new one.
                self._onward = None
                return self._exchange(headers, body)

        def _exchange(self, headers: list[tuple[str, str]], body: bytes) -> Answer:
            if self._onward is None:
                self._onward = http.client.HTTPConnection("127.0.0.1", emulator_port, timeout=600)
            onward = self._onward
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() != "content-length":
                    onward.putheader(name, value)
            # As a load balancer in whose name TLS is spoken.
            onward.putheader("X-Forwarded-Proto", "https")
            if body or self.command in ("PUT", "POST"):
                onward.putheader("Content-Length", str(len(body)))
            onward.endheaders(body if body else None)
            response = onward.getresponse()
            return Answer(response.status, response.read(), response.getheaders())

        def _answer(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            has_length = False
            for name, value in answer.headers:
                if name.lower() not in _HOP_BY_HOP and (name.lower() != "content-length" or self.command == "HEAD"):
                    has_length = has_length or name.lower() == "content-length"
                    self.send_header(name, value)
            if not has_length:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.is_cut:
                self.wfile.write(answer.body[: len(answer.body) // 2])
                raise ConnectionResetError
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    return Handler


def _body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        pieces = []
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            pieces.append(handler.rfile.read(size))
            handler.rfile.readline()
        while handler.rfile.readline().strip():
            pass
        return b"".join(pieces)
    return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


def _kill(client_port: int, gate_port: int) -> None:
    """Kills the function whose end of the connection has this port."""
    pid = _owner_of(client_port, gate_port)
    if pid is None or pid == os.getpid():
        raise RuntimeError(f"no function is at port {client_port}")
    os.kill(pid, signal.SIGKILL)
    raise Killed


def _owner_of(client_port: int, gate_port: int) -> int | None:
    """The process that has the connection between these ports. One port alone may have several: a connection to
    another server may begin at the same one, and whoever has that must not die for it."""
    inode = None
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(address.split(":")[1], 16) for address in fields[1:3]]
        if ports == [client_port, gate_port] and fields[9] != "0":
            inode = fields[9]
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(link) == f"socket:[{inode}]" for link in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    return None
