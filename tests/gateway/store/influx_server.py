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
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str]] | str  # a status with headers; or "reset", "hang", "late" (written, but too late)
Rule = Callable[[list[str]], Answer]


def fine(_lines: list[str]) -> Answer:
    return 204, {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    influx: "InfluxServer"

    def do_POST(self) -> None:
        influx, body = self.influx, self.body()
        path = urlsplit(self.path)
        influx.headers.append(dict(self.headers))
        influx.asked.append({name: values[0] for name, values in parse_qs(path.query).items()})
        if path.path == "/api/v2/write":
            influx.write(self, body.decode().split("\n"))
        elif path.path == "/api/v2/query" and influx.query_status != 200:
            answer(self, influx.query_status, {}, {"code": "x", "message": "no Flux here"})
        elif path.path == "/api/v2/query":
            influx.queries.append(json.loads(body)["query"])
            answer(self, 200, {"Content-Type": "text/csv"}, influx.told(influx.queries[-1]))
        elif path.path == "/api/v2/buckets":
            influx.buckets.append(json.loads(body))
            answer(self, 201, {}, {**influx.buckets[-1], "id": "0001"})

    def do_PATCH(self) -> None:
        self.influx.buckets[0].update(json.loads(self.body()))
        answer(self, 200, {}, {**self.influx.buckets[0], "id": "0001"})

    def do_GET(self) -> None:
        influx, path = self.influx, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(path.query).items()}
        listed = [{**bucket, "id": "0001"} for bucket in influx.buckets if bucket["name"] == asked.get("name")]
        if path.path == "/api/v2/buckets" and influx.bucket_status != 200:
            answer(self, influx.bucket_status, {}, {"code": "x", "message": "unsupported path requested"})
        elif asked.get("org") != "o":
            answer(self, 404, {}, {"code": "not found", "message": "organization name not found"})
        elif path.path == "/api/v2/orgs":
            answer(self, 200, {}, {"orgs": [{"id": "000a", "name": "o"}]})
        elif path.path == "/api/v2/buckets" and (listed or influx.lists_its_own):
            own = [{"id": "0009", "name": "_tasks", "type": "system", "retentionRules": []}]
            answer(self, 200, {}, {"buckets": listed + own * influx.lists_its_own})
        else:
            answer(self, 404, {}, {"code": "not found", "message": "not found"})

    def body(self) -> bytes:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def log_message(self, *_: object) -> None: ...


class InfluxServer:
    """`rule` decides each write. `points` is what was taken, by series and time, as in InfluxDB."""

    def __init__(self) -> None:
        self.rule: Rule = fine
        self.points: dict[tuple[str, str], str] = {}
        self.requests: list[list[str]] = []
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.buckets: list[dict[str, object]] = []
        self.bucket_status = self.query_status = 200
        self.lists_its_own = False  # InfluxDB 2.0 shows its own buckets whatever is asked
        self.queries: list[str] = []
        mine = type("Mine", (Handler,), {"influx": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), mine)
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
        elif not isinstance(said, str):
            status, headers = said[0], dict(said[1])
            if status in (201, 204):
                self.take(lines)
            words = headers.pop("message", f"status {status}")
            answer(handler, status, headers, None if status == 204 else {"code": "x", "message": words})

    def take(self, lines: list[str]) -> None:
        for line in lines:
            if line.startswith("#"):
                continue
            series, fields, at = line.split(" ")
            self.points[series, at] = fields

    def told(self, query: str) -> bytes:
        """Annotated CSV, as InfluxDB answers the two queries that we ask."""
        begin, end = (
            round(datetime.fromisoformat(text).timestamp() * 1000)
            for text in re.findall(r"(?:start|stop): (\S+?)[,)]", query)
        )
        return self.counted(query, begin, end) if "count()" in query else self.pivoted(query, begin, end)

    def counted(self, query: str, begin: int, end: int) -> bytes:
        """How many values each series and field has."""
        stations = re.findall(r"r\.station =~ /\^\((.*?)\)\$/", query)[0].split("|")
        counts: Counter[tuple[str, ...]] = Counter()
        for (series, at), fields in self.points.items():
            kind, resource, station = series.split(",")[:3]
            names = kind, resource.removeprefix("resource="), station.removeprefix("station=")
            if begin <= int(at) // 1_000_000 < end and names[2] in stations:
                counts.update((*names, field.partition("=")[0]) for field in fields.split(","))
        return annotated(
            "#datatype,string,long,string,string,string,string,long",
            ["_measurement", "resource", "station", "_field", "_value"],
            [[*names, str(count)] for names, count in sorted(counts.items())],
        )

    def pivoted(self, query: str, begin: int, end: int) -> bytes:
        tags = dict(re.findall(r'r\.(station|resource) == "([^"]*)"', query))
        rows = []
        for (series, at), fields in self.points.items():
            kind, *pairs = series.split(",")
            row = {"type": "", **dict(pair.split("=") for pair in pairs)}
            if begin <= int(at) // 1_000_000 < end and tags.items() <= row.items():
                rows.append(
                    (int(at), {**row, "_measurement": kind, **dict(field.split("=") for field in fields.split(","))})
                )
        texts = ["_measurement", "resource", "station", "type"]
        numbers = sorted({name for _, row in rows for name in row} - set(texts))
        return annotated(
            "#datatype,string,long,dateTime:RFC3339" + ",string" * 4 + ",double" * len(numbers),
            ["_time", *texts, *numbers],
            [
                [rfc3339(at), *(row.get(name, "") for name in (*texts, *numbers))]
                for at, row in sorted(rows, key=itemgetter(0))
            ],
        )

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def annotated(types: str, names: list[str], rows: list[list[str]]) -> bytes:
    lines = [
        types,
        "#group" + ",false" * (2 + len(names)),
        "#default,_result" + "," * (1 + len(names)),
        ",".join(["", "result", "table", *names]),
        *(",".join(["", "", "0", *row]) for row in rows),
    ]
    return "\r\n".join([*lines, "", ""]).encode() if rows else b"\r\n"


def rfc3339(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{at_ns % 10**9:09d}Z"


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
