"""What a supervisor hears: ready, alive as long as every part goes on, stopping."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.base.heart import Heart
from tests.patience import PATIENCE_S


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def test_a_supervisor_hears_when_we_are_ready_live_and_stop(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    beats = iter(range(10**9))
    heart = Heart([lambda: next(beats)])
    heart.begin()
    assert [heard.recv(99) for _ in range(4)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    heart.end()
    while heard.recv(99) != b"STOPPING=1":
        pass


def test_who_hangs_in_one_part_is_not_called_alive() -> None:
    beats = iter(range(10**9))
    hangs = [7]
    heart = Heart([lambda: next(beats), lambda: hangs[0]])
    assert heart.goes_on()
    assert not heart.goes_on()
    hangs[0] = 8
    assert heart.goes_on()


@pytest.mark.parametrize(("usec", "pid"), [("", ""), ("x", ""), ("30000", "1"), ("0", "")])
def test_without_a_watchdog_of_ours_only_the_beginning_and_the_end_are_told(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch, usec: str, pid: str
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    heart = Heart()
    heart.begin()
    heart.end()
    assert [heard.recv(99), heard.recv(99)] == [b"READY=1", b"STOPPING=1"]


def test_without_a_supervisor_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    heart = Heart()
    heart.begin()
    heart.end()
    monkeypatch.setenv("NOTIFY_SOCKET", "/nobody/there")
    heart.begin()
