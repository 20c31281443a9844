"""Many browsers on one worker: CPU of the server, delay of delivery, and what becomes of readers that stall.

    .venv/bin/python -m tests.benchmarks.sse [--clients 1000] [--stalled 200] [--rate 10] [--seconds 10]

The server runs in a process of its own with the real application; a thread feeds it documents that carry the time
of their making. The clients are bare asyncio protocols. Result: one JSON line.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

TICK_S = os.sysconf("SC_CLK_TCK")
STATION = "bench"
REQUEST = f"GET /api/v1/stream?station={STATION} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def serve_app(port: Any, rate: float, seats: int) -> None:
    """The server process: `rate` changes a second of a station with so many seats."""
    from dataclasses import replace

    from prometheus_client import CollectorRegistry

    from api.app import create_app
    from api.live_view import LiveView
    from api.server import bind, serve
    from config.schema import Settings
    from gateway.base.clock import now_ms
    from gateway.live.station_document import blank, encoded
    from gateway.runtime.status import Status
    from gateway.store.reader import SqliteReader

    resources = [{"id": f"seat-{at}", "kind": "seat"} for at in range(seats)]
    settings = Settings.model_validate({"stations": [{"id": STATION, "areas": [{"id": "a", "resources": resources}]}]})
    view = LiveView(settings.stations, now_ms)
    stop = threading.Event()

    def feed() -> None:
        while not stop.wait(1 / rate):
            made = f'"made_ns":{time.monotonic_ns()},'.encode()
            document = encoded(blank(settings.stations[0], now_ms()), now_ms())
            view.feed_threadsafe([replace(document, body=b"{" + made + document.body[1:])])

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(
            view, lambda: SqliteReader(Path(folder)), settings, lambda: Status(True, True, True, (), 0),
            registry=CollectorRegistry(),
        )  # fmt: skip
        sock = bind("127.0.0.1", 0)
        port.send(sock.getsockname()[1])
        threading.Thread(target=feed, daemon=True).start()
        serve(app, sock, stop, trusted_proxies="127.0.0.1")


class Reader(asyncio.Protocol):
    """One client that reads all. The delay counts to the moment at which its bytes are here."""

    def __init__(self, delays_ms: list[float]) -> None:
        self._delays_ms = delays_ms

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        at = data.find(b'"made_ns":')
        if at >= 0:
            made_ns = int(data[at + 10 : data.index(b",", at)])
            self._delays_ms.append((time.monotonic_ns() - made_ns) / 1e6)


async def listen(port: int, delays_ms: list[float], until: float) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: Reader(delays_ms), "127.0.0.1", port)
    await asyncio.sleep(until - time.monotonic())
    transport.close()


def stall(port: int, count: int) -> list[socket.socket]:
    """Clients that ask and never read, with the kernel's usual buffers."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    for sock in sockets:
        sock.sendall(REQUEST)
    return sockets


def usage(pid: int) -> tuple[float, float, int]:
    """CPU seconds, RSS in MiB and open files of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    rss_mib = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return (int(fields[11]) + int(fields[12])) / TICK_S, rss_mib, len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def measure(port: int, pid: int, args: argparse.Namespace) -> dict[str, float]:
    """Stalled readers first, then the others; delays and CPU are counted once everybody has its snapshot."""
    delays_ms: list[float] = []
    stalled, stalled_at = stall(port, args.stalled), time.monotonic()
    warm = stalled_at + 2 + args.clients / 500
    clients = [asyncio.create_task(listen(port, delays_ms, warm + args.seconds)) for _ in range(args.clients)]
    freed = asyncio.create_task(all_freed(pid, args.stalled, warm))
    await asyncio.sleep(warm - time.monotonic())
    delays_ms.clear()
    cpu_before, begin = usage(pid)[0], time.monotonic()
    await asyncio.wait(clients)
    cpu = (usage(pid)[0] - cpu_before) / (time.monotonic() - begin)
    rss_mib = usage(pid)[1]
    freed_at = await freed
    for sock in stalled:
        sock.close()
    delays_ms.sort()
    return {
        "clients": args.clients, "changes_per_s": args.rate, "delivered": len(delays_ms),
        "server_cpu_share": round(cpu, 3), "p50_ms": round(delays_ms[len(delays_ms) // 2], 1),
        "p99_ms": round(delays_ms[len(delays_ms) * 99 // 100], 1),
        "stalled": args.stalled, "freed_after_s": round(freed_at - stalled_at, 1), "server_rss_mib": round(rss_mib, 1),
    }  # fmt: skip


async def all_freed(pid: int, count: int, warm: float) -> float:
    """When the server had closed as many files as there were stalled readers; infinite if it kept any for 40 s."""
    await asyncio.sleep(warm - time.monotonic())
    files = usage(pid)[2]
    for _ in range(400):
        if usage(pid)[2] <= files - count:
            return time.monotonic()
        await asyncio.sleep(0.1)
    return float("inf")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--stalled", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seats", type=int, default=10)
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve_app, args=(theirs, args.rate, args.seats))
    server.start()
    try:
        print(json.dumps(asyncio.run(measure(ours.recv(), server.pid or 0, args))))
    finally:
        os.kill(server.pid or 0, signal.SIGTERM)
        server.join(5)
        print(f"server ended with {server.exitcode}")


if __name__ == "__main__":
    main()
