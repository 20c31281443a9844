"""An app's server: what it was sent, and how it answers."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hit:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        body = json.loads(self.body)
        assert isinstance(body, dict)
        return body

    def signed_by(self, secret: str) -> bool:
        """Whether any of its signatures is right, as Standard Webhooks has it."""
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
        return right in self.headers["webhook-signature"].split(" ")


@dataclass
class AppServer:
    """`answers` are the statuses of the next requests, by path; then 204. A path in `hangs` is not answered before its
    event is set."""

    url: str = ""
    hits: list[Hit] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hangs: dict[str, threading.Event] = field(default_factory=dict)

    def at(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path == path]


@contextmanager
def app_server() -> Iterator[AppServer]:
    app = AppServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            waiting = app.answers.get(self.path, [])
            status = waiting.pop(0) if waiting else 204
            headers = {name.lower(): value for name, value in self.headers.items()}
            app.hits.append(Hit(self.path, headers, body))
            if self.path in app.hangs:
                app.hangs[self.path].wait(60)
            self.send_response(status)
            for name, value in app.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            with suppress(OSError):  # who waited in vain is gone
                self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
