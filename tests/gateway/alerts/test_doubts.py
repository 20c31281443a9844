"""Verdicts of the judge of evidence become alerts, at the same moment, and one trouble is told once."""

import pytest

from gateway.alerting.replayed import ReplayedAlerts
from gateway.alerts.doubts import facts_of_verdict
from gateway.model import Millis
from gateway.policy.override import Override, OverrideTarget
from tests.gateway.live.house import HOUR, MINUTE, House

PILE = {"id": "pile", "kind": "charger", "type": "ebike", "ttl": 600}


class Told(House):
    """A house in which the alert core follows."""

    def __init__(self, *resources: dict[str, object]) -> None:
        super().__init__(resources or [PILE])
        self.alerts = ReplayedAlerts(self.settings, self.live)
        self.lines: list[str] = []

    def _take(self) -> None:
        outcome = self.pipeline.take()
        self.changes += outcome.changes
        for event in self.alerts(outcome, self.now):
            self.lines.append(f"{event['alert']['kind']} {event['action']}")

    def wait(self, ms: Millis) -> None:
        super().wait(ms)
        self._take()


def conditions(house: House, resource: str = "pile") -> dict[str, bool | None]:
    return {fact.kind: fact.holds for fact in facts_of_verdict(house.facts(resource), house.now)}


def test_one_trouble_of_one_pile_is_told_once() -> None:
    house = Told()
    house.wait_while(30 * MINUTE, ("pile", {"status": "Charging", "power_w": 0, "energy_wh": 5}))
    assert house.lines == ["session_without_power opened"]
    house.wait_while(30 * MINUTE, ("pile", {"status": "Charging", "power_w": 900, "energy_wh": 5}))
    assert house.lines[1:] == ["session_without_power closed", "stuck_sensor opened"]


@pytest.mark.parametrize("status", ["Unavailable", "Faulted"])
def test_a_pile_out_of_order_that_draws_is_told_and_stays_out_of_order(status: str) -> None:
    house = Told()
    house.wait_while(10 * MINUTE, ("pile", {"status": status, "power_w": 900}))
    assert house.seen("pile", "usable", "evidence") == ("no", "live")
    assert "power_without_session opened" in house.lines
    house.wait_while(4 * MINUTE, ("pile", {"status": status, "power_w": 0}))
    assert house.lines[-1] == "power_without_session closed"


def test_the_alert_begins_with_the_contradiction_and_says_what_was_drawn() -> None:
    house = House([PILE])
    house.wait(MINUTE)
    began = house.now
    for _ in range(3):
        house.say("pile", status="Available", power_w=900)
        house.wait(MINUTE)
    [fact] = [fact for fact in facts_of_verdict(house.facts("pile"), house.now) if fact.holds]
    assert (fact.kind, fact.at, fact.patience_ms) == ("power_without_session", began, MINUTE)
    assert fact.cause == "power_w=900.0"
    assert fact.detail == {
        "device": "pile", "reason": "power_while_free", "power_w": 900, "status": "Available",
    }  # fmt: skip


def test_silence_and_what_nobody_can_read_neither_raise_nor_clear() -> None:
    house = House([PILE])
    house.wait_while(3 * MINUTE, ("pile", {"status": "Available", "power_w": 900}))
    assert conditions(house)["power_without_session"] is True
    house.wait(11 * MINUTE)
    assert set(conditions(house).values()) == {None}
    house.say("pile", status="Available", power_w=0)
    assert set(conditions(house).values()) == {False}
    house.live.unreadable(house.live.devices["yanshan", "pile"], house.now)
    assert set(conditions(house).values()) == {None}


def test_what_staff_set_by_hand_hides_a_stuck_sensor_and_no_stray_power() -> None:
    house = House([PILE, PILE | {"id": "other"}])
    house.wait_while(
        20 * MINUTE,
        ("pile", {"status": "Charging", "power_w": 900, "energy_wh": 5}),
        ("other", {"status": "Available", "power_w": 900}),
    )
    assert (conditions(house)["stuck_sensor"], conditions(house, "other")["power_without_session"]) == (True, True)
    for resource in ("pile", "other"):
        target = OverrideTarget("yanshan", None, resource)
        house.live.set_by_hand(target, Override("free", house.now + HOUR, "li"), house.now)
    assert (conditions(house)["stuck_sensor"], conditions(house, "other")["power_without_session"]) == (False, True)


def test_a_pile_that_its_neighbours_outlive_because_it_is_broken_is_not_called_stuck_as_well() -> None:
    resources = [PILE | {"id": f"pile-{number}"} for number in range(4)]
    house = Told(*resources)
    for minute in range(3 * 60):
        for number in range(4):
            word = "Faulted" if number == 0 else "Preparing" if minute // 10 % 2 else "Available"
            house.say(f"pile-{number}", status=word)
        house.wait(MINUTE)
    assert house.lines == ["charger_fault opened"]
