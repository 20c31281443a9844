"""Nearly right messages of every action and version: each is answered or left, nothing is raised, nothing grows."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.cards import Cards
from firmware_bridge.devices.base import Heard
from firmware_bridge.ocpp.conversation import Conversation
from firmware_bridge.ocpp.pile import STATUSES, ChargePoint, Plug
from firmware_bridge.ocpp.tokens import TokenDesk
from firmware_bridge.spool import Spool
from gateway.base.mishaps import Mishaps
from tests.firmware_bridge.ocpp.rig import CARD_KEY, COMMAND_KEY
from tests.firmware_bridge.ocpp.test_answers import TABLES, UNANSWERED, sample, schema_of
from tests.firmware_bridge.rig import allowing

NOW = 1_795_000_000_000
PIECES = ('"', "{", "}", "[", "]", ",", "null", "1e999", "-", "\\u0000", "🔌", "true", "2147483648", "-1", "{}", "[]")
NUMBERS = ("0", "-1", "2147483648", "1e308", "99999999999999999999", "0.5", "3")
WORDS = ("", "Ended", "Started", "2026-11-29T13:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "nan",
         "1e400", "Transaction.Begin", "kWh", "L1", "Occupied", "AvailabilityState")  # fmt: skip


class Room:
    """What conversations need, over a real spool."""

    def __init__(self, spool: Spool) -> None:
        self.tokens = TokenDesk(Cards(CARD_KEY, "day"), allowing(), lambda: COMMAND_KEY)
        self.mishaps, self._spool, self.heartbeat_s = Mishaps(), spool, 60

    def keep(self, heard: Heard, done: Callable[[bool], None]) -> None:
        stored = False
        with self.mishaps.contained("keeping"):
            self._spool.put([heard], NOW)
            stored = True
        done(stored)

    def booted(self, talk: Conversation) -> None:
        pass


def changed(rng: random.Random, raw: str) -> str:
    at, way = rng.randrange(len(raw) + 1), rng.randrange(5)
    spots = [spot.span() for spot in re.finditer(r"(?<=[:\[])-?\d[\d.]*" if way else r'(?<=:)"[^"]*"', raw)]
    if way <= 1 and spots:
        begin, end = rng.choice(spots)
        return raw[:begin] + (rng.choice(NUMBERS) if way else json.dumps(rng.choice(WORDS))) + raw[end:]
    if way == 2:
        return raw[:at] + rng.choice(PIECES) + raw[at:]
    return raw[:at] + raw[at + rng.randint(1, 8) :] if way == 3 else raw[:at] + raw[max(0, at - 20) :]


@pytest.mark.parametrize("frames", [3_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_no_message_breaks_anything(tmp_path: Path, frames: int) -> None:
    spool, rng, answers = Spool(tmp_path, 1 << 22), random.Random(frames), list[bytes]()
    spool._db.execute("PRAGMA synchronous=OFF")
    room = Room(spool)
    right = []
    for version, table in TABLES.items():
        plugs = Plug("a", None, 1), Plug("b", None, 2)
        talk = Conversation(ChargePoint("CP001", plugs, version), room, answers.append, lambda: None)
        for action in table.keys() - {UNANSWERED}:
            schema = schema_of(version, action)
            right.append((talk, json.dumps([2, "m", action, sample(schema, schema)])))
    right.sort(key=lambda message: message[1])  # a set has no order
    for _ in range(frames):
        talk, raw = rng.choice(right)
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            raw = changed(rng, raw)
        talk.hear(raw.encode("utf-8", "surrogatepass"))
        if len(answers) > 1_000:
            assert all(json.loads(answer)[0] in (2, 3, 4) for answer in answers)
            answers.clear()
    assert room.mishaps.count == 0
    told = [row for device in ("a", "b") for row in spool.after(device, 0, 10_000)]
    assert told
    assert {row.signals["status"] for row in told if "status" in row.signals} <= STATUSES
    spool.close()
