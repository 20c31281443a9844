"""What connects and is no request: too long, too slow, too many, or nonsense."""

import json
import logging
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.connections import ConnectionBounds, ConnectionDoor, Seldom, bounds_of_this_process
from tests.api.conftest import House, serving
from tests.patience import until

BOUNDS = ConnectionBounds(total=12, per_address=4, head_bytes=4096, head_s=0.5, body_s=0.5, stalled_s=0.5)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path, bounds=BOUNDS)


def connect(house: House) -> socket.socket:
    host, port = house.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def rest(sock: socket.socket) -> bytes:
    """Everything until the server closes; it has to."""
    received = b""
    try:
        while more := sock.recv(65_536):
            received += more
    except ConnectionError:
        pass
    return received


def test_a_silent_connection_is_closed(own: House) -> None:
    with connect(own) as sock:
        assert rest(sock).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_never_ends_is_closed_by_its_time(own: House) -> None:
    with connect(own) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert rest(sock).startswith(b"HTTP/1.1 408 ")


def test_the_second_request_of_a_connection_has_a_time_limit_too(own: House) -> None:
    with connect(own) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHos")
        assert b" 408 " in rest(sock)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 5000,
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 3000,
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_head_beyond_its_size_is_431_and_the_end(own: House, head: bytes) -> None:
    with connect(own) as sock:
        sock.sendall(head)
        answer = rest(sock)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 431


def test_a_body_that_never_comes_is_closed_by_its_time(own: House) -> None:
    with connect(own) as sock:
        sock.sendall(b"POST /api/v1/stations/yanshan/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        rest(sock)


def test_an_answer_without_a_length_has_no_chunks_for_who_speaks_http_1_0(own: House) -> None:
    own.view.get("yanshan")
    with connect(own) as sock:
        sock.sendall(b"GET /api/v1/stream?station=yanshan HTTP/1.0\r\n\r\n")
        received = b""
        while b"event: snapshot" not in received:
            more = sock.recv(65_536)
            assert more, received
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        assert b"chunked" not in head
        assert body.startswith(b"retry: ")
    with connect(own) as sock:
        sock.sendall(b"GET /api/v1/stations HTTP/1.0\r\n\r\n")
        head, _, body = rest(sock).partition(b"\r\n\r\n")
        assert b"connection: close" in head
        assert json.loads(body)["stations"]


def test_what_is_no_http_gets_a_problem_document(own: House) -> None:
    with connect(own) as sock:
        sock.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        answer = rest(sock)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 400


def test_beyond_the_total_the_door_is_shut_and_opens_again(tmp_path: Path) -> None:
    running = serving(tmp_path, bounds=ConnectionBounds(total=4))
    house = next(running)
    with ExitStack() as stack:
        held = [stack.enter_context(connect(house)) for _ in range(4)]
        with connect(house) as sock:
            answer = rest(sock)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in answer
        held[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held[0].recv(65_536).startswith(b"HTTP/1.1 200 ")
    until(lambda: house.get("/healthz").status_code == 200)
    running.close()


def test_one_address_has_so_many_connections_and_proxies_and_this_machine_any() -> None:
    class One:
        customer: str | None = None

    door = ConnectionDoor(ConnectionBounds(total=100, per_address=2), "127.0.0.1,::1,10.9.0.0/16")
    first = One()
    assert door.enter(first, "203.0.113.7") is None  # type: ignore[arg-type]
    assert door.enter(One(), "203.0.113.7") is None  # type: ignore[arg-type]
    assert "one address" in (door.enter(One(), "203.0.113.7") or "")  # type: ignore[arg-type]
    assert door.enter(One(), "203.0.113.8") is None  # type: ignore[arg-type]
    for host in ("127.0.0.1", "10.9.1.1"):
        assert [door.enter(One(), host) for _ in range(5)] == [None] * 5  # type: ignore[arg-type]
    door.leave(first)  # type: ignore[arg-type]
    door.leave(first)  # type: ignore[arg-type]
    assert door.enter(One(), "203.0.113.7") is None  # type: ignore[arg-type]


def test_a_kind_of_nonsense_is_one_line_a_minute() -> None:
    held, told = Seldom(), []
    for second in range(0, 180, 3):
        record = logging.LogRecord(
            "uvicorn.error", logging.WARNING, "", 0, "Invalid HTTP request received.", None, None
        )
        record.created = 1000.0 + second
        if held.filter(record):
            told.append(record.getMessage())
    assert told == [
        "Invalid HTTP request received.",
        "Invalid HTTP request received. (19 more since the last such line)",
        "Invalid HTTP request received. (19 more since the last such line)",
    ]


FEW_FILES = """
import resource, sys, threading
from pathlib import Path
soft = 64
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
import logging
logging.basicConfig(stream=sys.stderr)
from tests.api.conftest import serving
running = serving(Path(sys.argv[1]))
house = next(running)
print(house.url, flush=True)
sys.stdin.read()
running.close()
"""


def test_too_many_open_files_never_stop_the_server_nor_flood_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, subprocess.Popen(
        [sys.executable, "-c", FEW_FILES, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        host, port = process.stdout.readline().strip().removeprefix("http://").split(":")

        def alive() -> bool:
            try:
                with socket.create_connection((host, int(port)), timeout=60) as sock:
                    sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                    return sock.recv(65_536).startswith(b"HTTP/1.1 200 ")
            except OSError:
                return False

        with ExitStack() as stack:
            for _ in range(150):
                stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            until(lambda: not alive())
        until(alive)
        process.stdin.close()
        assert process.wait(60) == 0
    assert len((tmp_path / "log").read_text().splitlines()) < 20


@pytest.mark.parametrize(("files", "total"), [(100_000, 16_384), (resource.RLIM_INFINITY, 16_384), (1_024, 768)])
def test_as_many_connections_as_files_leave_room_for(monkeypatch: pytest.MonkeyPatch, files: int, total: int) -> None:
    monkeypatch.setattr("api.connections.resource.getrlimit", lambda _: (files, files))
    bounds = bounds_of_this_process()
    assert (bounds.total, bounds.per_address, bounds.head_bytes) == (total, 512, 32_768)
    assert (bounds.head_s, bounds.body_s, bounds.stalled_s) == (10, 60, 30)
