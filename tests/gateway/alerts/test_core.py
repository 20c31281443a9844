import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.case import Policy
from gateway.alerts.core import Alerts
from gateway.alerts.facts import Fact, channel_failing, clock_skew, own, screen
from gateway.alerts.kinds import KINDS
from gateway.alerts.signals import Limits, fact_of_event, facts_of_signals
from gateway.alerts.words import UnknownAlertError
from gateway.model import AXES, Change, axes_of
from tests.gateway.alerts.world import LIVE, STALE, T0, World, seat

PILE = seat(1, "charger")
AED = seat(1, "safety")
DOOR = seat(1, "door")
FAULT = axes_of("active", "fault", "open", "free", "live")
CLOSED = axes_of("active", "fault", "closed", "free", "live")
MAINTENANCE = axes_of("active", "maintenance", "open", "free", "live")


def test_a_fault_is_raised_after_its_delay_and_cleared_after_its_own() -> None:
    world = World([PILE])
    world.become(FAULT, PILE, cause="status", detail="GroundFailure")
    world.wait(9)
    assert world.said == []
    world.wait(1)
    [opened] = world.said
    assert (opened.alert.kind, opened.alert.cause, opened.alert.severity) == (
        "charger_fault",
        "GroundFailure",
        "warning",
    )
    world.become(LIVE, PILE)
    world.wait(29)
    assert len(world.said) == 1
    world.wait(1)
    assert world.lines()[1:] == ["charger_fault charger-01 closed"]


def test_a_fault_shorter_than_the_delay_is_never_told() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(9)
    world.become(LIVE, PILE)
    world.wait(3600)
    assert world.lines() == []
    assert world.core.next_deadline() is None


