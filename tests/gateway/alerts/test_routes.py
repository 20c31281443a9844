from dataclasses import replace

import pytest

from gateway.alerts.routes import Route, deliveries
from gateway.alerts.words import AlertEvent
from tests.gateway.notify.samples import ALERT, CLOSED, PLACES, T0

OPENED = AlertEvent(ALERT, ALERT.opened_at, "opened")


def told(event: AlertEvent, *routes: Route) -> list[str]:
    return [f"{delivery.channel} {delivery.action}" for delivery in deliveries(event, routes, PLACES)]


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(("duty",)), True),
        (Route(("duty",), stations=("yanshan",)), True),
        (Route(("duty",), stations=("shaping",)), False),
        (Route(("duty",), regions=("江门",)), True),
        (Route(("duty",), regions=("深圳",)), False),
        (Route(("duty",), kinds=("charger_fault",)), True),
        (Route(("duty",), kinds=("charger",)), True),
        (Route(("duty",), kinds=("seat",)), False),
        (Route(("duty",), severities=("warning", "critical")), True),
        (Route(("duty",), severities=("critical",)), False),
        (Route(("duty",), open_at=lambda at: at == ALERT.opened_at), True),
        (Route(("duty",), open_at=lambda at: at != ALERT.opened_at), False),
    ],
)
def test_a_route_tells_what_it_fits(route: Route, fits: bool) -> None:
    assert told(OPENED, route) == (["duty opened"] if fits else [])
    assert told(AlertEvent(CLOSED, T0, "closed"), route) == (["duty closed"] if fits else [])


def test_every_route_that_fits_is_taken_and_each_channel_told_once() -> None:
    routes = Route(("duty", "hook")), Route(("hook", "mail"))
    assert told(OPENED, *routes) == ["duty opened", "hook opened", "mail opened"]


def test_whoever_heard_of_its_end_hears_that_it_is_open_again() -> None:
    assert told(AlertEvent(ALERT, T0, "reopened"), Route(("duty",))) == ["duty reopened"]


def test_nobody_is_told_of_words_and_acknowledgements() -> None:
    for action in ("commented", "acknowledged"):
        assert told(AlertEvent(ALERT, T0, action), Route(("duty",))) == []


def test_an_escalation_waits_for_its_time() -> None:
    route = Route(("duty",), escalate_after_ms=900_000, escalate_to=("boss",))
    later = deliveries(OPENED, [route], PLACES)[1]
    assert (later.channel, later.action, later.due) == ("boss", "escalated", ALERT.opened_at + 900_000)
    assert told(AlertEvent(CLOSED, T0, "closed"), route) == ["duty closed"]


def test_our_own_troubles_fit_routes_without_a_station() -> None:
    own = AlertEvent(replace(ALERT, station=None, resource=None, kind="disk_filling"), T0, "opened")
    assert told(own, Route(("duty",))) == ["duty opened"]
    assert told(own, Route(("duty",), stations=("yanshan",))) == []


def test_planning_twice_plans_the_same() -> None:
    routes = [Route(("duty",), escalate_after_ms=1, escalate_to=("duty",))]
    plan = deliveries(OPENED, routes, PLACES)
    assert plan == deliveries(OPENED, routes, PLACES)
    assert len({delivery.id for delivery in plan}) == 2
