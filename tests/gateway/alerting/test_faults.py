"""Any function from a change to a message on a phone fails: the loops live, no alert is lost, a start is whole."""

import logging
import random
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.alerting.deeds import Deed, Verb
from gateway.alerts.words import AlertEvent
from gateway.notify.base import StaffMessage
from tests.gateway.faults import ERRORS, Fault
from tests.gateway.runtime.desk import NOON, Desk

ALERTS = ("gateway/alerts/", "gateway/alerting/")
NOTIFY = ("gateway/notify/", "gateway/alerting/outbox.py", "gateway/policy/text.py")
TURNS = 14
LATCHED = ("help", "tamper", "door_forced", "reported")
SAID: dict[str, list[dict[str, Any]]] = {
    "seat": [
        {"occupied": True, "battery_pct": 5},
        {"occupied": False, "battery_pct": 90},
        {"fault": "E1"},
        {"fault": ""},
    ],
    "charger": [{"status": "Faulted", "error": "GroundFailure"}, {"status": "Available", "power_w": 0.0}],
    "door": [{"open": True}, {"open": False}],
    "safety": [{"present": False}, {"present": True}],
}
VERBS: tuple[Verb, ...] = ("acknowledge", "comment", "assign", "close")
SPEAKERS = [(name, kind) for name in ("aa", "bb") for kind in SAID]
Told = set[tuple[str, str, str]]  # kind, station/subject, action


class Phone:
    """A sender that keeps what it was given."""

    def __init__(self) -> None:
        self.got: list[StaffMessage] = []

    def send(self, message: StaffMessage) -> None:
        self.got.append(message)


def station(name: str) -> dict[str, Any]:
    resources = [{"id": kind, "kind": kind, "ttl": 600} for kind in SAID]
    return {"id": name, "name": {"zh": name}, "hours": "24/7", "areas": [{"id": "a", "resources": resources}]}


class Watch:
    """A desk whose channels are phones, and what staff did there."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch, self.phones = folder, patch, {"duty": Phone(), "boss": Phone()}
        self.asked: list[Future[list[AlertEvent]]] = []
        self.now = NOON
        self.open()

    def open(self) -> None:
        channels = [{"id": name, "kind": "webhook", "url": f"http://127.0.0.1:9/{name}"} for name in self.phones]
        routes = [{"channels": ["duty"]}, {"channels": ["boss"], "severity": ["critical"]}]
        alerts = {"channels": channels, "routes": routes, "raise_delay_s": 2, "clear_delay_s": 2}
        self.desk = Desk(self.folder, self.patch, [station("aa"), station("bb")], now=self.now, alerts=alerts)
        post = self.desk.alerting.dispatch.post
        post._outlets = {
            name: replace(outlet, sender=self.phones[name], cap_per_hour=1_000)
            for name, outlet in post._outlets.items()
        }

    def turn(self, later_ms: int) -> None:
        self.desk.turn(later_ms)
        with self.desk.live.mishaps.contained("a turn of the notify thread"):  # as its `run` does
            self.desk.alerting.dispatch._worker._turn()
        self.now = self.desk.clock.now

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.turn(1_000)

    def restart(self) -> None:
        self.desk.close()
        self.open()

    def staff(self, name: str, kind: str, verb: Verb) -> None:
        """A deed about the first alert that is open about this."""
        for alert in self.desk.alerting.core.desk.open_alerts():
            if (alert.station, alert.subject) == (name, kind):
                deed = Deed(
                    do=verb, by="wang", nonce="n" * 16, expires=self.now, target=alert.id, text="x", assignee="li"
                )
                self.asked.append(self.desk.alerting.desk.do(deed))
                return

    def standing(self) -> Told:
        """What is open."""
        alerts = self.desk.alerting.core.desk.open_alerts()
        return {
            (alert.kind, f"{alert.station}/{alert.subject}", alert.state)
            for alert in alerts
            if alert.kind != "internal_error"
        }

    def told(self) -> Told:
        """What reached a phone."""
        return said_by(message for phone in self.phones.values() for message in phone.got)


def said_by(messages: Iterable[StaffMessage]) -> Told:
    return {
        (alert.kind, f"{alert.station}/{alert.subject}", message.action)
        for message in messages
        for alert in message.alerts
        if alert.kind != "internal_error"
    }


def day(watch: Watch, seed: int, poisoned: int, fault: Fault) -> tuple[Told, Told, Told]:
    """What stands at the end, what was told, and what stands after a start."""
    dice = random.Random(seed)
    for turn in range(TURNS):
        name, kind = dice.choice(SPEAKERS)
        match dice.randrange(6):
            case 0:
                watch.staff(name, kind, dice.choice(VERBS))
            case 1:
                watch.desk.say(name, kind, "event", type=dice.choice(["help", "tamper"]))
            case _:
                watch.desk.say(name, kind, **dice.choice(SAID[kind]))
        later_ms = dice.choice([100, 3_000])
        if turn == poisoned:
            with fault.inside():
                watch.turn(later_ms)
        else:
            watch.turn(later_ms)
    watch.wait(40)
    ended, sent = watch.standing(), watch.told()
    watch.restart()
    watch.wait(15)
    started = watch.standing()
    watch.desk.close()
    if not fault.raised.endswith(".stored"):  # the answer itself
        assert all(asked.done() for asked in watch.asked), f"staff wait for ever: {fault.raised}"
    return ended, sent, started


def check(folder: Path, patch: pytest.MonkeyPatch, seed: int, rooms: tuple[str, ...] = ALERTS) -> str:
    dice = random.Random(-seed)
    poisoned, counted = dice.randrange(TURNS), Fault(rooms)
    told = day(Watch(folder / f"{seed}-whole", patch), seed, poisoned, counted)
    if not counted.calls:
        return ""
    fault = Fault(rooms, dice.randint(1, counted.calls), dice.choice(ERRORS))
    others = day(Watch(folder / f"{seed}-faulty", patch), seed, poisoned, fault)
    different = {told_by_one for whole, faulty in zip(told, others, strict=True) for told_by_one in whole ^ faulty}
    assert len({subject for _, subject, _ in different}) <= (0 if rooms is NOTIFY else 1), (
        seed,
        fault.raised,
        different,
    )
    return fault.raised


def check_notify(folder: Path, patch: pytest.MonkeyPatch, seed: int) -> str:
    return check(folder, patch, seed, NOTIFY)


def test_a_fault_in_the_rules_of_alerts_costs_one_subject_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, monkeypatch, seed) for seed in range(6)}) > 3


def test_a_fault_on_the_way_to_a_phone_costs_nobody_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check_notify(tmp_path, monkeypatch, seed) for seed in range(6)}) > 2


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rooms", [ALERTS, NOTIFY], ids=["alerts", "notify"])
def test_a_thousand_days_in_which_some_function_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, rooms: tuple[str, ...]
) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, monkeypatch, seed, rooms) for seed in range(1_000, 2_000)}) > 20
