"""An InfluxDB 2 that lies in bed: real HTTP, every answer of the handling table at random, and an exact memory.

    python -m tests.e2e.copying.faulty_influx SEED POISON_EVERY POISON_UPTO

Prints its port. `POST /mode/away|faulty|fine` says how it is; `GET /points` tells what it holds. As in InfluxDB a point
is a series and a time; writing it again changes nothing. Of the piles' rows up to number POISON_UPTO one in
POISON_EVERY is refused for good.
"""

import contextlib
import gzip
import http.server
import json
import random
import re
import socket
import struct
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable

HANG_S = 1.5  # longer than the gateway's time-out
FAULT_SHARE = 0.1  # of requests, once every fault was had

# What it says, with which header, and which share of the rows it takes nevertheless.
FAULTS: dict[str, tuple[int, dict[str, str], float]] = {
    "503": (503, {}, 0), "503 with Retry-After": (503, {"Retry-After": "0"}, 0), "429": (429, {"Retry-After": "0"}, 0),
    "500": (500, {}, 0), "502 after the write": (502, {}, 1), "401": (401, {}, 0), "404": (404, {}, 0),
    "400": (400, {}, 0), "400 partial write": (400, {}, 0.5), "422 partial write": (422, {}, 0.5), "413": (413, {}, 0),
    "hang": (0, {}, 0), "hang after the write": (0, {}, 1), "reset": (-1, {}, 0), "reset after the write": (-1, {}, 1),
}  # fmt: skip
ONLY_OF_MANY = ("400", "413", "422")  # who says that to a single good row refuses it


class Influx:
    def __init__(self, seed: int, poison_every: int, poison_upto: int) -> None:
        self.mode = "away"
        self.points: dict[bytes, dict[int, int]] = {}
        self.changed = 0  # points that were written again, and otherwise
        self.faults: Counter[str] = Counter()
        self._poison_every, self._poison_upto = poison_every, poison_upto
        self._rng = random.Random(seed)
        self._deck = self._rng.sample(list(FAULTS), len(FAULTS))
        self._turn = 0
        self._lock = threading.Lock()

    def fault(self, rows: int) -> str | None:
        """Which trouble this request has; first each of them once, every other time."""
        if self.mode == "away":
            return "503"
        if self.mode == "fine":
            return None
        self._turn += 1
        if self._deck:
            name = self._deck.pop() if self._turn % 2 else None
        else:
            name = self._rng.choice(list(FAULTS)) if self._rng.random() < FAULT_SHARE else None
        if name is not None and name.startswith(ONLY_OF_MANY) and rows == 1:
            return None
        return name

    def poisoned(self, line: bytes) -> bool:
        number = int(line[-6:]) if line.startswith(b"charger") else 0
        return number % self._poison_every == 1 and number <= self._poison_upto

    def take(self, lines: list[bytes], share: float) -> bool:
        """Keep that share of the rows, but none that is poisoned. True if there was such a one."""
        good = [line for line in lines if not self.poisoned(line)]
        with self._lock:
            for line in good[: round(len(good) * share)]:
                head, _, rest = line.partition(b" ")
                at, crc = int(rest.rpartition(b" ")[2]), zlib.crc32(line)
                self.changed += self.points.setdefault(head, {}).setdefault(at, crc) != crc
        return len(good) < len(lines)

    def told(self) -> dict[str, object]:
        with self._lock:
            return {
                "rows": sum(map(len, self.points.values())),
                "digest": sum(sum(series.values()) for series in self.points.values()),
                "changed": self.changed, "faults": self.faults,
            }  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    influx: Influx

    def do_GET(self) -> None:
        self.answer(200, {}, json.dumps(self.influx.told()).encode())

    def do_POST(self) -> None:
        mode = re.fullmatch("/mode/([a-z]+)", self.path)
        if mode:
            self.influx.mode = mode[1]
            self.answer(204, {})
            return
        lines = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"]))).split(b"\n")
        name = self.influx.fault(len(lines))
        if name is None:
            poisoned = self.influx.take(lines, 1)
            self.answer(*((400, {}, b'{"message":"partial write"}') if poisoned else (204, {}, b"")))
            return
        self.influx.faults[name] += 1
        status, headers, share = FAULTS[name]
        self.influx.take(lines, share)
        if status > 0:
            self.answer(status, headers, b'{"message":"no"}')
            return
        self.close_connection = True
        if status == 0:
            time.sleep(HANG_S)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    log_message: Callable[..., None] = lambda *_: None


def main() -> None:
    Handler.influx = Influx(*map(int, sys.argv[1:]))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
