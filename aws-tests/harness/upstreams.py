"""The upstreams, played by a server on loopback: JPL's catalogue and NHATS, Benner's page, the exoplanets."""

import http.server
import json
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

from . import paths

ASTEROIDS = "/jpl/sbdb_query.api"
NHATS = "/jpl/nhats.api"
DELTA_V = "/echo/~lance/delta_v/delta_v.rendezvous.html"
EXOPLANETS = "/archive/TAP/sync"


@dataclass
class Page:
    """What is answered to a path."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    # The connection breaks in the middle of it.
    is_cut: bool = False


def catalogue(num_rows: int, seed: int = 1) -> bytes:
    """A synthetic catalogue, as the SBDB Query API answers."""
    command = [paths.PROGRAM, "generate", "--rows", str(num_rows), "--seed", str(seed), "--format", "json"]
    return subprocess.run(command, check=True, capture_output=True, timeout=600).stdout


def nhats() -> bytes:
    """A table in the form of the NHATS API, of bodies that every generated catalogue has. The figures are made up."""
    rows = [
        {"des": des, "fullname": des, "min_dv": {"dv": dv, "dur": days}, "min_dur": {"dv": "11.9", "dur": 90}}
        for des, dv, days in [("1", "3.5", 354), ("2", "6.2", 370)]
    ]
    return json.dumps({"signature": {"source": "NASA/JPL NHATS Data API"}, "count": "2", "data": rows}).encode()


class Upstreams:
    """All of them on one port. Those that are `down` answer 503, and when to come again if `retry_after` is set."""

    def __init__(self, num_bodies: int, seed: int = 1) -> None:
        self._pages = {
            ASTEROIDS: Page(catalogue(num_bodies, seed)),
            NHATS: Page(nhats()),
            DELTA_V: Page((paths.DATA / "delta-v.html").read_bytes(), kind="text/html"),
            EXOPLANETS: Page((paths.DATA / "exoplanets.csv").read_bytes(), kind="text/csv"),
        }
        self.pages: dict[str, Page] = {}
        self.down: set[str] = set()
        self.retry_after: str | None = None
        # What becomes of a page on its way.
        self.harm: Callable[[str, Page], Page] = lambda _, page: page
        self.restore()
        self.asked: list[str] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler_class(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def parameters(self) -> dict[str, str]:
        """The template's parameters that name them."""
        return {
            "AsteroidsUrl": self.url + ASTEROIDS,
            "DeltaVUrl": self.url + DELTA_V,
            "NhatsUrl": self.url + NHATS,
            "ExoplanetsUrl": self.url + EXOPLANETS,
        }

    def take_down(self) -> None:
        self.down = set(self.pages)

    def restore(self) -> None:
        """As they were at first."""
        self.down = set()
        self.retry_after = None
        self.harm = lambda _, page: page
        self.pages = dict(self._pages)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()


def _handler_class(upstreams: Upstreams) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            upstreams.asked.append(path)
            page = upstreams.pages.get(path, Page(b"not found", 404, "text/plain"))
            is_down = path in upstreams.down
            if is_down:
                page = Page(b"down for maintenance", 503, "text/plain")
            try:
                page = upstreams.harm(path, page)
            except ConnectionError:
                self.close_connection = True
                return
            self.send_response(page.status)
            if is_down and upstreams.retry_after is not None:
                self.send_header("Retry-After", upstreams.retry_after)
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body[: len(page.body) // 2] if page.is_cut else page.body)
            self.close_connection = self.close_connection or page.is_cut

        def log_message(self, *args) -> None:
            pass

    return Handler
