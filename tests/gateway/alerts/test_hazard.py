"""A detector that warns is told at once, and nothing hushes it."""

from dataclasses import replace

import pytest

from gateway.alerts.places import Places
from gateway.alerts.routes import Route, deliveries
from gateway.alerts.words import AlertEvent
from gateway.model import Resource, axes_of
from tests.gateway.alerts.world import LIVE, STALE, T0, World

SMOKE = Resource("yanshan", "kitchen", "smoke", "hazard", "smoke", type="smoke", ttl_ms=180_000)
ALARM = axes_of("active", "ok", "open", "blocked", "live")
TESTED = axes_of("active", "ok", "open", "reserved", "live")


def hazards(world: World) -> list[str]:
    return [f"{event.alert.severity} {event.action}" for event in world.said if event.alert.kind == "hazard"]


def last(world: World) -> AlertEvent:
    return [event for event in world.said if event.alert.kind == "hazard"][-1]


def acknowledge(world: World) -> None:
    world.said += world.core.desk.acknowledge(last(world).alert.id, "li", world.now)


def test_a_warning_is_told_at_its_first_message() -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    alert = last(world).alert
    assert (alert.kind, alert.severity, alert.state, alert.opened_at, alert.cause) == (
        "hazard", "critical", "open", T0, "alarm",
    )  # fmt: skip
    assert alert.detail == {"device": "smoke", "type": "smoke"}


@pytest.mark.parametrize(
    "axes",
    [
        axes_of("active", "ok", "closed", "blocked", "live"),
        axes_of("active", "maintenance", "open", "blocked", "live"),
        axes_of("active", "fault", "closed", "blocked", "live"),
        axes_of("active", "ok", "open", "blocked", "stale"),
    ],
    ids=["closed", "in maintenance", "broken", "late"],
)
def test_nothing_hushes_a_warning(axes) -> None:
    world = World([SMOKE])
    world.become(axes, SMOKE)
    assert hazards(world) == ["critical opened"]


def test_it_ends_once_it_is_clear_and_somebody_acknowledged() -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    world.become(LIVE, SMOKE)
    world.wait(86_400)
    assert hazards(world) == ["critical opened"]
    acknowledge(world)
    world.wait(0)
    assert hazards(world) == ["critical opened", "critical acknowledged", "critical closed"]


@pytest.mark.parametrize(("waited_s", "ends"), [(29, 0), (30, 1)])
def test_acknowledged_first_it_ends_when_it_has_been_clear_for_a_while(waited_s: int, ends: int) -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    acknowledge(world)
    world.wait(3600)
    world.become(LIVE, SMOKE)
    world.wait(waited_s)
    assert hazards(world).count("critical closed") == ends


def test_silence_ends_no_warning() -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    acknowledge(world)
    world.become(axes_of("active", "ok", "open", "blocked", "stale"), SMOKE, cause="time")
    world.wait(86_400)
    assert "critical closed" not in hazards(world)


def test_a_detector_that_is_silent_and_said_all_is_well_warns_of_nothing() -> None:
    world = World([SMOKE])
    world.become(STALE, SMOKE, cause="time")
    assert hazards(world) == []


def test_a_test_is_told_as_information_and_ends_with_it() -> None:
    world = World([SMOKE])
    world.become(TESTED, SMOKE)
    assert last(world).alert.cause == "test"
    world.become(LIVE, SMOKE)
    world.wait(30)
    assert hazards(world) == ["info opened", "info closed"]


@pytest.mark.parametrize("between_s", [0, 1, 10])
def test_a_test_that_becomes_serious_is_another_alert_at_once(between_s: int) -> None:
    world = World([SMOKE])
    world.become(TESTED, SMOKE)
    world.wait(between_s)
    world.become(ALARM, SMOKE)
    assert hazards(world) == ["info opened", "info closed", "critical opened"]
    tested, _, serious = (event.alert.id for event in world.said)
    assert tested != serious


def test_a_test_that_staff_closed_hides_no_fire() -> None:
    world = World([SMOKE])
    world.become(TESTED, SMOKE)
    world.said += world.core.desk.close(last(world).alert.id, "li", world.now)
    world.become(ALARM, SMOKE)
    assert hazards(world)[-1] == "critical opened"


def test_a_test_just_over_hides_no_fire() -> None:
    world = World([SMOKE])
    world.become(TESTED, SMOKE)
    world.become(LIVE, SMOKE)
    world.wait(5)
    world.become(ALARM, SMOKE)
    assert hazards(world)[-1] == "critical opened"


def test_a_test_during_a_warning_says_nothing_and_ends_it_for_nobody() -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    world.become(TESTED, SMOKE)
    world.wait(3600)
    assert hazards(world) == ["critical opened"]


def test_a_warning_outlives_a_restart_with_its_gravity() -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    world.become(LIVE, SMOKE)
    world.restart()
    world.wait(3600)
    assert hazards(world) == ["critical opened"]
    acknowledge(world)
    world.wait(30)
    assert hazards(world)[-1] == "critical closed"


def test_flapping_makes_one_alert_of_a_warning() -> None:
    world = World([SMOKE])
    for _ in range(20):
        world.become(ALARM, SMOKE)
        world.wait(5)
        world.become(LIVE, SMOKE)
        world.wait(5)
    assert hazards(world) == ["critical opened"]


@pytest.mark.parametrize(("severity", "told"), [("critical", ["night", "duty"]), ("info", ["duty"])])
def test_a_warning_knows_no_hours_of_a_route_and_a_test_does(severity, told) -> None:
    world = World([SMOKE])
    world.become(ALARM, SMOKE)
    event = last(world)
    event = replace(event, alert=replace(event.alert, severity=severity))
    routes = [Route(("night",), open_at=lambda _: False), Route(("duty",))]
    assert [delivery.channel for delivery in deliveries(event, routes, Places())] == told
