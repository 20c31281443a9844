"""The availability document of contract section 4, made from a live station."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from config.kinds import INSTRUMENTS, UNITS
from gateway.base.local_time import HOUR_MS
from gateway.evidence.facts import Facts
from gateway.live.axes import whose_word
from gateway.live.booking import programme
from gateway.live.instruments import instrument, measured_until
from gateway.live.moments import observed_at, sensed_until
from gateway.live.places import Area, Station, utc, utc_or_none
from gateway.live.station_document import (
    Document,
    ExpectedFree,
    OpenNow,
    Programme,
    ShownArea,
    ShownResource,
    StationDocument,
    SummaryLine,
    encoded,
    summed,
)
from gateway.model import Millis, Usable
from gateway.policy.privacy import PERSONAL, rounded

RENEW_AFTER = 0.5  # of the ttl: a message after that has the document made again
_NOT_BY_MESSAGE = 2**62  # a change has it made anyway; steps through a door are not shown
_OPEN: dict[str, Usable] = {"open": "yes", "closed": "no", "staff_only": "no", "unknown": "unknown"}


def document(station: Station, now: Millis) -> Document:
    """Make it, and note on each resource when a further message makes it worth making again."""
    ends: list[Millis] = []
    areas = [_area(area, station.tick_ms, now, ends) for area in station.areas]
    shown = StationDocument(
        station=station.id,
        name=station.name,
        region=station.region,
        location=station.location,
        as_of=utc(now),
        valid_until=utc(min(ends)) if ends else None,
        open=_open(station, now),
        summary=with_next_free(station, summed([resource for area in areas for resource in area.resources]), now),
        areas=areas,
    )
    return encoded(shown, now)


def _open(station: Station, now: Millis) -> OpenNow:
    """Times of signs are rounded, so that nobody's step can be told from them."""
    judged = station.promise.at(now)
    until = judged.proved_until
    return OpenNow(
        _OPEN[station.access],
        utc_or_none(station.access_until),
        judged.public,
        utc_or_none(rounded(judged.proved_at, HOUR_MS)),
        UNSET if until is None else utc(until - until % -HOUR_MS),
    )


def shown_until(facts: Facts, now: Millis) -> Millis | None:
    """Until when the resource may be shown as it is: what somebody set by hand holds longer than a sensor's word."""
    by_hand: Millis | None = facts.effect.live_until if facts.effect is not None else None
    until = sensed_until(facts, now) if by_hand is None else by_hand
    holds = facts.holds_until  # past it the value may be good still, but not the place open
    return until if until is None or holds is None or until < holds else holds


def _area(area: Area, tick_ms: Millis, now: Millis, ends: list[Millis]) -> ShownArea:
    """Until when each live value holds is added to `ends`."""
    on = programme(area.on_now)
    resources, instruments = [], []
    for facts in area.facts:
        kind = facts.resource.kind
        if kind in INSTRUMENTS:
            until = measured_until(facts, now)
            instruments.append(instrument(facts, now))
        else:
            until = shown_until(facts, now)
            resources.append(_resource(facts, until, tick_ms if kind in PERSONAL else 1, now, on))
        facts.renew_at = _NOT_BY_MESSAGE
        if until is not None and facts.axes.evidence == "live":
            ends.append(until)
            if kind not in PERSONAL:
                facts.renew_at = until - int(facts.fresh.ttl_ms * RENEW_AFTER)
    return ShownArea(area.id, area.name, resources, instruments)


def _resource(
    facts: Facts, until: Millis | None, step_ms: Millis, now: Millis, on: Programme | UnsetType
) -> ShownResource:
    """Valid `until` then; its times move by `step_ms`; `on` is the programme of its area, which rooms show."""
    resource, axes, known, since = facts.resource, facts.axes, facts.known, facts.since
    kind, observed = resource.kind, observed_at(facts, now)
    free: int | UnsetType | None = UNSET
    total: int | UnsetType | None = UNSET
    if kind in UNITS:
        free, total = known.free, known.total if known.total is not None else resource.capacity
    if since is not None and step_ms != 1:
        since = rounded(since, step_ms)
    return ShownResource(
        resource.id,
        kind,
        resource.type,
        axes.usable,
        axes.because,
        axes.lifecycle,
        axes.health,
        axes.access,
        axes.use,
        axes.evidence,
        None if observed is None else utc(observed),
        None if until is None else utc(until),
        None if since is None else utc(since),
        whose_word(facts),
        resource.name or UNSET,
        UNSET if known.level is None else known.level,
        free,
        total,
        on if kind == "room" else UNSET,
    )


def with_next_free(station: Station, lines: Sequence[SummaryLine], now: Millis) -> Sequence[SummaryLine]:
    """Where all is taken and the past says enough: when the next one will about be free, in four of five cases."""
    if not station.forecasts:
        return lines
    return [replace(line, next_free=_next_free(station, line, now)) for line in lines]


def _next_free(station: Station, line: SummaryLine, now: Millis) -> ExpectedFree | UnsetType:
    forecasts = station.forecasts.get(line.group)
    if forecasts is None or line.usable_max:
        return UNSET
    starts = [
        facts.since
        for facts in station.facts()
        if (facts.resource.kind, facts.resource.type) == line.group
        and facts.axes.because == ("occupied",)
        and facts.since is not None
    ]
    of_one, of_first = forecasts
    remaining = of_one.remaining(starts[0], now) if len(starts) == 1 else of_first.remaining(starts, now)
    if remaining is None:
        return UNSET
    return ExpectedFree(utc(now + remaining.median), utc(now + remaining.low), utc(now + remaining.high))
