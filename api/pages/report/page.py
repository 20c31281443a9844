"""The report as HTML: everything is in the page as it is served, so that it reads and prints without a script."""

from collections.abc import Iterable, Sequence

from api.pages.report import draw
from api.pages.report.compare import compared, thin
from api.pages.report.faults import faults, place_of
from api.pages.report.gather import MonthReport, ResourceUse
from api.pages.report.lessons import edge_words, full_rows
from api.pages.report.words import Words
from api.usage import Usage
from config.schema import AreaSettings
from gateway.base.local_time import local_of
from gateway.history.activities import HeldCount
from gateway.policy.privacy import total
from gateway.store.place import COUNTERS, ENTRANCES, METERED, NOBODYS

AREAS_ABREAST = 5  # as many columns as an A4 page holds beside the rest
Row = Sequence[str]


def body(report: MonthReport, say: Words) -> str:
    """All sections, one after another; the first page of paper holds the pictures."""
    return "".join(
        (
            _figures(report, say),
            _section(say("by_day"), draw.days(report, say), note=say("formula")),
            _section(say("by_hour"), draw.week(report, say) + _ramp(say), note=_peaks(report, say)),
            _compared(report, say),
            _areas(report, say),
            _lessons(report, say),
            _alerts(report, say),
            _occupations(report, say),
            _chargers(report, say),
            _daily(report, say),
            _places(report, say),
            _how(say),
            _sign(say),
        )
    )


def _figures(report: MonthReport, say: Words) -> str:
    usage, minutes = report.total, report.total.minutes
    tiles = [
        (say("utilization"), say.share(minutes.utilization), say("formula")),
        (say("coverage"), say.coverage(minutes.coverage), say("covered", hours=say.hours(minutes.unknown))),
        (say("uses"), f"{minutes.sessions:,}", say("seen")),
    ]
    if report.promised.promised:
        seen = say("kept_of", coverage="{}").format(say.coverage(report.promised.coverage))
        tiles.append((say("kept"), say.share(report.promised.kept), seen))
    charged = [use for resource_use in report.resources for use in resource_use.charges]
    if any(use.resource.kind in METERED for use in report.resources):
        whole = sum(charge.use.whole for charge in charged)
        tiles.append((say("energy"), say.energy(usage), say("charged", whole=whole, all=len(charged))))
    if _tells_visits(report):
        tiles.append((say("visits"), say.band(usage.visitors), say("banded")))
    if report.held:
        held = HeldCount()
        for day in report.held.values():
            held.add(day)
        note = say("activities_of", planned=held.planned, not_held=held.not_held, unknown=held.unknown)
        tiles.append((say("activities"), str(held.held) if held.coverage else say("unknown"), note))
    cells = [f"<div><dt>{name}</dt><dd><b>{value}</b><span>{note}</span></dd></div>" for name, value, note in tiles]
    return f'<dl class="figures">{"".join(cells)}</dl>'


def _tells_visits(report: MonthReport) -> bool:
    """Whether anything there can tell who came in."""
    return any(resource.kind in ENTRANCES | COUNTERS for area in report.station.areas for resource in area.resources)


def _peaks(report: MonthReport, say: Words) -> str:
    busy = sorted(
        (hour for hour, usage in report.week.items() if usage.peak), key=lambda hour: _share(report.week[hour])
    )
    if not busy:
        return say("no_peaks")
    told = [
        f"{say.weekday(hour // 24)} {hour % 24}:00 {say.share(report.week[hour].minutes.utilization)}"
        for hour in reversed(busy)
    ]
    return say("peaks", list="{}").format(" · ".join(told))


def _share(usage: Usage) -> float:
    return usage.minutes.utilization or 0.0


def _ramp(say: Words) -> str:
    steps = "".join(f'<i class="u{step}"></i>' for step in range(6))
    return (
        f'<p class="ramp">{say("empty")} <span>{steps}</span> {say("busy")}'
        f' <i class="hatched"></i> {say("unknown")} <i class="shut"></i> {say("shut")}'
        f' <i class="peak"></i> {say("peak")}</p>'
    )


