"""Sensors that stick or contradict what is around them: their evidence is `suspect` until it is consistent again.

Each rule is one row. Power rules look at one message; patience rules look at the neighbourhood, and only when their
time has come: `look` says when that is, so nothing is polled.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from config.kinds import SPECS
from gateway.kinds import Facts
from gateway.model import KindName, Millis

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DRAWING_W = 20.0
"""More than the electronics of a charger or plug need for themselves."""
IDLE_W = 5.0
NEIGHBOUR_FLIPS = 12.0
"""So many changes of an average neighbour, and none of its own: e^-12 if they were alike, rare if it is unpopular."""
GROUP_MAX = 32
"""Neighbours looked at; more tell nothing new."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds`: the condition, from the resource's own facts. It is suspect when that has lasted for `after_ms` and
    `confirmed` by what is around it; while it isn't, it is asked again every `again_ms`."""

    reason: str
    after_ms: Millis
    holds: Callable[[Facts], bool]
    confirmed: Callable[[Facts], bool] | None = None
    again_ms: Millis = 10 * MINUTE_MS


def _charging_without_power(facts: Facts) -> bool:
    return facts.status == "Charging" and facts.power_w is not None and facts.power_w < IDLE_W


def _power_while_free(facts: Facts) -> bool:
    return facts.use == "free" and facts.power_w is not None and facts.power_w >= DRAWING_W


def _meter_stands_still(facts: Facts) -> bool:
    return facts.energy_wh is not None and facts.power_w is not None and facts.power_w >= DRAWING_W


def _running_without_power(facts: Facts) -> bool:
    return facts.status == "running" and facts.power_w is not None and facts.power_w < IDLE_W


def _taken(facts: Facts) -> bool:
    return facts.use == "occupied"


def _always(_facts: Facts) -> bool:
    return True


def _nobody_about(facts: Facts) -> bool:
    """No door of the station moved since then, and nothing near it draws power. Without a door nobody can say."""
    doors = [one for one in facts.station.facts() if SPECS[one.resource.kind].entrance and one.axes.evidence == "live"]
    since = facts.moved_at or 0
    if not doors or any((door.moved_at or 0) > since for door in doors):
        return False
    area = facts.resource.area
    return not any(one.resource.area == area and (one.power_w or 0) >= DRAWING_W for one in facts.station.facts())


def _neighbours_move(facts: Facts) -> bool:
    others = len(facts.group) - 1
    return others > 0 and _flips(facts.group) - facts.mark >= NEIGHBOUR_FLIPS * others


_FROZEN = Rule("frozen", 2 * HOUR_MS, _always, _neighbours_move)
_NOBODY = Rule("occupied_though_nobody_is_about", 6 * HOUR_MS, _taken, _nobody_about, 30 * MINUTE_MS)

# Power rules first: what a thing says against itself weighs more than what its neighbours do.
RULES: dict[KindName, tuple[Rule, ...]] = {
    "seat": (_NOBODY, _FROZEN),
    "room": (_NOBODY,),
    "charger": (
        Rule("charging_without_power", 15 * MINUTE_MS, _charging_without_power),
        Rule("power_while_free", 5 * MINUTE_MS, _power_while_free),
        Rule("meter_stands_still", 15 * MINUTE_MS, _meter_stands_still),
        _FROZEN,
    ),
    "appliance": (
        Rule("running_without_power", 10 * MINUTE_MS, _running_without_power),
        Rule("power_while_free", 20 * MINUTE_MS, _power_while_free),  # a boiler heats again on its own
        Rule("runs_for_hours", 2 * HOUR_MS, _taken, _always),
        _FROZEN,
    ),
}  # fmt: skip
NEVER_AGAIN = 2**62


def look(facts: Facts, now: Millis) -> None:
    """Judge anew: sets `suspect`, and in `look_at` when time alone may change the verdict."""
    if facts.use is not facts.was or facts.moved_at is None:
        facts.was, facts.moved_at = facts.use, now
        facts.flips += 1
        facts.mark = _flips(facts.group)
    facts.suspect, facts.look_at = None, NEVER_AGAIN
    doubt = None
    for rule in RULES.get(facts.resource.kind, ()):
        if not rule.holds(facts):
            continue
        if rule.confirmed is None:
            doubt = rule.reason
            if facts.doubt != doubt or facts.doubt_since is None:
                facts.doubt, facts.doubt_since = doubt, now
        _judge(facts, rule, now)
    facts.doubt = doubt


def _judge(facts: Facts, rule: Rule, now: Millis) -> None:
    since = (facts.doubt_since if rule.confirmed is None else facts.moved_at) or now
    due = since + rule.after_ms
    if now >= due:
        if facts.suspect is None and (rule.confirmed is None or rule.confirmed(facts)):
            facts.suspect = rule.reason
        due = now + rule.again_ms if rule.confirmed is not None else NEVER_AGAIN
    facts.look_at = min(facts.look_at, due)


def _flips(group: Iterable[Facts]) -> int:
    return sum([one.flips for one in group])
