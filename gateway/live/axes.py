"""The axes of a resource as people see them: what sensors say, what people found, hours, and what is set by hand."""

from typing import Final

from config.kinds import SPECS
from gateway.evidence.facts import Facts
from gateway.live.checks import by_people
from gateway.live.station_document import By
from gateway.model import POINTS, Axes, Evidence, Mark, Millis, axes_of

SUPPLY: Final = "supply"


def axes_shown(facts: Facts, evidence: Evidence, now: Millis) -> Axes:
    """`evidence` is the axis of that name, as worked out for `now`."""
    known = facts.known
    use = known.use
    health = known.health if known.fault is not None or known.status_fault or known.degraded else "ok"
    unreadable = facts.fresh.unreadable
    empty = use == "blocked" and facts.resource.kind == SUPPLY
    plain = not (facts.booked or unreadable or facts.barred or facts.checks or empty)
    if facts.effect is None and plain:
        return POINTS[facts.lifecycle, health, facts.access, use, evidence]
    if facts.checks:
        health, use = by_people(facts, health, use, evidence, now)
    if facts.booked and use in ("free", "unknown"):
        use = "reserved"
    marks = (Mark.UNREADABLE if unreadable else 0) | (Mark.BARRED if facts.barred else 0)
    if use == "blocked" and (empty or facts.known.use != "blocked"):
        marks |= Mark.EMPTY
    if facts.effect is None:
        return axes_of(facts.lifecycle, health, facts.access, use, evidence, marks)
    seen = facts.effect.apply(health, facts.access, use, evidence, SPECS[facts.resource.kind])
    return axes_of(facts.lifecycle, *seen, marks)


def whose_word(facts: Facts) -> By:
    """Who decides whether it is usable: the one behind the first reason, or behind its being free."""
    axes, effect, known = facts.axes, facts.effect, facts.known
    if axes.lifecycle != "active":
        return "schedule"
    if axes.health == "maintenance":
        return "person"
    if axes.health == "fault":
        return "person" if facts.found_wrong else "sensor"
    if axes.access in ("closed", "staff_only"):
        return "person" if effect is not None and effect.access is not None else "schedule"
    if effect is not None and effect.use is not None:
        return "person"
    if facts.booked and axes.use == "reserved" and known.use in ("free", "unknown"):
        return "schedule"
    if facts.fresh.heard:
        return "sensor"
    return "person" if facts.checks else "schedule"