def _compared(report: MonthReport, say: Words) -> str:
    before, lines = report.before, compared(report, say)
    if before is None or (not before.total.minutes.known_open and not before.alerts):
        return _section(say("compared"), f"<p>{say('no_before')}</p>", cls="compared")
    heads = [say(head) for head in ("figure", "this_month", "last_month", "difference")]
    rows = [(line.name, line.now, line.before, line.difference) for line in lines]
    upto = f"{local_of(before.month.upto, report.zone):%Y-%m-%d %H:%M}"
    note = "" if before.month.upto == before.month.end else say("compared_days", at=upto)
    warning = f"<p>{say('compared_thin')}</p>" if thin(report) else ""
    return _section(say("compared"), _table(heads, rows) + warning, note=note, cls="compared")


def _areas(report: MonthReport, say: Words) -> str:
    if len(report.areas) < 2:
        return ""
    heads = [say("area"), say("utilization"), say("last_month")]
    heads += [say(head) for head in ("occupied_h", "open_h", "unknown_h", "coverage", "broken_h", "uses")]
    earlier = {} if report.before is None else report.before.areas
    rows = [
        _with_before(area_name(report, area.area, say), area.total, earlier.get(area.area.id, Usage()), say)
        for area in report.areas
    ]
    whole = Usage() if report.before is None else report.before.total
    rows.append(_with_before(say("whole"), report.total, whole, say))
    return _section(say("by_area"), _table(heads, rows, last=True))


def _with_before(name: str, now: Usage, before: Usage, say: Words) -> Row:
    used, *rest = _use(now, say)
    minutes = before.minutes
    return name, used, say.share_of(before) if minutes.recorded else say("unknown"), *rest


def area_name(report: MonthReport, area: AreaSettings, say: Words) -> str:
    """Its name, else its place among the areas: its id is for machines."""
    return say.name(area.name, "") or say("area_number", n=report.station.areas.index(area) + 1)


def _use(usage: Usage, say: Words) -> Row:
    minutes = usage.minutes
    return (
        say.share_of(usage),
        say.hours(minutes.occupied),
        say.hours(minutes.known_open),
        say.hours(minutes.unknown),
        say.coverage(minutes.coverage),
        say.hours(minutes.broken),
        f"{minutes.sessions:,}",
    )


def _alerts(report: MonthReport, say: Words) -> str:
    if report.alerts is None:
        return _section(say("alerts"), f"<p>{say('alerts_unread')}</p>")
    if not report.alerts:
        return _section(say("alerts"), f"<p>{say('no_alerts')}</p>")
    rows, more = faults(report, say)
    heads = [say(head) for head in ("alert", "place", "times", "lasted", "longest")]
    rest = f"<p>{say('more_alerts', n=more)}</p>" if more else ""
    return _section(say("alerts"), _table(heads, rows, words=2) + rest, cls="long")


def _lessons(report: MonthReport, say: Words) -> str:
    rows = full_rows(report.lessons, say)
    if not rows:
        return ""
    heads = [say(head) for head in ("kind", "how_many", "full_week", "full_h", "coverage")]
    words = edge_words(report.lessons, say)
    edges = f"<p>{words}</p>" if words else ""
    return _section(say("lessons"), f"{_table(heads, rows)}<p>{say('lessons_how')}</p>{edges}")


def _occupations(report: MonthReport, say: Words) -> str:
    if report.occupations is None:
        return ""
    note = say("occupations_of", answers=report.occupations.answers)
    return _section(say("occupations"), f"<p>{say.occupations(report.occupations)}</p>", note=note)


def _chargers(report: MonthReport, say: Words) -> str:
    rows = [_charged(resource, report, say) for resource in report.resources if resource.resource.kind in METERED]
    if not rows:
        return ""
    heads = [say(head) for head in ("place", "sessions", "energy", "gaps", "resets")]
    return _section(say("chargers"), _table(heads, rows))


def _charged(use: ResourceUse, report: MonthReport, say: Words) -> Row:
    whole = sum(charge.use.whole for charge in use.charges)
    tally = use.total.tally
    gaps, resets = (say.kwh(tally.gap_mwh), str(tally.resets)) if use.total.metered else (say("none"), say("none"))
    return place_of(report, use.resource.id, say), f"{whole} / {len(use.charges)}", say.energy(use.total), gaps, resets


