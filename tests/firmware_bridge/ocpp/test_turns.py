"""TLS handshakes: some at once, the others in turn, and who has left costs nothing."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.ocpp import turns
from firmware_bridge.ocpp.turns import PATIENCE_S, STALLED_S, WAITING_S, HandshakeTurns
from tests.firmware_bridge.ocpp.rig import central, dial, port_of
from tests.patience import until


class Link:
    def __init__(self) -> None:
        self.begun = self.dropped = False

    def begin(self) -> None:
        self.begun = True

    def drop(self) -> None:
        self.dropped = True


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def run(loop: asyncio.AbstractEventLoop) -> None:
    for _ in range(50):
        loop.run_until_complete(asyncio.sleep(0))


def begun(links: list[Link]) -> list[int]:
    return [number for number, link in enumerate(links) if link.begun]


@pytest.fixture
def five(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> tuple[HandshakeTurns, list[Link]]:
    """Two may be under way, five have asked."""
    monkeypatch.setattr(turns, "AT_ONCE", 2)
    monkeypatch.setattr(turns, "monotonic_s", lambda: 100.0)
    made, links = HandshakeTurns(loop), [Link() for _ in range(5)]
    for link in links:
        made.ask(link)
    run(loop)
    return made, links


def test_who_has_waited_longest_is_next_but_for_those_who_will_have_given_up(
    loop: asyncio.AbstractEventLoop, five: tuple[HandshakeTurns, list[Link]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, links = five
    assert begun(links) == [0, 1]
    made.done(links[0])
    run(loop)
    assert begun(links) == [0, 1, 2]
    monkeypatch.setattr(turns, "monotonic_s", lambda: 100.0 + PATIENCE_S)
    links.append(Link())
    made.ask(links[5])
    made.done(links[1])
    run(loop)
    assert begun(links) == [0, 1, 2, 5]
    made.done(links[2])
    run(loop)
    assert begun(links) == [0, 1, 2, 4, 5]


def test_who_leaves_while_it_waits_is_not_begun(
    loop: asyncio.AbstractEventLoop, five: tuple[HandshakeTurns, list[Link]]
) -> None:
    made, links = five
    made.done(links[2])
    made.done(links[1])
    run(loop)
    assert begun(links) == [0, 1, 3]


def test_one_that_does_not_answer_holds_no_place_and_who_waits_too_long_goes(
    loop: asyncio.AbstractEventLoop, five: tuple[HandshakeTurns, list[Link]]
) -> None:
    made, links = five
    made.look(100 + STALLED_S + 1)
    run(loop)
    assert begun(links) == [0, 1, 2, 3]
    made.look(100 + WAITING_S + 1)
    assert [link.dropped for link in links] == [False, False, False, False, True]


def test_a_pile_that_waits_for_its_turn_is_not_taken_for_one_that_says_nothing(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    monkeypatch.setattr(turns, "STALLED_S", 2.0)
    monkeypatch.setattr("firmware_bridge.ocpp.central.HANDSHAKE_S", 1.0)
    monkeypatch.setattr("firmware_bridge.ocpp.central.IDLE_S", 0.1)
    monkeypatch.setattr("firmware_bridge.ocpp.central.UNPROVEN", 1)
    monkeypatch.setattr("firmware_bridge.ocpp.central.LOOK_S", 0.1)
    tls: dict[str, Any] = {
        "port": "wss://127.0.0.1:0/ocpp", "cert_file": authority / "box.pem", "key_file": authority / "box.key",
        "allow_unauthenticated": True,
    }  # fmt: skip
    context = ssl.create_default_context(cafile=str(authority / "ca.pem"))
    with central(tmp_path, **tls) as (bus, _, address):
        hello = socket.create_connection(("127.0.0.1", port_of(address)))
        hello.sendall(b"\x16\x03\x01\x02\x00")  # begins, and says no more
        until(lambda: bus._turns._underway, "it is under way")
        with dial(address, ssl=context, open_timeout=60) as pile:
            assert "currentTime" in pile.call("Heartbeat", {})
        hello.close()
