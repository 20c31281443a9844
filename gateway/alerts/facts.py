"""What alerts are made of: a fact says that somebody looked, and whether a condition holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model import Millis, Resource, Signal


@dataclass(frozen=True, slots=True)
class Fact:
    """A condition seen at `at`. `holds` None means "can't tell", and can't tell never raises nor clears anything.

    `station` None: a trouble of our own. `subject` is the resource, device, screen, gateway or file it is about.
    `patience_ms` adds to the raise delay: a car ramps up, a door may stand open for a while.
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


def own(kind: str, at: Millis, holds: bool, subject: str, cause: str = "", **detail: Signal) -> Fact:
    """A trouble of ours: broker_lost, store_failing, disk_filling, duplicate_gateway, quarantine_rate."""
    return Fact(kind, at, holds, None, subject, None, cause, detail)


def screen(at: Millis, holds: bool, station: str, name: str) -> Fact:
    """A station screen that stopped (or resumed) checking in."""
    return Fact("screen_absent", at, holds, station, name, None, "no check-in" if holds else "checked in")


def clock_skew(resource: Resource, at: Millis, skew_ms: Millis) -> Fact:
    """How far a device's clock is from ours: raised over five minutes, cleared under one, undecided between."""
    away = abs(skew_ms)
    holds = True if away > 300_000 else False if away < 60_000 else None
    detail: dict[str, Signal] = {"device": resource.device, "skew_s": skew_ms // 1000}
    return Fact("clock_skew", at, holds, resource.station, resource.device, resource, "clock", detail, 60_000)
