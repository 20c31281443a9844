"""Sensors of one entrance that can't all be right are told once a day, and not before the day is counted."""

from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.model import Resource
from gateway.runtime.entrance_checks import AFTER_MIDNIGHT_MS, FIRST_AFTER_MS, EntranceChecks
from gateway.store.place import Place
from tests.gateway.store.kept import BEFORE, Kept
from tests.gateway.store.world import DAY, HOUR

MINUTE = 60_000
MIDNIGHT = BEFORE + 16 * HOUR  # in Shanghai
GATE = Resource("s", "hall", "gate", "counter", "gate", ttl_ms=HOUR)
DOOR = Resource("s", "hall", "door", "door", "door", features=("reader",))


def test_sensors_that_disagree_are_told_once_a_day_until_they_agree(tmp_path: Path) -> None:
    place = Place("s", ZoneInfo("Asia/Shanghai"), [GATE, DOOR])
    told: list[tuple[str, str, bool]] = []
    with Kept(tmp_path, place) as kept:
        checks = EntranceChecks([place], kept.rolled, lambda *said: told.append(said), MIDNIGHT + DAY)
        assert checks.tidy(MIDNIGHT + DAY) is False, "a start has better to do"
        cards = [(MIDNIGHT + HOUR + number * MINUTE, {"type": "card", "seq": number}) for number in range(90)]
        kept.tell("door", "event", cards)
        minutes = range(2 * 1440 + 1)
        kept.tell("gate", "state", [(MIDNIGHT + minute * MINUTE, {"in": minute // 60}) for minute in minutes])
        for now in (DAY + FIRST_AFTER_MS, DAY + HOUR, 2 * DAY, 2 * DAY + AFTER_MIDNIGHT_MS):
            checks.tidy(MIDNIGHT + now)
    assert told == [("s", "hall", False), ("s", "hall", True)]


def test_a_station_without_a_counter_or_a_door_is_not_looked_at(tmp_path: Path) -> None:
    place = Place("s", ZoneInfo("Asia/Shanghai"), [Resource("s", "hall", "seat", "seat", "seat")])
    with Kept(tmp_path, place) as kept:
        checks = EntranceChecks([place], kept.rolled, _never, 0)
        assert checks.tidy(MIDNIGHT) is False


def _never(*_: object) -> None:
    raise AssertionError("nobody is told")
