"""A stand-in for InfluxDB 2: real HTTP on loopback, with answers written down beforehand."""

import contextlib
import gzip
import http.server
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str]] | str  # a status with headers; or "reset", "hang", "late" (written, but too late)
Rule = Callable[[list[str]], Answer]


def fine(_lines: list[str]) -> Answer:
    return 204, {}


class InfluxServer:
    """`rule` decides each write. `points` is what was taken, by series and time, as in InfluxDB."""

    def __init__(self) -> None:
        self.rule: Rule = fine
        self.points: dict[tuple[str, str], str] = {}
        self.requests: list[list[str]] = []
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.buckets: list[dict[str, object]] = []
        self.bucket_status = 200
        self.queries: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                path = urlsplit(self.path)
                outer.headers.append(dict(self.headers))
                outer.asked.append({name: values[0] for name, values in parse_qs(path.query).items()})
                if path.path == "/api/v2/write":
                    outer.write(self, body.decode().split("\n"))
                elif path.path == "/api/v2/query":
                    outer.queries.append(json.loads(body)["query"])
                    answer(self, 200, {"Content-Type": "text/csv"}, outer.pivoted(outer.queries[-1]))
                elif path.path == "/api/v2/buckets":
                    outer.buckets.append(json.loads(body))
                    answer(self, 201, {}, {**outer.buckets[-1], "id": "0001"})

            def do_PATCH(self) -> None:
                change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.buckets[0].update(change)
                answer(self, 200, {}, {**outer.buckets[0], "id": "0001"})

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                if path == "/api/v2/orgs":
                    answer(self, 200, {}, {"orgs": [{"id": "000a", "name": "o"}]})
                elif path == "/api/v2/buckets" and outer.bucket_status != 200:
                    answer(self, outer.bucket_status, {}, {"code": "x", "message": "unsupported path requested"})
                elif path == "/api/v2/buckets":
                    answer(self, 200, {}, {"buckets": [{**one, "id": "0001"} for one in outer.buckets]})
                else:
                    answer(self, 404, {}, {"code": "not found", "message": "no such path"})

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def write(self, handler: http.server.BaseHTTPRequestHandler, lines: list[str]) -> None:
        self.requests.append(lines)
        said = self.rule(lines)
        if said == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
        elif said in ("hang", "late"):
            if said == "late":
                self.take(lines)
            time.sleep(1.5)
            handler.close_connection = True
        else:
            status, headers = said
            if status in (201, 204):
                self.take(lines)
            answer(handler, status, headers, None if status == 204 else {"code": "x", "message": f"status {status}"})

    def take(self, lines: list[str]) -> None:
        for line in lines:
            if line.startswith("#"):
                continue
            series, fields, at = line.split(" ")
            self.points[series, at] = fields

    def pivoted(self, query: str) -> bytes:
        """Annotated CSV, as InfluxDB answers the one query that we ask."""
        begin, end = (
            round(datetime.fromisoformat(text).timestamp() * 1000)
            for text in re.findall(r"(?:start|stop): (\S+?)[,)]", query)
        )
        tags = dict(re.findall(r'r\.(station|resource) == "([^"]*)"', query))
        rows = []
        for (series, at), fields in self.points.items():
            kind, *pairs = series.split(",")
            row = {"type": "", **dict(pair.split("=") for pair in pairs)}
            if begin <= int(at) // 1_000_000 < end and tags.items() <= row.items():
                rows.append(
                    (int(at), {**row, "_measurement": kind, **dict(one.split("=") for one in fields.split(","))})
                )
        texts = ["_measurement", "resource", "station", "type"]
        numbers = sorted({name for _, row in rows for name in row} - set(texts))
        lines = [
            "#datatype,string,long,dateTime:RFC3339" + ",string" * 4 + ",double" * len(numbers),
            "#group" + ",false" * (7 + len(numbers)),
            "#default,_result" + "," * (6 + len(numbers)),
            ",".join(["", "result", "table", "_time", *texts, *numbers]),
        ]
        for at, row in sorted(rows, key=itemgetter(0)):
            time = datetime.fromtimestamp(at // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds")
            lines.append(",".join(["", "", "0", time, *(row.get(name, "") for name in (*texts, *numbers))]))
        return "\r\n".join([*lines, "", ""]).encode() if rows else b"\r\n"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(handler: http.server.BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: object) -> None:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(data))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    with contextlib.suppress(OSError):
        handler.wfile.write(data)


@contextlib.contextmanager
def influx_server() -> Iterator[InfluxServer]:
    server = InfluxServer()
    try:
        yield server
    finally:
        server.stop()