def _places(report: MonthReport, say: Words) -> str:
    heads = ["place", "utilization", "filled", "occupied_h", "open_h", "unknown_h", "coverage", "broken_h", "uses"]
    booked = any(use.total.minutes.no_shows for use in report.resources)
    rows = [_place(resource, report, say, booked=booked) for resource in report.resources]
    heads += ["no_shows"] * booked
    return _section(say("by_place"), _table([say(head) for head in heads], rows), cls="long")


def _place(use: ResourceUse, report: MonthReport, say: Words, *, booked: bool) -> Row:
    used, occupied, *rest, uses = _use(use.total, say)
    filled = use.total.minutes.filled
    if use.resource.kind in NOBODYS:
        used = occupied = uses = say("none")
    shown = say("none") if filled is None else say.share(filled)
    row = place_of(report, use.resource.id, say), used, shown, occupied, *rest, uses
    return (*row, f"{use.total.minutes.no_shows:,}") if booked else row


def _daily(report: MonthReport, say: Words) -> str:
    areas = report.areas if 1 < len(report.areas) <= AREAS_ABREAST else ()
    metered = any(resource.resource.kind in METERED for resource in report.resources)
    watched = _tells_visits(report)
    heads = [say("day"), say("whole"), *(area_name(report, area.area, say) for area in areas)]
    heads += [say("unknown_h"), say("coverage"), say("uses")]
    heads += [say("energy")] * metered + [say("visits")] * watched + [say("activities")] * bool(report.held)
    rows = []
    for key, usage in report.days.items():
        local, minutes = local_of(key, report.zone), usage.minutes
        row = [f"{local.day} {say.weekday(local.weekday())}", say.share_of(usage)]
        row += [say.share_of(area.days.get(key, Usage())) for area in areas]
        row += [
            say.hours(minutes.unknown),
            say.coverage(minutes.coverage),
        ]
        row += [f"{minutes.sessions:,}"] + [say.energy(usage)] * metered
        row += [say.band(total(usage.visits) if usage.visits else None)] * watched
        row += [say.held(report.held.get(key, HeldCount()))] * bool(report.held)
        rows.append(row)
    return _section(say("daily"), _table(heads, rows), cls="daily")


def _how(say: Words) -> str:
    told = "".join(
        f"<p>{say(key)}</p>" for key in ("how_use", "how_unknown", "how_energy", "how_visits", "how_activities")
    )
    return _section(say("how"), told, cls="how")


def _sign(say: Words) -> str:
    """Two lines to sign, with room for a seal."""
    blank = "<span></span>"
    fields = "".join(f"<i>{say(key)}{blank}</i>" for key in ("sign_name", "sign_hand", "sign_date"))
    lines = "".join(f"<p><b>{say(who)}</b>{fields}</p>" for who in ("sign_made", "sign_read"))
    return _section(say("sign"), f'<div>{lines}</div><p class="seal">{say("sign_seal")}</p>', cls="sign")


def _section(title: str, content: str, *, note: str = "", cls: str = "") -> str:
    """A section of the report. A table wider than a phone scrolls, so the keyboard must reach it."""
    aside = f'<span class="n">{note}</span>' if note else ""
    look = f' class="{cls}"' if cls else ""
    return f'<section{look} tabindex="0" aria-label="{title}"><h2><b>{title}</b>{aside}</h2>{content}</section>'


def _table(heads: Sequence[str], rows: Iterable[Row], *, words: int = 1, last: bool = False) -> str:
    """The first `words` columns are text, the rest figures; `last` sets the last row off as the sum."""
    looks = [' class="w"'] * words + [""] * (len(heads) - words)
    head = "".join(f'<th scope="col"{look}>{text}</th>' for look, text in zip(looks, heads, strict=True))
    lines = ["".join(f"<td{look}>{text}</td>" for look, text in zip(looks, row, strict=True)) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    summed = ' class="summed"' if last else ""
    return f"<table{summed}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
