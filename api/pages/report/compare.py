"""Last month beside this one: each figure of both, and what lies between them in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.report.faults import lasted
from api.pages.report.gather import MonthReport
from api.pages.report.words import Words, floored
from api.usage import Usage
from gateway.base.local_time import HOUR_MS
from gateway.history.utilization import Minutes
from gateway.policy.privacy import Band
from gateway.store.place import COUNTERS, ENTRANCES, METERED

THIN = 0.5
"""Where a smaller share of a month is known, a difference is told with a warning, or not at all."""


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One line: a figure's name, this month, last month, and the difference; all safe in HTML."""

    name: str
    now: str
    before: str
    difference: str


def compared(report: MonthReport, say: Words) -> Sequence[ComparedFigure]:
    """Each figure of both months, in the order of the report's first line; none where nothing was before."""
    before = report.before
    if before is None:
        return ()
    now, then = report.total, before.total
    shares = [
        ("utilization", now.minutes.utilization, then.minutes.utilization),
        ("kept", report.promised.kept, before.promised.kept),
    ]
    if not report.promised.promised and not before.promised.promised:
        shares.pop()
    lines = [
        ComparedFigure(say(key), say.share(this_month), say.share(last_month), points(this_month, last_month, say))
        for key, this_month, last_month in shares
    ]
    first, second = now.minutes.coverage, then.minutes.coverage
    step = points(_floored(first), _floored(second), say)
    lines.append(ComparedFigure(say("coverage"), say.coverage(first), say.coverage(second), step))
    lines.append(_uses(now, then, say))
    kinds = {resource.kind for area in report.station.areas for resource in area.resources}
    if kinds & METERED:
        energy = _kwh(now), _kwh(then)
        lines.append(ComparedFigure(say("energy"), say.energy(now), say.energy(then), amount(*energy, say, digits=1)))
    if kinds & (ENTRANCES | COUNTERS):
        visits = now.visitors, then.visitors
        lines.append(ComparedFigure(say("visits"), say.band(visits[0]), say.band(visits[1]), bands(*visits, say)))
    if report.alerts is not None and before.alerts is not None:
        times = len(report.alerts), len(before.alerts)
        lines.append(ComparedFigure(say("alerts"), str(times[0]), str(times[1]), amount(*times, say)))
        hours = lasted(report.alerts, report.month), lasted(before.alerts, before.month)
        told = say.hours(hours[0]), say.hours(hours[1])
        more = amount(hours[0] / HOUR_MS, hours[1] / HOUR_MS, say, digits=1)
        lines.append(ComparedFigure(say("alert_hours"), *told, more))
    return lines


def thin(report: MonthReport) -> bool:
    """Whether too little is known of either month for their difference to say much."""
    both = [report.total, *([report.before.total] if report.before is not None else [])]
    return any(is_thin(usage.minutes) for usage in both)


def is_thin(minutes: Minutes) -> bool:
    return (minutes.coverage or 0.0) < THIN


def points(now: float | None, before: float | None, say: Words) -> str:
    """Two shares, 0 to 1: what is written of both, so that the difference is that of the figures one sees."""
    if now is None or before is None:
        return _nothing(now, say)
    step = round(now * 100) - round(before * 100)
    return say("same") if not step else say("points_up" if step > 0 else "points_down", n=abs(step))


def amount(now: float | None, before: float | None, say: Words, *, digits: int = 0) -> str:
    """Two amounts: how many more, and by what part of last month's."""
    if now is None or before is None:
        return _nothing(now, say)
    step = round(now - before, digits)
    if not step:
        return say("same")
    told = say("more" if step > 0 else "fewer", n=f"{abs(step):,.{digits}f}")
    return f"{told} ({step / before * 100:+.0f}%)" if before else told


def bands(now: Band | None, before: Band | None, say: Words) -> str:
    """Only what holds wherever in their bands the two numbers lie."""
    if now is None or before is None:
        return _nothing(now, say)
    if before.high is not None and now.low > before.high:
        return say("at_least_more", n=f"{now.low - before.high:,}")
    if now.high is not None and before.low > now.high:
        return say("at_least_fewer", n=f"{before.low - now.high:,}")
    return say("cannot_tell")


def _floored(share: float | None) -> float | None:
    """Rounded down, as a coverage is written."""
    return None if share is None else floored(share) / 100


def _nothing(now: object, say: Words) -> str:
    return say("nothing_now" if now is None else "nothing_before")


def _uses(now: Usage, then: Usage, say: Words) -> ComparedFigure:
    """Where nothing was seen all month, nobody knows how many uses there were."""
    both = now.minutes, then.minutes
    first, second = (usage.sessions if usage.known_open else None for usage in both)
    told = [say("unknown") if uses is None else f"{uses:,}" for uses in (first, second)]
    return ComparedFigure(say("uses"), told[0], told[1], amount(first, second, say))


def _kwh(usage: Usage) -> float | None:
    return (usage.tally.energy_mwh + usage.tally.gap_mwh) / 1_000_000 if usage.metered else None
