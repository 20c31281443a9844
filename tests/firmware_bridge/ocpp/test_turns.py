"""TLS handshakes: some at once, the others in turn, and who has left costs nothing."""

import asyncio
import random
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from firmware_bridge.ocpp import turns
from firmware_bridge.ocpp.crowd import Crowd
from firmware_bridge.ocpp.link import PileLink
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


class Town:
    """2,000 piles that dial at one moment, give up after ten seconds and dial again within five, and a box that makes
    thirty handshakes a second: seconds pass in steps of one handshake."""

    HANDSHAKE_S, GIVE_UP_S = 1 / 30, 10.0

    def __init__(self, loop: asyncio.AbstractEventLoop, piles: int) -> None:
        self.loop, self.rng, self.now_s = loop, random.Random(7), 0.0
        self.turns = HandshakeTurns(loop)
        self.redials: list[float] = [0.0] * piles  # when each that is not there dials
        self.dialled: dict[Link, float] = {}
        self.made: deque[Link] = deque()  # under way, in the order of their beginning
        self.inside = self.given_up = 0

    def pass_one(self) -> None:
        self.now_s += self.HANDSHAKE_S
        due = [moment for moment in self.redials if moment <= self.now_s]
        self.redials = [moment for moment in self.redials if moment > self.now_s]
        for _ in due:
            link = Link()
            self.dialled[link] = self.now_s
            self.turns.ask(link)
        for link in [link for link, at in self.dialled.items() if self.now_s - at >= self.GIVE_UP_S]:
            del self.dialled[link]
            self.turns.done(link)
            self.given_up += 1
            self.redials.append(self.now_s + self.rng.uniform(1, 5))
        run(self.loop)
        begun = set(self.made)
        self.made.extend(link for link in self.dialled if link.begun and link not in begun)
        while self.made and self.made[0] not in self.dialled:
            self.made.popleft()  # it has given up: nothing is done for it
        if self.made:
            link = self.made.popleft()
            del self.dialled[link]
            self.turns.done(link)
            self.inside += 1


def test_of_a_crowd_beyond_what_the_box_can_do_in_their_patience_all_get_in(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(loop, 600)
    monkeypatch.setattr(turns, "monotonic_s", lambda: town.now_s)
    while town.inside < 600:
        town.pass_one()
        assert town.now_s < 600 / 30 * 1.3, f"{town.inside} in, {town.given_up} dials given up"


def test_who_waits_for_us_is_not_taken_for_one_that_says_nothing() -> None:
    crowd, waits, idle = Crowd(), *(PileLink(*3 * (cast("Any", None),)) for _ in range(2))
    for link in (waits, idle):
        link.opened_at = link.bytes_at = 0.0
        crowd.add(link)
    waits.waits = True
    assert crowd.idle_since(5.0) is idle
    assert crowd.opened_before(5.0) == [idle]


def test_a_pile_gets_its_turn_though_another_begins_and_says_no_more(
    tmp_path: Path, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    monkeypatch.setattr(turns, "STALLED_S", 1.0)
    monkeypatch.setattr("firmware_bridge.ocpp.entrance.HANDSHAKE_S", 60.0)
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
