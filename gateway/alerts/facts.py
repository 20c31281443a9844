"""What alerts are made of: a fact says that somebody looked, and whether a condition holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.alerts.words import Severity
from gateway.model import Millis, OpeningChange, Resource, Signal


@dataclass(frozen=True, slots=True)
class Fact:
    """A condition seen at `at`. `holds` None means "can't tell", and can't tell never raises nor clears anything.

    `station` None: a trouble of our own. `subject` is the resource, device, screen, gateway or file it is about.
    `patience_ms` adds to the raise delay: a car ramps up, a door may stand open for a while. `severity` None: that of
    its kind.
    """

    kind: str
    at: Millis
    holds: bool | None
    station: str | None
    subject: str
    resource: Resource | None = None
    cause: str = ""
    detail: Mapping[str, Signal] = field(default_factory=dict)
    patience_ms: Millis = 0
    severity: Severity | None = None


def own(kind: str, at: Millis, holds: bool, subject: str, cause: str = "", **detail: Signal) -> Fact:
    """A trouble of ours: broker_lost, store_failing, disk_filling, duplicate_gateway, quarantine_rate."""
    return Fact(kind, at, holds, None, subject, None, cause, detail)


CHANNEL_PATIENCE_MS = 300_000  # a provider that is away for minutes loses nothing


def channel_failing(channel: str, at: Millis, trouble: tuple[str, bool] | None) -> Fact:
    """A channel that takes no message: (why, whether one is lost already), None for one that delivers."""
    why, lost = trouble or ("", False)
    patience_ms = 0 if lost else CHANNEL_PATIENCE_MS
    return Fact("channel_failing", at, trouble is not None, None, channel, None, why, {}, patience_ms)


def screen(at: Millis, holds: bool, station: str, name: str) -> Fact:
    """A station screen that stopped (or resumed) checking in."""
    return Fact("screen_absent", at, holds, station, name, None, "no check-in" if holds else "checked in")


def entrance(at: Millis, agree: bool, station: str, name: str) -> Fact:
    """Whether what the counters, readers and doors of an entrance told of yesterday's visits can be true together."""
    cause = "its sensors tell of the same visits" if agree else "its sensors can't all be right about yesterday"
    return Fact("counters_disagree", at, not agree, station, name, None, cause)


def opening(change: OpeningChange) -> Fact:
    """A station that should be open, and evidence says that nobody can come in; over as soon as it says so no more."""
    holds = change.state == "contradicted"
    cause = (change.why or "") if holds else change.state
    return Fact("open_contradicted", change.at, holds, change.station, change.station, None, cause)


def box_offline(at: Millis, holds: bool, stations: Sequence[str], box: str, since: Millis) -> Fact:
    """A box whose line is down: one alert for all of its stations, told as one of the first of them."""
    detail: dict[str, Signal] = {"stations": len(stations), "since": since}
    return Fact("box_offline", at, holds, next(iter(stations), None), box, None, "line" if holds else "back", detail)


def flooding(resource: Resource, at: Millis, per_s: int | None) -> Fact:
    """A device that sends more than it may, about so many a second; None: no longer."""
    detail: dict[str, Signal] = {"device": resource.device}
    if per_s is not None:
        detail["per_s"] = per_s
    return Fact(
        "device_flooding", at, per_s is not None, resource.station, resource.device, resource, "flooding", detail
    )


def clock_skew(resource: Resource, at: Millis, holds: bool) -> Fact:
    """A device whose time stamps can't be believed; some wrong ones while it finds the time are nobody's trouble."""
    detail: dict[str, Signal] = {"device": resource.device}
    return Fact("clock_skew", at, holds, resource.station, resource.device, resource, "clock", detail, 60_000)


def check_problem(station: str, check: str, resource: Resource | None, at: Millis, holds: bool) -> Fact:
    """A person found wrong what this check is about (or found it right again)."""
    return Fact("check_problem", at, holds, station, check, resource, "found_wrong", {"check": check})


def check_missed(station: str, check: str, resource: Resource | None, at: Millis, holds: bool) -> Fact:
    """Nobody has looked for longer than the check holds."""
    return Fact("check_missed", at, holds, station, check, resource, "not_looked_at", {"check": check})


def supply_expiring(station: str, check: str, resource: Resource | None, at: Millis, holds: bool) -> Fact:
    """What this check is about expires soon, or has, by the day that somebody read off it."""
    return Fact("supply_expiring", at, holds, station, check, resource, "expires_soon", {"check": check})
