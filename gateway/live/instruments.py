"""Instruments as a document shows them: whether one warns, and what it measures. A counter shows nothing to anybody."""

from msgspec import UNSET

from gateway.evidence.facts import Facts
from gateway.kinds.hazard import ALARM, TESTED
from gateway.live.moments import observed_at, sensed_until
from gateway.live.places import utc_or_none
from gateway.live.station_document import ShownInstrument
from gateway.model import Millis


def instrument(facts: Facts, now: Millis) -> ShownInstrument:
    """What is no longer live, and what is not in use yet, warns of nothing and measures nothing."""
    resource, axes = facts.resource, facts.axes
    speaks = axes.evidence == "live" and axes.lifecycle == "active"
    warns = resource.kind == "hazard"
    values: dict[str, float | bool] = {}
    if speaks and warns and facts.known.status == TESTED:
        values["test"] = True
    elif speaks and facts.known.measured is not None:
        values = {name: value for name, (value, _) in facts.known.measured.items()}
    return ShownInstrument(
        resource.id,
        resource.kind,
        resource.type,
        axes.health,
        axes.evidence,
        "person" if axes.health == "maintenance" or facts.found_wrong else "sensor",
        facts.known.status == ALARM if speaks and warns else None,
        values,
        utc_or_none(observed_at(facts, now)),
        utc_or_none(measured_until(facts, now)),
        resource.name or UNSET,
    )


def measured_until(facts: Facts, now: Millis) -> Millis | None:
    """Until when it may be shown as it is: until the first of its values runs out."""
    until, measured = sensed_until(facts, now), facts.known.measured
    if until is None or not measured:
        return until
    return min(until, *(at + facts.fresh.ttl_ms for _, at in measured.values()))
