"""A device's signals and events → conditions that the five axes don't show. Ask when one of `SIGNALS` changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gateway.alerts.facts import Fact
from gateway.model import Millis, Resource, Signal

# A battery must gain so much over the limit to be fine again: voltage recovers when the radio rests.
BATTERY_BAND_PCT = 5
# Event types that are alerts as they stand.
ALARMS = ("door_forced", "door_held", "tamper", "help")

SIGNALS = frozenset({"battery_pct", "expires", "open"})


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a signal is an alert."""

    battery_low_pct: float = 20
    safety_expiry_days: int = 30
    door_held_ms: Millis = 120_000


def facts_of_signals(resource: Resource, signals: Mapping[str, Signal], at: Millis, limits: Limits) -> list[Fact]:
    """`signals` are all that the device last said, not only the new ones."""
    judged: dict[str, bool | None] = {}
    if "battery_pct" in signals:
        judged["battery_low"] = _battery(limits.battery_low_pct, signals["battery_pct"])
    if resource.kind == "door" and "open" in signals:
        judged["door_held"] = bool(signals["open"])
    if resource.kind == "safety" and "expires" in signals:
        judged["safety_expiring"] = _expiring(str(signals["expires"]), at, limits.safety_expiry_days)
    detail = {name: signals[name] for name in sorted(SIGNALS & signals.keys())}
    patience_ms = {"door_held": limits.door_held_ms}
    return [
        Fact(
            kind, at, holds, resource.station, resource.id, resource,
            _cause(kind, signals), detail, patience_ms.get(kind, 0),
        )
        for kind, holds in judged.items()
    ]  # fmt: skip


def fact_of_event(resource: Resource, event: str, at: Millis) -> Fact | None:
    """An alarm as it stands, or None: a card at a door is nobody's trouble, and its fields go no further."""
    if event not in ALARMS:
        return None
    return Fact(event, at, True, resource.station, resource.id, resource, event, {"device": resource.device})


def _battery(low_pct: float, pct: Signal) -> bool | None:
    if isinstance(pct, str):
        return None
    return True if pct <= low_pct else False if pct >= low_pct + BATTERY_BAND_PCT else None


def _expiring(expires: str, at: Millis, days: int) -> bool | None:
    try:
        left = date.fromisoformat(expires) - datetime.fromtimestamp(at / 1000, UTC).date()
    except ValueError:
        return None
    return left.days <= days


def _cause(kind: str, signals: Mapping[str, Signal]) -> str:
    name = {"battery_low": "battery_pct", "safety_expiring": "expires", "door_held": "open"}[kind]
    return f"{name}={signals.get(name)}"
