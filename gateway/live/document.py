"""The availability document of contract section 4, made from a live station."""

from collections.abc import Iterable
from typing import Any

import msgspec

from config.kinds import UNITS
from gateway.kinds import Facts
from gateway.live.booking import programme
from gateway.live.places import Area, Station, utc
from gateway.model import Document, Millis
from gateway.policy.privacy import PERSONAL, rounded

RENEW_AFTER = 0.5  # of the ttl: a message after that has the document made again
_NOT_BY_MESSAGE = 2**62  # coming to life is a change, and makes it anyway; a step through a door is nobody's business
_OPEN = {"open": "yes", "closed": "no", "staff_only": "no", "unknown": "unknown"}

encode = msgspec.json.Encoder().encode


def document(station: Station, now: Millis) -> Document:
    """Make it, and note on each resource when a further message makes it worth making again."""
    valid_until = None
    for facts in station.facts():
        until = shown_until(facts, now)
        facts.renew_at = _NOT_BY_MESSAGE
        if facts.axes.evidence == "live" and until is not None:
            valid_until = until if valid_until is None else min(valid_until, until)
            if facts.resource.kind not in PERSONAL:
                facts.renew_at = until - int(facts.ttl_ms * RENEW_AFTER)
    body = {
        "station": station.id,
        "name": station.name,
        **station.extra,
        "as_of": utc(now),
        "valid_until": utc(valid_until),
        "open": {"now": _OPEN[station.access], "until": utc(station.access_until)},
        "summary": with_next_free(station, summary(station.facts()), now),
        "areas": [_area(area, now) for area in station.areas],
    }
    return Document(station.id, encode(body), now, valid_until)


def shown_until(facts: Facts, now: Millis) -> Millis | None:
    """Until when the resource may be shown as it is: what somebody set by hand holds longer than a sensor's word.

    Of rooms and doors nobody sees whether the last message came just now or a step (a quarter of the ttl) ago.
    """
    by_hand: Millis | None = facts.effect.live_until if facts.effect is not None else None
    until = facts.valid_until if by_hand is None else by_hand
    if by_hand is None and until is not None and facts.resource.kind in PERSONAL:
        until = min(until, now - now % facts.step_ms + facts.ttl_ms - facts.step_ms)
    holds = facts.holds_until  # past it the value may be good still, but not the place open
    return until if until is None or holds is None or until < holds else holds


def _observed(facts: Facts, now: Millis) -> Millis | None:
    if facts.observed_at is None or facts.resource.kind not in PERSONAL:
        return facts.observed_at
    step_ms = facts.step_ms
    return min(facts.observed_at - facts.observed_at % step_ms, now - now % step_ms - step_ms)


def _area(area: Area, now: Millis) -> dict[str, Any]:
    resources = [_resource(facts, now) for facts in area.facts]
    on = programme(area.on_now)
    if on:
        for shown in resources:
            if shown["kind"] == "room":
                shown["programme"] = on
    return {"id": area.id, "name": area.name, "resources": resources}


def _resource(facts: Facts, now: Millis) -> dict[str, Any]:
    resource, axes = facts.resource, facts.axes
    step_ms = facts.station.tick_ms if resource.kind in PERSONAL else 1
    shown: dict[str, Any] = {
        "id": resource.id,
        "kind": resource.kind,
        "type": resource.type,
        **axes.shown(),
        "observed_at": utc(_observed(facts, now)),
        "valid_until": utc(shown_until(facts, now)),
        "since": utc(rounded(facts.since, step_ms)),
    }
    if resource.name:
        shown["name"] = resource.name
    if facts.level is not None:
        shown["level"] = facts.level
    if resource.kind in UNITS:
        shown["free"], shown["total"] = facts.free, facts.total if facts.total is not None else resource.capacity
    return shown


def summary(all_facts: Iterable[Facts]) -> list[dict[str, Any]]:
    """Counts by kind and type: certain ones, and those that may be. Units, not banks, for lockers and parking."""
    rows: dict[tuple[str, str | None], dict[str, Any]] = {}
    for facts in all_facts:
        resource, axes = facts.resource, facts.axes
        if axes.lifecycle != "active":
            continue
        row = rows.get((resource.kind, resource.type))
        if row is None:
            row = {"kind": resource.kind, "type": resource.type, "total": 0, "usable_min": 0, "usable_max": 0}
            rows[resource.kind, resource.type] = row
        size, free = _units(facts)
        row["total"] += size
        if axes.usable == "yes":
            row["usable_min"] += free
            row["usable_max"] += free
        elif axes.usable == "unknown":
            row["usable_max"] += size
    return list(rows.values())


def with_next_free(station: Station, rows: list[dict[str, Any]], now: Millis) -> list[dict[str, Any]]:
    """Where all is taken and the past says enough: when the next one will about be free, in four of five cases."""
    for row in rows:
        forecasts = station.forecasts.get((row["kind"], row["type"]))
        if forecasts is None or row["usable_max"]:
            continue
        starts = [
            facts.since
            for facts in station.facts()
            if (facts.resource.kind, facts.resource.type) == (row["kind"], row["type"])
            and facts.axes.because == ("occupied",)
            and facts.since is not None
        ]
        one, first_of = forecasts
        next_ = one.remaining(starts[0], now) if len(starts) == 1 else first_of.remaining(starts, now)
        if next_ is not None:
            row["next_free"] = {
                "at": utc(now + next_.median), "from": utc(now + next_.low), "to": utc(now + next_.high)
            }  # fmt: skip
    return rows


def _units(facts: Facts) -> tuple[int, int]:
    """(how many it is, how many of them are free if it is usable)."""
    if facts.resource.kind not in UNITS:
        return 1, 1
    size = facts.total if facts.total is not None else facts.resource.capacity
    free = facts.free if facts.free is not None else 0
    return (free if size is None else size), free
