"""An input that the core fails over leaves no trace, costs no other, and is judged once more."""

from random import Random
from typing import Any

import pytest

from gateway.alerts import news as news_in
from gateway.alerts.cases import Cases
from gateway.alerts.core import Alerts
from gateway.alerts.facts import own
from gateway.alerts.rules import conditions_of
from gateway.base.mishaps import Mishaps
from gateway.model import Change, axes_of
from tests.gateway.alerts.world import LIVE, STALE, TTL, World, seat
from tests.gateway.faults import Fault, calls

FAULT = axes_of("active", "fault", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
ROOMS = ("gateway/alerts/",)


class Steady(World):
    """A world whose core notes its faults."""

    def fresh_core(self) -> Alerts:
        self.mishaps = Mishaps()
        return Alerts(
            self.resources, lambda *device: self.last.get(device), self.policy, self.bridges, mishaps=self.mishaps
        )

    def standing(self) -> list[object]:
        core = self.core
        cases = [
            (case.key, case.holds, case.since, case.not_before, case.told, case.alert, case.rises)
            for case in core._cases.all()
        ]
        groups = [(dict(group.ttl_ms), dict(group.silent)) for group in core._groups.of("yanshan", "seat-01")]
        return [
            sorted(cases, key=lambda case: case[0]),
            sorted(core._book.open),
            groups,
            sorted(core._book.deaf),
            core._book.schedule.next(),
        ]


def test_a_change_leaves_no_trace_at_whichever_call_it_fails() -> None:
    many = calls(ROOMS, lambda: Steady([seat(1), seat(2)]).become(STALE, seat(1)))
    primed = calls(ROOMS, lambda: Steady([seat(1), seat(2)]))
    tried = 0
    for number in range(1, many - primed + 1):
        world = Steady([seat(1), seat(2)])
        before = world.standing()
        with Fault(
            ("gateway/alerts/case", "gateway/alerts/group", "gateway/alerts/muting", "gateway/alerts/rules"), number
        ).inside() as fault:
            world.become(STALE, seat(1))
        if fault.raised:
            tried += 1
            assert world.standing() == before, fault.raised
            assert world.mishaps.count == 1
    assert tried > 5


def test_what_failed_is_judged_again_and_told() -> None:
    world = Steady([seat(1), seat(2)])
    with Fault(("gateway/alerts/rules.py",), 1).inside():
        world.become(FAULT, seat(1))
    assert world.lines() == []
    world.wait(25)
    assert world.lines() == ["equipment_fault seat-01 opened"]


def test_newer_news_of_the_same_come_before_a_second_try() -> None:
    world = Steady([seat(1)])
    with Fault(("gateway/alerts/rules.py",), 1).inside():
        world.become(FAULT, seat(1))
    world.become(LIVE, seat(1))
    world.wait(60)
    assert world.lines() == []


def test_the_first_word_of_a_device_is_judged_no_further_than_that_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage a whole district is heard for the first time at once."""
    never = axes_of("active", "ok", "open", "unknown", "never")
    world = World([])
    world.resources = [seat(1), seat(2)]
    world.axes = {"seat-01": never, "seat-02": never}
    world.core = world.fresh_core()
    world.prime()
    monkeypatch.setattr(world.core.apart, "_before", None)  # no copy of anything is needed
    world.become(LIVE, *world.resources)
    assert world.core._groups.get("yanshan", None).ttl_ms == {"seat-01": TTL, "seat-02": TTL}
    assert world.lines() == []


def test_what_fails_twice_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Steady([seat(1), seat(2)])
    real = conditions_of

    def breaks(change):
        if change.resource.id == "seat-01":
            raise ZeroDivisionError
        return real(change)

    monkeypatch.setattr(news_in, "conditions_of", breaks)
    world.become(FAULT, seat(1), seat(2))
    world.wait(60)
    assert world.mishaps.count == 2
    assert world.lines() == ["equipment_fault seat-02 opened"]


def test_a_fault_while_we_turn_deaf_leaves_everybody_as_they_were() -> None:
    world = Steady([seat(1), seat(2)])
    before = world.standing()
    with Fault(("gateway/alerts/case.py",), 1).inside() as fault:
        world.learn(own("broker_lost", world.now, True, "gateway"))
    assert fault.raised
    assert world.standing() == before


def test_an_alert_of_a_kind_that_nobody_knows_stops_no_start() -> None:
    world = Steady([seat(1), seat(2)])
    world.become(FAULT, seat(1), seat(2))
    world.wait(30)
    strange, known = world.core.desk.open_alerts()
    object.__setattr__(strange, "kind", "of_a_later_version")
    world.core = world.fresh_core()
    world.core.restore([strange, known])
    assert world.core.desk.open_alerts() == [known]


def test_at_a_start_a_fault_over_one_resource_costs_its_alert_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seats = [seat(1), seat(2), seat(3)]
    world = Steady(seats)
    states = [Change(resource, 0, FAULT, FAULT, "start") for resource in seats]

    def broken(change: Change) -> dict[str, bool | None]:
        if change.resource.id == "seat-02":
            raise RuntimeError("a fault of ours")
        return conditions_of(change)

    monkeypatch.setattr(news_in, "conditions_of", broken)
    world.core.prime(states, world.now)
    assert sorted(case.key[1] for case in world.core._cases.all() if case.holds) == ["seat-01", "seat-03"]
    assert world.mishaps.count == 1
    monkeypatch.undo()
    world.wait(11)
    assert "equipment_fault seat-02 opened" in world.lines(), "it is judged once more"


def test_a_change_of_which_nothing_follows_is_not_judged_and_leaves_all_as_it_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, seats = Random(5), [seat(number) for number in range(1, 6)]
    said = [
        axes_of("active", health, access, use, evidence)
        for health in ("ok", "fault", "maintenance")
        for access in ("open", "closed")
        for use in ("free", "occupied")
        for evidence in ("live", "stale", "suspect")
    ]
    quick, thorough = Steady(seats), Steady(seats)
    judged: list[bool] = []

    def asked(change: Change, cases: Cases, *around: Any) -> bool:
        if cases is thorough.core._cases:
            return True
        judged.append(news_in.is_news(change, cases, *around))
        return judged[-1]

    monkeypatch.setattr("gateway.alerts.apart.is_news", asked)
    for _ in range(600):
        which, axes = rng.choice(seats), rng.choice(said) if rng.random() < 0.1 else rng.choice((LIVE, TAKEN))
        seconds = rng.choice((1, 40, 300))
        for world in (quick, thorough):
            world.hear(which)
            world.become(axes, which)
            world.wait(seconds)
        assert quick.said == thorough.said
        assert quick.standing() == thorough.standing()
    assert quick.said, "some of it is told"
    passed_over = judged.count(False)
    said_of_both = f"{passed_over} of 600 changes were passed over; both sorts must come. A condition of a seat that"
    assert 50 < passed_over < 500, f"{said_of_both} holds while somebody sits makes each change news: is that meant?"
