"""What the list of 2,000 stations costs: `python -m tests.benchmarks.lists`, processor time of the server a request."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from api.app import create_app
from api.live_view import LiveView
from api.server import bind, serve
from config.schema import Settings
from gateway.base.clock import now_ms
from gateway.runtime.status import Status
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

STATIONS, SECONDS = 2_000, 4
ASKED = {
    "near, 2 km, 20 at most": ("?near={lat:.5f},{lon:.5f}&radius_m=2000&limit=20", ""),
    "one station": ("/s7", ""),
    "all": ("", ""),
    "all, gzip": ("", "Accept-Encoding: gzip\r\n"),
    "all, 304": ("", "If-None-Match: *\r\n"),
}


def settings_in(folder: Path) -> Settings:
    chance = random.Random(1)
    stations = [
        {
            "id": f"s{n}",
            "name": {"zh": f"驿站{n}"},
            "location": {"lat": 22.5 + chance.random() / 2, "lon": 112.5 + chance.random() / 2},
            "areas": [{"id": "hall", "resources": [{"id": f"seat-{k}", "kind": "seat"} for k in range(8)]}],
        }
        for n in range(STATIONS)
    ]
    return Settings.model_validate({"stations": stations, "store": {"path": str(folder)}})


def serving() -> None:
    folder = Path(tempfile.mkdtemp())
    SqliteStore(folder, now_ms(), ballast_mib=0).close()
    settings = settings_in(folder)
    status = Status(connected=True, subscribed=True, store_ok=True, troubles=(), started_at=now_ms())
    view = LiveView(settings.stations, now_ms)
    app = create_app(view, lambda: SqliteReader(folder), settings, lambda: status, registry=CollectorRegistry())
    sock = bind("127.0.0.1", 0)
    sys.stdout.write(f"{sock.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(app, sock, threading.Event(), trusted_proxies="127.0.0.1")


def cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def asked(port: int, query: str, header: str) -> tuple[int, int]:
    """How many answers came over one kept connection, and the length of the last."""
    chance, count, length = random.Random(2), 0, 0
    with socket.create_connection(("127.0.0.1", port)) as line, line.makefile("rb") as answers:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            path = query.format(lat=22.5 + chance.random() / 2, lon=112.5 + chance.random() / 2)
            line.sendall(f"GET /api/v1/stations{path} HTTP/1.1\r\nHost: x\r\n{header}\r\n".encode())
            length = 0
            while head := answers.readline().strip().lower():
                if head.startswith(b"content-length:"):
                    length = int(head.split(b":")[1])
            answers.read(length)
            count += 1
    return count, length


def main() -> None:
    server = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.lists", "serve"], stdout=subprocess.PIPE)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        for name, (query, header) in ASKED.items():
            before = cpu_s(server.pid)
            count, length = asked(port, query, header)
            spent = cpu_s(server.pid) - before
            cost = f"{spent / count * 1e6:6.0f} us a request, {count / spent:7.0f}/s of one core"
            sys.stdout.write(f"{name:24} {cost}, {length} bytes\n")
    finally:
        server.kill()


if __name__ == "__main__":
    serving() if sys.argv[1:] == ["serve"] else main()