@pytest.mark.parametrize("period_s", [5, 20, 60])
def test_flapping_for_an_hour_is_at_most_two_messages(period_s: int) -> None:
    world = World([PILE])
    for _ in range(3600 // (2 * period_s)):
        world.become(FAULT, PILE)
        world.wait(period_s)
        world.become(LIVE, PILE)
        world.wait(period_s)
    if period_s == 5:
        world.wait(3600)
        assert world.lines() == ["charger_fault charger-01 opened", "charger_fault charger-01 closed"]
    assert len(world.said) <= 5


def blips(world: World, times: int) -> None:
    for _ in range(times):
        world.become(FAULT, PILE)
        world.wait(5)
        world.become(LIVE, PILE)
        world.wait(5)


@pytest.mark.parametrize(("before", "told"), [(3, []), (4, ["charger_fault charger-01 opened"])])
def test_the_fifth_rise_is_told_at_once(before: int, told: list[str]) -> None:
    world = World([PILE])
    blips(world, before)
    world.become(FAULT, PILE)
    world.wait(0)
    assert world.lines() == told


def test_a_channel_that_takes_nothing_is_a_trouble_after_five_minutes() -> None:
    world = World([PILE])
    world.learn(channel_failing("duty", world.now, ("HTTP 500", False)))
    world.wait(300 + 9)
    assert world.lines() == []
    world.wait(1)
    assert world.lines() == ["channel_failing duty opened"]


@pytest.mark.parametrize(("before", "held_s"), [(1, 30), (2, 900)])
def test_from_three_rises_on_an_alert_is_held_open_for_a_quarter_of_an_hour(before: int, held_s: int) -> None:
    world = World([PILE])
    blips(world, before)
    world.become(FAULT, PILE)
    world.wait(10)
    world.become(LIVE, PILE)
    world.wait(held_s - 1)
    assert world.lines() == ["charger_fault charger-01 opened"]
    world.wait(1)
    assert world.lines()[1:] == ["charger_fault charger-01 closed"]


def test_missing_data_never_clears() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    world.become(axes_of("active", "ok", "open", "unknown", "stale"), PILE, cause="silence")
    world.wait(600)
    assert "charger_fault charger-01 closed" not in world.lines()


@pytest.mark.parametrize("restarts", [(), ("during",), ("after",), ("during", "after")])
@pytest.mark.parametrize("mended", [True, False])
def test_maintenance_closes_what_was_told_and_only_what_is_left_after_it_is_told_again(mended, restarts) -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    world.become(MAINTENANCE, PILE, cause="override")
    assert world.lines() == ["charger_fault charger-01 opened", "charger_fault charger-01 closed"]
    closed = world.said[-1].alert
    assert closed.closed_by == "maintenance"
    world.wait(43_200)
    if "during" in restarts:
        world.restart(closed)
    world.wait(43_200)
    assert len(world.said) == 2
    world.become(LIVE if mended else FAULT, PILE, cause="override")
    if "after" in restarts:
        world.restart(closed)
    world.wait(600)
    assert world.lines()[2:] == ([] if mended else ["charger_fault charger-01 opened"])
    assert all(event.alert.id != closed.id for event in world.said[2:])


def test_maintenance_does_not_close_an_alarm_that_only_staff_may_close_nor_anything_of_an_aed() -> None:
    for resource, alarm in ((DOOR, "tamper"), (AED, None)):
        world = World([resource])
        if alarm is not None:
            fact = fact_of_event(resource, alarm, world.now)
            assert fact is not None
            world.learn(fact)
        else:
            world.become(FAULT, resource)
            world.wait(10)
        world.become(MAINTENANCE, resource, cause="override")
        world.wait(600)
        assert [event.action for event in world.said] == ["opened"]


@pytest.mark.parametrize(("resource", "told"), [(PILE, False), (DOOR, True), (AED, True)])
def test_opening_hours_mute_equipment_but_neither_security_nor_an_aed(resource, told) -> None:
    world = World([resource])
    world.become(CLOSED, resource)
    world.wait(3600)
    assert bool(world.said) is told
    if not told:
        world.become(FAULT, resource, cause="hours")
        world.wait(10)
        assert len(world.said) == 1


def test_a_restart_tells_nothing_again_and_still_clears() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    world.restart()
    world.wait(60)
    assert len(world.said) == 1
    world.become(LIVE, PILE)
    world.wait(30)
    assert world.lines()[1:] == ["charger_fault charger-01 closed"]


def test_an_alert_closed_by_hand_stays_told_over_a_restart_until_it_went_and_came_again() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    world.said += world.core.desk.close(world.said[0].alert.id, "li", world.now)
    closed = world.said[-1].alert
    assert (closed.state, closed.closed_by) == ("closed", "li")
    world.core = world.fresh_core()
    world.core.restore([closed])
    world.prime()
    world.wait(3600)
    assert len(world.said) == 2
    world.become(LIVE, PILE)
    world.wait(3600)
    world.become(FAULT, PILE)
    world.wait(10)
    assert world.said[-1].action == "opened"
    assert world.said[-1].alert.id != closed.id


def test_acknowledging_twice_says_nothing_new() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    [acknowledged] = world.core.desk.acknowledge(world.said[0].alert.id, "li", world.now)
    assert (acknowledged.alert.state, acknowledged.alert.acknowledged_by) == ("acknowledged", "li")
    assert world.core.desk.acknowledge(acknowledged.alert.id, "wang", world.now) == []
    [comment] = world.core.desk.comment(acknowledged.alert.id, "li", "on my way", world.now)
    assert (comment.action, comment.text) == ("commented", "on my way")


def test_a_closed_alert_can_not_be_acknowledged() -> None:
    world = World([PILE])
    for act in (world.core.desk.acknowledge, world.core.desk.close):
        with pytest.raises(UnknownAlertError):
            act("nothing", "li", T0)


def test_a_forced_door_stays_until_staff_close_it_and_the_next_one_is_new() -> None:
    world = World([DOOR])
    forced = fact_of_event(DOOR, "door_forced", world.now)
    assert forced is not None
    world.learn(forced)
    world.learn(*facts_of_signals(DOOR, {"open": False}, world.now, Limits()))
    world.wait(600)
    assert world.lines() == ["door_forced door-01 opened"]
    world.core.desk.close(world.said[0].alert.id, "li", world.now)
    world.wait(1)
    again = fact_of_event(DOOR, "door_forced", world.now)
    assert again is not None
    world.learn(again)
    assert len(world.said) == 2


def test_that_an_operator_hears_nothing_is_told_until_he_does() -> None:
    world = World([PILE])
    for event in ("operator_back", "operator_away", "operator_away", "operator_back"):
        fact = fact_of_event(PILE, event, world.now)
        assert fact is not None
        world.learn(fact)
        world.wait(60)
    assert world.lines() == ["operator_away charger-01 opened", "operator_away charger-01 closed"]


def test_a_held_door_clears_when_it_shuts() -> None:
    world = World([DOOR])
    held = fact_of_event(DOOR, "door_held", world.now)
    assert held is not None
    world.learn(held)
    world.wait(10)
    world.learn(*facts_of_signals(DOOR, {"open": False}, world.now, Limits()))
    world.wait(30)
    assert world.lines() == ["door_held door-01 opened", "door_held door-01 closed"]


def test_a_door_that_just_stands_open_is_held_after_two_minutes() -> None:
    world = World([DOOR])
    world.learn(*facts_of_signals(DOOR, {"open": True}, world.now, Limits()))
    world.wait(60)
    world.hear(DOOR)
    world.wait(69)
    assert world.lines() == []
    world.wait(1)
    assert world.lines() == ["door_held door-01 opened"]


def test_a_door_of_which_nothing_more_was_heard_is_not_held() -> None:
    world = World([DOOR])
    world.learn(*facts_of_signals(DOOR, {"open": True}, world.now, Limits()))
    world.wait(600)
    assert world.lines() == []


def test_a_door_that_opens_and_shuts_all_day_is_nobodys_trouble() -> None:
    world = World([DOOR])
    for _ in range(60):
        world.learn(*facts_of_signals(DOOR, {"open": True}, world.now, Limits()))
        world.wait(6)
        world.learn(*facts_of_signals(DOOR, {"open": False}, world.now, Limits()))
        world.wait(20)
    assert world.lines() == []


def test_a_door_is_not_held_by_what_it_said_before_its_line_broke() -> None:
    world = World([DOOR, PILE])
    world.learn(*facts_of_signals(DOOR, {"open": True}, world.now, Limits()))
    world.become(axes_of("active", "ok", "open", "free", "offline"), DOOR)
    world.wait(600)
    world.hear(DOOR)
    world.become(LIVE, DOOR)
    world.wait(20)
    world.learn(*facts_of_signals(DOOR, {"open": False}, world.now, Limits()))
    world.wait(600)
    assert "door_held door-01 opened" not in world.lines()


def test_a_card_is_nobodys_trouble() -> None:
    assert fact_of_event(DOOR, "card", T0) is None


@pytest.mark.parametrize(
    ("resource", "signals", "expected"),
    [
        (PILE, {"battery_pct": 20}, {"battery_low": True}),
        (DOOR, {"battery_pct": 14.9}, {"battery_low": True}),
        (DOOR, {"battery_pct": 22}, {"battery_low": None}),
        (DOOR, {"battery_pct": 24.9}, {"battery_low": None}),
        (DOOR, {"battery_pct": 25}, {"battery_low": False}),
        (AED, {"expires": "2027-02-01"}, {"safety_expiring": True}),
        (AED, {"expires": "2027-06-01"}, {"safety_expiring": False}),
        (AED, {"expires": "soon"}, {"safety_expiring": None}),
        (PILE, {"status": "Available", "power_w": 900}, {}),  # for the judge of evidence
    ],
)
def test_signals_say_what_the_axes_do_not(resource, signals, expected) -> None:
    assert {fact.kind: fact.holds for fact in facts_of_signals(resource, signals, T0, Limits())} == expected


def test_a_clock_must_be_wrong_for_a_minute() -> None:
    world = World([PILE])
    world.learn(clock_skew(PILE, world.now, True))
    world.wait(30)
    world.hear(PILE)
    world.wait(39)
    assert world.said == []
    world.wait(1)
    assert world.lines() == ["clock_skew charger-01 opened"]


@pytest.mark.parametrize(
    ("resource", "axes", "kind"),
    [
        (PILE, FAULT, "charger_fault"),
        (DOOR, FAULT, "reader_dead"),
        (AED, FAULT, "safety_not_ready"),
        (AED, axes_of("active", "ok", "open", "occupied", "live"), "safety_not_ready"),
        (seat(1, "appliance"), FAULT, "equipment_fault"),
        (seat(1, "locker"), axes_of("active", "ok", "open", "occupied", "live"), "locker_full"),
        (seat(1), STALE, "device_silent"),
    ],
)
def test_a_change_says_what_is_wrong(resource, axes, kind) -> None:
    world = World([resource])
    world.become(axes, resource)
    world.wait(10)
    assert [event.alert.kind for event in world.said] == [kind]


def test_screens_and_our_own_troubles_have_alerts_too() -> None:
    world = World([PILE])
    world.learn(
        screen(world.now, True, "yanshan", "screen-1"), own("disk_filling", world.now, True, "data", free_mb=12)
    )
    world.wait(10)
    assert world.lines() == ["disk_filling data opened", "screen_absent screen-1 opened"]
    assert world.said[0].alert.station is None


def test_a_fault_made_by_whoever_repairs_it_waits_until_the_work_is_over() -> None:
    at_work = {PILE.id, AED.id}
    world = World([PILE, AED])
    world.core = Alerts(
        world.resources, lambda *device: world.last.get(device), worked_on=lambda resource: resource.id in at_work
    )
    world.become(FAULT, PILE, AED)
    world.wait(3600)
    assert world.lines() == ["safety_not_ready safety-01 opened"]
    at_work.clear()
    world.wait(60)
    assert world.lines()[1:] == ["charger_fault charger-01 opened"]


def test_what_is_no_longer_configured_is_closed_at_the_next_start() -> None:
    world = World([PILE, AED])
    world.become(FAULT, PILE, AED)
    world.wait(10)
    world.resources = [AED]
    world.restart()
    assert world.lines()[2:] == ["charger_fault charger-01 closed"]
    assert [alert.subject for alert in world.core.desk.open_alerts()] == ["safety-01"]


def test_a_removed_resource_closes_what_it_left_open() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.wait(10)
    world.become(axes_of("removed", "fault", "open", "free", "live"), PILE)
    world.wait(30)
    assert world.lines()[-1] == "charger_fault charger-01 closed"


moments = st.lists(st.tuples(st.integers(0, 120_000), st.sampled_from(AXES), st.integers(0, 3)), max_size=60)


@given(moments)
def test_whatever_comes_every_alert_opens_once_and_closes_at_most_once_and_replays_to_the_same(steps) -> None:
    resources = [seat(1), seat(2), PILE, AED]

    def run() -> list[str]:
        world = World(resources)
        for pause_ms, axes, which in steps:
            world.wait(pause_ms / 1000)
            world.become(axes, resources[which])
        world.wait(100_000)
        opened = [event.alert.id for event in world.said if event.action == "opened"]
        closed = [event.alert.id for event in world.said if event.action == "closed"]
        assert len(set(opened)) == len(opened)
        assert len(set(closed)) == len(closed)
        assert set(closed) <= set(opened)
        still = {alert.id for alert in world.core.desk.open_alerts()}
        assert still == set(opened) - set(closed)
        return [repr(event) for event in world.said]

    assert run() == run()


@given(st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=80))
def test_no_pattern_of_flapping_tells_more_than_its_window_allows(steps) -> None:
    world = World([PILE])
    for pause_ms, broken in steps:
        world.wait(pause_ms / 1000)
        world.become(FAULT if broken else LIVE, PILE)
    told = [event for event in world.said if event.action in ("opened", "closed")]
    windows = 1 + (world.now - T0) // Policy().flap_hold_ms
    assert len(told) <= 8 * windows


def test_a_case_that_is_forgotten_by_a_fact_and_not_by_the_clock_leaves_no_deadline() -> None:
    world = World([PILE])
    world.become(FAULT, PILE)
    world.become(LIVE, PILE)
    world.now += Policy().flap_hold_ms
    world.become(LIVE, PILE)
    world.wait(3600)
    assert world.core.next_deadline() is None


def test_every_kind_can_be_raised() -> None:
    core = Alerts([], lambda *_: None)
    facts = [Fact(kind, T0, True, "yanshan", f"x-{kind}", PILE if kind == "device_silent" else None) for kind in KINDS]
    deaf_ones = {"broker_lost", "store_failing"}
    events = core.on_facts([fact for fact in facts if fact.kind not in deaf_ones], T0)
    events += core.tick(T0 + 1_000_000)
    assert {event.alert.kind for event in events} == KINDS.keys() - deaf_ones


def test_a_fact_about_nothing_known_is_dropped_without_a_trace() -> None:
    core = Alerts([PILE], lambda *_: None)
    assert core.on_changes([Change(PILE, T0, STALE, LIVE, "message")], T0) == []
    assert core.next_deadline() is None
