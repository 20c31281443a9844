"""A device's signals and events → conditions that the five axes don't show. Ask when a signal of one changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from config.kinds import SPECS
from gateway.alerts.facts import Fact
from gateway.model import KindName, Millis, Resource, Signal

# A battery must gain so much over the limit to be fine again: voltage recovers when the radio rests.
BATTERY_BAND_PCT = 5
# Event types that are alerts as they stand.
ALARMS = ("door_forced", "door_held", "tamper", "help")
# Every event type that an alert follows from: its kind, and whether it holds from there on.
SAYS: dict[str, tuple[str, bool]] = {
    **{alarm: (alarm, True) for alarm in ALARMS},
    "operator_away": ("operator_away", True),
    "operator_back": ("operator_away", False),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a signal is an alert."""

    battery_low_pct: float = 20
    safety_expiry_days: int = 30
    door_held_ms: Millis = 120_000


def _battery(value: Signal, _at: Millis, limits: Limits) -> bool | None:
    if isinstance(value, str):
        return None
    low_pct = limits.battery_low_pct
    return True if value <= low_pct else False if value >= low_pct + BATTERY_BAND_PCT else None


def _held(value: Signal, _at: Millis, _limits: Limits) -> bool | None:
    return bool(value)


def _expiring(value: Signal, at: Millis, limits: Limits) -> bool | None:
    try:
        left = date.fromisoformat(str(value)) - datetime.fromtimestamp(at / 1000, UTC).date()
    except ValueError:
        return None
    return left.days <= limits.safety_expiry_days


class Condition(NamedTuple):
    """`judge` says of a value of `signal` at a time whether the alert `kind` is true; None: it can't tell.

    `of` is the kind of resource that it is asked of, None for all; `patience_ms` adds to the raise delay.
    """

    kind: str
    signal: str
    of: KindName | None
    judge: Callable[[Signal, Millis, Limits], bool | None]
    patience_ms: Callable[[Limits], Millis] = lambda _: 0


CONDITIONS = (
    Condition("battery_low", "battery_pct", None, _battery),
    Condition("door_held", "open", "door", _held, lambda limits: limits.door_held_ms),
    Condition("safety_expiring", "expires", "safety", _expiring),
    Condition("supply_expiring", "expires", "supply", _expiring),
)
"""Another one is a line here; its `of` is then WATCHED in gateway/kinds, and keeps its signal by its name."""
_ASKED = {kind: [condition for condition in CONDITIONS if condition.of in (None, kind)] for kind in SPECS}
_SIGNALS = sorted({condition.signal for condition in CONDITIONS})


def facts_of_signals(resource: Resource, signals: Mapping[str, Signal], at: Millis, limits: Limits) -> list[Fact]:
    """`signals` are all that the device last said, not only the new ones."""
    detail = {name: signals[name] for name in _SIGNALS if name in signals}
    facts: list[Fact] = []
    for kind, signal, _, judge, patience_ms in _ASKED[resource.kind]:
        value = signals.get(signal)
        if value is not None:
            facts.append(
                Fact(
                    kind, at, judge(value, at, limits), resource.station, resource.id, resource, f"{signal}={value}",
                    detail, patience_ms(limits),
                )
            )  # fmt: skip
    return facts


def fact_of_event(resource: Resource, event: str, at: Millis) -> Fact | None:
    """An alarm as it stands, or None: a card at a door is nobody's trouble, and its fields go no further."""
    if event not in SAYS:
        return None
    kind, holds = SAYS[event]
    return Fact(kind, at, holds, resource.station, resource.id, resource, event, {"device": resource.device})
