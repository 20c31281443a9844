"""The small HTTP server for what operators push: strangers, halves, floods."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from firmware_bridge.operators import listener as room
from firmware_bridge.operators.listener import ListenAddress, PushAnswer, PushListener, PushRequest
from tests.patience import until


def echo(request: PushRequest) -> PushAnswer:
    if request.path == ("breaks",):
        raise KeyError("a fault of ours")
    return PushAnswer(200, b"/".join(part.encode() for part in (request.method, *request.path)) + b":" + request.body)


@pytest.fixture
def listening() -> Iterator[PushListener]:
    stop = threading.Event()
    made = PushListener("op", ListenAddress("127.0.0.1", 0, "/ocpi", None), echo, stop)
    thread = threading.Thread(target=made.run)
    thread.start()
    until(lambda: made.bound, "listening")
    yield made
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


@contextlib.contextmanager
def line(listening: PushListener) -> Iterator[socket.socket]:
    assert listening.bound is not None
    with socket.create_connection(listening.bound, 60) as made:
        yield made


def heard(made: socket.socket, end: bytes) -> bytes:
    """All up to `end`, or up to where the other side closes."""
    data = b""
    while not data.endswith(end) and (part := made.recv(65_536)):
        data += part
    return data


def ask(method: str, path: str, body: bytes = b"") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_requests_are_answered_one_after_another_however_they_arrive(listening: PushListener) -> None:
    both = ask("PUT", "/ocpi/a/b%20c?x=1", b"told") + ask("GET", "/ocpi/d")
    with line(listening) as made:
        for at in range(len(both)):
            made.sendall(both[at : at + 1])
        answers = heard(made, b"GET/d:")
    assert b"PUT/a/b c:told" in answers
    assert answers.count(b"HTTP/1.1 200") == 2


def test_who_waits_for_a_word_before_his_body_gets_it(listening: PushListener) -> None:
    with line(listening) as made:
        made.sendall(b"PUT /ocpi/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert heard(made, b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        made.sendall(b"told")
        assert heard(made, b"PUT/a:told").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00" + b"\0" * 200 + b"\r\n\r\n", b"400"),
        (b"GET /ocpi/a HTTP/1.1\r\n" + b"X: " + b"a" * 20_000, b"431"),
        (ask("PUT", "/ocpi/a", b"x" * (room.BODY_MOST + 1)), b"413"),
        (ask("GET", "/elsewhere"), b"404"),
        (ask("GET", "/ocpi/breaks"), b"500"),
        (b"PUT /ocpi/a HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_is_refused(listening: PushListener, sent: bytes, status: bytes) -> None:
    with line(listening) as made:
        with contextlib.suppress(OSError):
            made.sendall(sent)
        assert made.recv(65_536).split()[1] == status
    with line(listening) as made:
        made.sendall(ask("GET", "/ocpi/a"))
        assert heard(made, b"GET/a:")


def test_who_says_nothing_is_let_go_and_too_many_are_not_taken(
    listening: PushListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as lines:
        for _ in range(room.AN_ADDRESS):
            lines.enter_context(line(listening))
        until(lambda: len(listening.lines) == room.AN_ADDRESS, "all of them")
        with line(listening) as one_more, contextlib.suppress(ConnectionResetError):
            assert one_more.recv(1) == b""
    monkeypatch.setattr(room, "REQUEST_S", 0.2)
    with line(listening) as made:
        made.sendall(b"GET /ocpi/a HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert made.recv(1) == b""
    until(lambda: not listening.lines, "nobody is left")
