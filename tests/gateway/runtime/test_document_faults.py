"""Any function on the way from a change to its document fails: the loop lives, and soon all are told all the same."""

import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

from gateway.policy.activities import Activity, Agenda
from tests.gateway.faults import ERRORS, Fault
from tests.gateway.runtime.desk import Desk

ROOMS = (
    "gateway/live/document.py", "gateway/live/station_document.py", "gateway/live/booking.py",
    "gateway/live/alarms.py", "gateway/live/places.py", "gateway/homeassistant", "gateway/runtime/pace.py",
    "gateway/policy/activities.py",
)  # fmt: skip
HOUR = 3_600_000
SAID: dict[str, list[dict[str, Any]]] = {
    "seat": [{"occupied": True}, {"occupied": False}],
    "charger": [{"status": "Charging", "power_w": 7_000.0}, {"status": "Available", "power_w": 0.0}],
    "room": [{"people": 3}, {"people": 0}],
    "parking": [{"free": 1, "total": 4}, {"free": 0, "total": 4}],
}


def station(name: str) -> dict[str, Any]:
    resources = [{"id": kind, "kind": kind, "ttl": 60} for kind in SAID]
    area = {"id": "a", "name": {"zh": "厅"}, "resources": resources}
    return {"id": name, "name": {"zh": name}, "hours": "Mo-Su 08:00-20:00", "areas": [area]}


def desk(folder: Path, patch: pytest.MonkeyPatch) -> Desk:
    made = Desk(folder, patch, [station("aa"), station("bb")], homeassistant={"announce": True})
    made.turn()
    return made


def step(desk: Desk, dice: random.Random) -> None:
    """What comes before a turn."""
    name = dice.choice(["aa", "bb"])
    match dice.randrange(8):
        case 0:
            begins = desk.clock.now + dice.choice([-HOUR, 5_000])
            activity = Activity(begins, begins + 2 * HOUR, "1", f"课{dice.randrange(9)}", True)
            desk.intake.programme({(name, "a"): Agenda([activity])})
        case 1:
            desk.hear("homeassistant/status", b"online")
        case 2:
            desk.session.on_connect(True)
        case _:
            for kind in dice.sample(list(SAID), 2):
                desk.say(name, kind, **dice.choice(SAID[kind]))


def everybody_speaks(desk: Desk) -> None:
    for name in ("aa", "bb"):
        for kind in SAID:
            desk.say(name, kind, **SAID[kind][0])


def day(desk: Desk, seed: int, poisoned: int, fault: Fault | None) -> dict[str, bytes]:
    """So many turns, the poisoned one with the fault, and a quiet minute; what then stands retained."""
    dice = random.Random(seed)
    for turn in range(12):
        step(desk, dice)
        if turn == poisoned and fault is not None:
            with fault.inside():
                desk.turn(100)
        else:
            desk.turn(100)
    desk.wait(24_000)
    everybody_speaks(desk)
    desk.turn(1_000)
    desk.wait(15_000)
    told = {topic: body for topic, body in desk.session.retained.items() if not topic.startswith("yz-alert/")}
    desk.close()
    return told


MOVED = ("as_of", "since", "observed_at", "valid_until")


def unstamped(told: dict[str, bytes], topic: str) -> object:
    """Without the moments that a second try moves."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items() if name not in MOVED}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    body = told.get(topic)
    return plain(json.loads(body)) if body and topic.startswith(("yz-live", "yz-ha", "homeassistant")) else body


def check(folder: Path, patch: pytest.MonkeyPatch, seed: int) -> str:
    dice = random.Random(-seed)
    poisoned = dice.randrange(12)
    counted = Fault(ROOMS)
    told = day(desk(folder / f"{seed}-whole", patch), seed, poisoned, counted)
    if not counted.calls:
        return ""
    fault = Fault(ROOMS, dice.randint(1, counted.calls), dice.choice(ERRORS))
    again = day(desk(folder / f"{seed}-faulty", patch), seed, poisoned, fault)
    different = [topic for topic in told.keys() | again.keys() if unstamped(told, topic) != unstamped(again, topic)]
    assert not different, (seed, fault.raised, different)
    return fault.raised


def test_whoever_follows_documents_soon_has_them_whatever_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    raised = {check(tmp_path, monkeypatch, seed) for seed in range(12)}
    assert len(raised) > 4


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_two_thousand_documents_that_some_function_fails_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    raised = {check(tmp_path, monkeypatch, seed) for seed in range(1_000, 3_000)} - {""}
    assert len(raised) > 30, raised
