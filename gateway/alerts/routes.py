"""Who is told: an alert event and the routes → the deliveries for the outbox. Pure, so that a replay plans the same."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.alerts.kinds import is_danger
from gateway.alerts.places import Places
from gateway.alerts.words import SEVERITIES, TOLD, Alert, AlertEvent, Delivery, Severity
from gateway.model import Millis


@dataclass(frozen=True, slots=True)
class Route:
    """Which alerts go to which channels; what is left empty fits all. `open_at` None: at any time.

    `escalate_to` is told when nobody acknowledged within `escalate_after_ms`.
    """

    channels: tuple[str, ...]
    stations: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = SEVERITIES
    open_at: Callable[[Millis], bool] | None = None
    escalate_after_ms: Millis = 0
    escalate_to: tuple[str, ...] = ()


def deliveries(
    event: AlertEvent,
    routes: Sequence[Route],
    places: Places,
    note: Callable[[str, Exception, str | None], None] | None = None,
) -> list[Delivery]:
    """One for each channel of every route that fits; none for an event that is only kept. `note` is told of a route
    that can't be judged, which fits: better told too much than nobody; without it the fault is raised.

    Routes are judged by the moment the alert opened, so that who heard of it also hears of its end.
    """
    if event.action not in TOLD:
        return []

    def fits(route: Route, alert: Alert) -> bool:
        try:
            return _fits(route, alert, places)
        except Exception as error:
            if note is None:
                raise
            note("a route of alerts", error, alert.station)
            return True

    fitting = [route for route in routes if fits(route, event.alert)]
    told = _to(event, (channel for route in fitting for channel in route.channels), event.at, escalation=False)
    if event.action != "opened":
        return told
    return told + [
        delivery
        for route in fitting
        if route.escalate_after_ms
        for delivery in _to(event, route.escalate_to, event.at + route.escalate_after_ms, escalation=True)
    ]


def _to(event: AlertEvent, channels: Iterable[str], due: Millis, *, escalation: bool) -> list[Delivery]:
    action = "escalated" if escalation else event.action
    return [
        Delivery(f"{event.alert.id}:{action}:{due}:{channel}", channel, event.alert, action, event.at, due)
        for channel in dict.fromkeys(channels)
    ]


def _fits(route: Route, alert: Alert, places: Places) -> bool:
    station = alert.station or ""
    kinds = {alert.kind, places.kinds.get((station, alert.resource or ""), "")}
    return (
        alert.severity in route.severities
        and (not route.stations or station in route.stations)
        and (not route.regions or bool(set(route.regions) & set(places.regions.get(station, ()))))
        and (not route.kinds or bool(kinds & set(route.kinds)))
        and (route.open_at is None or is_danger(alert) or route.open_at(alert.opened_at))
    )
