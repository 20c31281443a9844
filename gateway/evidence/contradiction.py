"""The one judge of evidence: what contradicts itself or what is around it, for how long, and what follows.

Each rule is one row. Its verdict is both the reason why evidence is `suspect` and the alert that is told, so the two
never disagree. A thing that contradicts itself is judged by its own messages; patience rules look at the neighbourhood,
and only when their time has come: `look` says when that is, so nothing is polled.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from config.kinds import SPECS
from gateway.evidence import power
from gateway.evidence.facts import Facts, evidence_of
from gateway.evidence.freshness import SILENT
from gateway.model import KindName, Millis

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
REGISTER_MS = 15 * MINUTE_MS
"""A register that rose so lately shows that power flows."""
NEIGHBOUR_FLIPS = 12.0
"""So many changes of an average neighbour, and none of its own: e^-12 if they were alike, rare if it is unpopular."""
GROUP_MAX = 32
"""Neighbours looked at; more tell nothing new."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`holds`: the condition, from the resource's own facts. The verdict falls when that has lasted for `after_ms` and
    is `confirmed` by what is around it; while it isn't, it is asked again every `again_ms`.

    `alert`: the kind of alert that it leads to. `suspect`: whether evidence is in doubt, too; not where the resource is
    out of use anyway. `register_clears`: an energy register that rises meanwhile proves the condition wrong.
    """

    reason: str
    after_ms: Millis
    holds: Callable[[Facts], bool]
    alert: str = "stuck_sensor"
    suspect: bool = True
    register_clears: bool = False
    confirmed: Callable[[Facts], bool] | None = None
    again_ms: Millis = 10 * MINUTE_MS


def _taken(facts: Facts) -> bool:
    return facts.known.use == "occupied"


def _in_order(facts: Facts) -> bool:
    return facts.known.health != "fault"  # what is out of order does not change, and that is told as a fault


def _always(_facts: Facts) -> bool:
    return True


def _nobody_about(facts: Facts) -> bool:
    """No door of the station moved since then, and nothing near it draws power. Without a door nobody can say."""
    doors = [
        neighbour
        for neighbour in facts.doubt.around
        if SPECS[neighbour.resource.kind].entrance and neighbour.axes.evidence == "live"
    ]
    since = facts.doubt.moved_at or 0
    if not doors or any(max(door.doubt.moved_at or 0, door.known.seen_at or 0) > since for door in doors):
        return False
    area = facts.resource.area
    return not any(neighbour.resource.area == area and power.draws(neighbour) for neighbour in facts.doubt.around)


def _neighbours_move(facts: Facts) -> bool:
    others = len(facts.doubt.group) - 1
    return others > 0 and _flips(facts.doubt.group) - facts.doubt.mark >= NEIGHBOUR_FLIPS * others


_RULES = {
    rule.reason: rule
    for rule in (
        Rule(
            "charging_without_power", 2 * MINUTE_MS, power.charging_without_power, "session_without_power",
            register_clears=True,
        ),
        Rule("power_while_free", MINUTE_MS, power.power_while_free, "power_without_session"),
        Rule(
            "power_while_out_of_order", MINUTE_MS, power.power_while_out_of_order, "power_without_session",
            suspect=False,
        ),
        Rule("meter_stands_still", 15 * MINUTE_MS, power.meter_stands_still, register_clears=True),
        Rule("running_without_power", 10 * MINUTE_MS, power.running_without_power),
        Rule("runs_for_hours", 2 * HOUR_MS, _taken, confirmed=_always),
        Rule(
            "occupied_though_nobody_is_about", 6 * HOUR_MS, _taken, confirmed=_nobody_about, again_ms=30 * MINUTE_MS
        ),
        Rule("frozen", 2 * HOUR_MS, _in_order, confirmed=_neighbours_move),
    )
}  # fmt: skip
# What counts no sessions may draw for a while when nobody uses it: a boiler heats again on its own.
_UNMETERED = {"power_while_free": replace(_RULES["power_while_free"], after_ms=20 * MINUTE_MS)}

RULES: dict[str, tuple[Rule, ...]] = {
    spec.name: tuple((_RULES if spec.metered else _RULES | _UNMETERED)[reason] for reason in spec.doubts)
    for spec in SPECS.values()
    if spec.doubts
}
"""The rules of each kind in the order in which it names them: the first that holds weighs most."""
NEVER_AGAIN = 2**62


def rule_of(kind: KindName, reason: str | None) -> Rule | None:
    """The rule of this kind that has this reason."""
    return next((rule for rule in RULES.get(kind, ()) if rule.reason == reason), None)


def join(facts: Facts, around: Sequence[Facts], group: Sequence[Facts]) -> None:
    """Before the first look: all of its station, and its like there, which may still grow."""
    facts.doubt.around, facts.doubt.group, facts.doubt.load = around, group, power.load_of(facts.resource)


def told_otherwise(facts: Facts) -> bool:
    """What it said of status and power may change the verdict. What only moves a deadline is found when that comes."""
    doubt = facts.doubt
    return (
        doubt.verdict is not None
        or facts.known.status != doubt.status
        or power.band(facts) != doubt.band
        or facts.axes.evidence != "live"
    )


def look(facts: Facts, now: Millis) -> None:
    """Judge anew: sets `verdict` and `suspect`, and in `look_at` when time alone may change them."""
    doubt = facts.doubt
    if facts.known.use is not doubt.was or doubt.moved_at is None:
        doubt.was, doubt.moved_at = facts.known.use, now
        doubt.flips += 1
        doubt.mark = _flips(doubt.group)
    doubt.status, doubt.band = facts.known.status, power.band(facts)
    before, reason = doubt.verdict, None
    doubt.look_at = NEVER_AGAIN
    broken: Rule | None = None
    for rule in RULES.get(facts.resource.kind, ()):
        if rule.confirmed is None:
            if reason is None and rule.holds(facts):
                reason = rule.reason
                broken = _against_itself(facts, rule, before, now)
        elif broken is None and rule.holds(facts):
            broken = _against_others(facts, rule, now)
    if reason is None:
        doubt.reason = doubt.since = None
    doubt.verdict = None if broken is None else broken.reason
    doubt.suspect = doubt.verdict if broken is not None and broken.suspect else None


def _against_itself(facts: Facts, rule: Rule, before: str | None, now: Millis) -> Rule | None:
    """The first such rule alone counts. One that is not yet decided begins anew after a silence."""
    doubt = facts.doubt
    silent = facts.axes.evidence in SILENT and before != rule.reason
    if doubt.reason != rule.reason or doubt.since is None or silent:
        doubt.reason, doubt.since = rule.reason, now
        if silent and evidence_of(facts, now)[0] in SILENT:
            return None  # its next message has us look again
    due = due_at(facts, rule, doubt.since)
    if now >= due:
        return rule
    doubt.look_at = due
    return None


def due_at(facts: Facts, rule: Rule, since: Millis) -> Millis:
    """When the verdict falls if the condition has lasted `since` then, and goes on."""
    due = since + rule.after_ms
    if rule.register_clears and facts.known.rose_at is not None and facts.known.rose_at > since:
        return max(due, facts.known.rose_at + REGISTER_MS)
    return due


def _against_others(facts: Facts, rule: Rule, now: Millis) -> Rule | None:
    doubt = facts.doubt
    due = (doubt.moved_at or now) + rule.after_ms
    broken = None
    if now >= due:
        assert rule.confirmed is not None
        broken = rule if rule.confirmed(facts) else None
        due = now + rule.again_ms
    doubt.look_at = min(doubt.look_at, due)
    return broken


def _flips(group: Iterable[Facts]) -> int:
    return sum([peer.doubt.flips for peer in group])
