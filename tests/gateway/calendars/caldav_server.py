"""A CalDAV server that answers as it is told: objects by name, with ETags, and statuses of the next requests."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from xml.sax.saxutils import escape


@dataclass
class CaldavServer:
    """`refuses`: statuses of the next PUTs, 0 takes it and breaks the line before the answer; `beside(name)` is done
    before a PUT, as by somebody else who changes the object meanwhile."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    refuses: list[int] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)
    puts: list[tuple[str, str | None, bytes]] = field(default_factory=list)
    zips: bool = False
    logins: set[str | None] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cal/"

    def put(self, name: str, data: bytes) -> None:
        self.objects[name] = data
        self.versions[name] = self.versions.get(name, 0) + 1

    def etag(self, name: str) -> str:
        return f'"{name}-{self.versions[name]}"'

    def multistatus(self, asked: bytes) -> bytes:
        wanted = re.search(rb"<c:text-match[^>]*>(.*?)</c:text-match>", asked)
        responses = (
            f"<d:response><d:href>/cal/{name}</d:href><d:propstat><d:prop><d:getetag>{escape(self.etag(name))}</d:getetag>"
            f"<c:calendar-data>{escape(data.decode())}</c:calendar-data></d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for name, data in self.objects.items()
            if wanted is None or b"UID:" + wanted[1] in data
        )
        head = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        return f"{head}{''.join(responses)}</d:multistatus>".encode()


@contextmanager
def caldav_server() -> Iterator[CaldavServer]:
    server = CaldavServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_REPORT(self) -> None:
            server.logins.add(self.headers["authorization"])
            asked = self.rfile.read(int(self.headers["content-length"]))
            status = server.reports.pop(0) if server.reports else 207
            told = server.multistatus(asked) if status == 207 else b"secret-4711"
            self.answer(status, gzip.compress(told) if server.zips else told)

        def do_PUT(self) -> None:
            name, data = self.path.rpartition("/")[2], self.rfile.read(int(self.headers["content-length"]))
            status = server.refuses.pop(0) if server.refuses else 204
            if status == 412:  # somebody else was quicker
                server.put(name, server.objects[name].replace(b"SUMMARY:", b"SUMMARY:moved "))
            elif status in (0, 204) and self.headers["if-match"] != server.etag(name):
                status = 412
            elif status in (0, 204):
                server.puts.append((name, self.headers["if-match"], data))
                server.put(name, data)
            if status == 0:
                self.connection.close()
                return
            self.answer(status, b"")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.port = http.server_port
    Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
