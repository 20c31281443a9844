"""A small web server for made-up platforms, which can misbehave: `fault` is how it answers everything."""

import threading
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

WebFault = Literal[
    "", "error", "garbage", "slow", "endless", "huge", "deep", "redirect", "closes", "no_length", "wrong_type"
]


class WebQuestion(NamedTuple):
    """`target` is path and query; headers by their names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class WebReply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class WebServer:
    """`answer` is called on threads of its own; `asked` are the questions so far, the last thousand."""

    def __init__(self, answer: Callable[[WebQuestion], WebReply], port: int = 0, tls: SSLContext | None = None) -> None:
        self.fault: WebFault = ""
        self.asked: list[WebQuestion] = []
        self._ended = threading.Event()
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler(answer))
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self._server = server
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def end(self) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, answer: Callable[[WebQuestion], WebReply]) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # he has gone

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                question = WebQuestion(self.command, self.path, headers, body)
                owner.asked = [*owner.asked[-999:], question]
                owner.misbehave(self) if owner.fault else self.say(answer(question))

            def say(self, reply: WebReply) -> None:
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815  as http.server calls them

        return Handler

    def misbehave(self, line: BaseHTTPRequestHandler) -> None:
        match self.fault:
            case "slow" | "endless":
                line.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" if self.fault == "endless" else b"HTTP/1.1 200 OK\r\nX-A: ")
                while not self._ended.wait(0.01 if self.fault == "slow" else 0.0):
                    line.wfile.write(b"a" * (1 if self.fault == "slow" else 65_536))
            case "closes":
                line.connection.close()
            case _:
                status, body = {
                    "error": (500, b"no"),
                    "garbage": (200, b'{"status_code": 1000, "data": \xff\xfe'),
                    "huge": (200, b'"' + b"x" * (9 << 20) + b'"'),
                    "deep": (200, b'{"status_code":1000,"data":' + b"[" * 200_000),
                    "redirect": (302, b""),
                    "no_length": (200, b"{}"),
                    "wrong_type": (200, b'{"status_code":1000,"data":{"endpoints":7},"Ret":"x","Data":[]}'),
                }[self.fault]
                line.send_response(status)
                if status == 302:
                    line.send_header("Location", "http://169.254.169.254/latest/")
                line.end_headers()
                line.wfile.write(body)


def called(
    method: str, url: str, headers: dict[str, str], body: bytes | str | None, trusts: SSLContext | None
) -> tuple[int, bytes]:
    """HTTP status and body of what a partner says; `trusts` is how its TLS is verified."""
    parts = urlsplit(url)
    line = (
        HTTPSConnection(parts.netloc, timeout=30, context=trusts)
        if parts.scheme == "https"
        else HTTPConnection(parts.netloc, timeout=30)
    )
    try:
        line.request(method, parts.path, body, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()
