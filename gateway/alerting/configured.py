"""What the configuration says about alerts, as the words of the core and the post office."""

import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from config.difference import Difference
from config.kinds import named
from config.schema import Settings, StationSettings
from config.schema.alerts import RouteSettings
from config.schema.base import HostPort
from gateway.alerts.case import Policy
from gateway.alerts.places import Places
from gateway.alerts.routes import Route
from gateway.alerts.signals import Limits
from gateway.notify.channels import repeat_ms_of, sender_of
from gateway.notify.post import Outlet
from gateway.notify.worker import DeadMan
from gateway.policy.hours import Expression, Opening, notices_of

WATCHED_ENTRANCES = named("entrance") | named("counts_people")
SECOND_MS = 1_000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """Another configuration, as far as it concerns alerts. `alerts_too`: the rules of alerts are others as well, or
    what speaks through the bridge. `removed`: stations; `ended`: (station, name) of the checks and entrances that are
    no longer. `lanes`: for each channel outlets of its own, since a sender belongs to one thread.
    """

    settings: Settings
    places: Places
    routes: list[Route]
    outlets: Mapping[str, Outlet]
    lanes: Mapping[str, Mapping[str, Outlet]]
    alerts_too: bool
    removed: Sequence[str]
    ended: Collection[tuple[str, str]]


def reconfigured(old: Settings, difference: Difference) -> Reconfigured:
    """Made beside what runs. Of stations that went the names stay known, for what ends of them is told yet. ValueError
    when a channel's address or secret can't be read.
    """
    settings = difference.settings
    names = {station.id for station in difference.changed} | set(difference.removed)
    before = [station for station in old.stations if station.id in names]
    return Reconfigured(
        settings,
        Places.of(settings).beside(Places.of(old)),
        routes_of(settings),
        outlets_of(settings),
        lanes_of(settings),
        bool(difference.sections & {"alerts", "bridge", "api", "timezone", "calendar"}),
        difference.removed,
        set(_looked_at(before)) - set(_looked_at(difference.changed)),
    )


def _looked_at(stations: Iterable[StationSettings]) -> Iterator[tuple[str, str]]:
    """The checks and the entrances that alerts may be about."""
    for station in stations:
        yield from ((station.id, check.id) for check in station.checks)
        for area in station.areas:
            watching = (item for item in area.resources if item.kind in WATCHED_ENTRANCES)
            yield from ((station.id, item.entrance or area.id) for item in watching)


def policy_of(settings: Settings) -> Policy:
    alerts = settings.alerts
    return Policy(
        alerts.raise_delay_s * SECOND_MS,
        alerts.clear_delay_s * SECOND_MS,
        alerts.flap_hold_s * SECOND_MS,
        alerts.thresholds.site_offline_pct,
        frozenset(alerts.mute_when_closed),
    )


def limits_of(settings: Settings) -> Limits:
    limits = settings.alerts.thresholds
    return Limits(limits.battery_low_pct, limits.safety_expiry_days, limits.door_held_s * SECOND_MS)


def routes_of(settings: Settings) -> list[Route]:
    """Without any route everything goes to every channel: a channel that nobody is told through is a mistake."""
    alerts = settings.alerts
    if not alerts.routes:
        return [Route(tuple(channel.id for channel in alerts.channels))] if alerts.channels else []
    return [_route(settings, route) for route in alerts.routes]


def _route(settings: Settings, route: RouteSettings) -> Route:
    opening = None
    if route.hours is not None:
        calendar = settings.calendar
        zone = ZoneInfo(settings.timezone)
        opening = Opening(Expression(route.hours), zone, calendar.holidays, calendar.weekend, notices_of(settings))
    return Route(
        route.channels, route.stations, route.regions, route.kinds, route.severity,
        None if opening is None else lambda at: opening.at(at).access != "closed",
        route.escalate_after_min * MINUTE_MS, route.escalate_to,
    )  # fmt: skip


def bridges_of(settings: Settings) -> dict[tuple[str, str], str]:
    """Which devices speak through the bridge of this configuration: they fall silent with it."""
    bridge = settings.bridge
    if bridge is None:
        return {}
    named: list[Any] = [
        device for bus in bridge.buses for device in (bus.device, *(of_bus.device for of_bus in bus.devices))
    ]
    return {(bridge.station, name): bridge.id for name in named if name}


def base_url(settings: Settings) -> str | None:
    """Under which address people reach our pages, without a slash at its end; None when nobody can know it."""
    api = settings.api
    if api.public_url is not None:
        return api.public_url.rstrip("/")
    if api.listen.port == 0:
        return None
    host = socket.gethostname() if api.listen.host in ("0.0.0.0", "::", "") else api.listen.host  # noqa: S104
    return f"http://{HostPort(host, api.listen.port)}"


def outlets_of(settings: Settings) -> Mapping[str, Outlet]:
    """ValueError when a channel's address or secret can't be read."""
    return {
        channel.id: Outlet(
            channel.id, sender_of(channel), channel.lang, channel.cap_per_hour, channel.fallback,
            repeat_ms_of(channel),
        )
        for channel in settings.alerts.channels
    }  # fmt: skip


def lanes_of(settings: Settings) -> Mapping[str, Mapping[str, Outlet]]:
    """For each channel outlets of its own. ValueError: see `outlets_of`."""
    return {channel.id: outlets_of(settings) for channel in settings.alerts.channels}


def dead_man_of(settings: Settings, healthy: Callable[[], bool]) -> DeadMan | None:
    """What asks an outside address while all is well; None where none is wanted."""
    alerts = settings.alerts
    if alerts.dead_man_url is None:
        return None
    return DeadMan(alerts.dead_man_url, alerts.dead_man_interval_s * 1000, healthy)
