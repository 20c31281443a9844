"""The page /compare: how much each station was in use, months side by side, and what was seen of it. No script."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote

from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.report import draw
from api.pages.report.compare import is_thin, points
from api.pages.report.gather import Month, month_at
from api.pages.report.words import Words
from config.schema import Settings, StationSettings
from gateway.base.local_time import month_of
from gateway.history.utilization import Minutes
from gateway.model import Millis
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader

BAR_WIDTH, BAR_HEIGHT, COLUMN, COLUMNS_HEIGHT = 120, 12, 9, 26
HATCH = f'<svg class="defs" width="0" height="0" aria-hidden="true">{draw.HATCH.format(id="hc")}</svg>'


@dataclass(frozen=True, slots=True)
class StationMonths:
    """`months` in the order of the page; nothing known of one is an empty `Minutes`."""

    station: StationSettings
    months: Sequence[Minutes]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`months`: the last one is that by which the rows are in order, the most used first."""

    months: Sequence[Month]
    rows: Sequence[StationMonths]
    now: Millis
    region: str


def months_until(last: Month, count: int, settings: Settings, now: Millis) -> list[Month]:
    """So many, the last one last; fewer where 1970 comes first."""
    zone, months = settings.zone_of(None), [last]
    while len(months) < count:
        try:
            months.insert(0, month_at(months[0].other(-1), zone, now))
        except ValueError:
            break
    return months


def gathered(
    settings: Settings, stations: Sequence[StationSettings], months: Sequence[Month], reader: Reader, region: str
) -> Comparison:
    """Each station's months are those of its own zone. StoreError when the journal can't be read."""
    rollups, now = RollupReader(settings.store.path, reader), months[-1].upto
    rows = [StationMonths(station, _months(settings, station, months, rollups, now)) for station in stations]
    return Comparison(months, sorted(rows, key=_most_used_first), now, region)


def _months(
    settings: Settings, station: StationSettings, months: Sequence[Month], rollups: RollupReader, now: Millis
) -> list[Minutes]:
    place = place_of(settings, station)
    own = [month_of(month.year, month.month, place.zone) for month in months]
    days = rollups.minutes(Asked([place]), own[0][0], min(own[-1][1], now), "day")
    sums = [Minutes() for _ in own]
    for at, minutes in days.items():
        for (start, end), whole in zip(own, sums, strict=True):
            if start <= at < end:
                whole.add(minutes)
    return sums


def _most_used_first(row: StationMonths) -> tuple[bool, float, str]:
    """What little is known of can't be ranked: it stands last."""
    last = row.months[-1]
    return is_thin(last), -(last.utilization or 0.0), row.station.id


class ComparisonPaper:
    """The template and where its style sheets are."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "compare.html").read_text("utf-8"))

    def print(self, told: Comparison, say: Words) -> str:
        first, last = told.months[0], told.months[-1]
        named = f"{say.month(first.year, first.month)} – {say.month(last.year, last.month)}"
        return self._page(say, named, escape(told.region), _links(told, say), _body(told, say))

    def gated(self, say: Words) -> str:
        told = f'<section class="gated"><h2>{say("login_compare")}</h2><p>{say("login_how_promises")}</p></section>'
        return self._page(say, "", "", f'<a class="btn main" href="/login?next=%2Fcompare">{say("login_go")}</a>', told)

    def _page(self, say: Words, months: str, region: str, links: str, content: str) -> str:
        return self._template.substitute(
            lang=say.lang,
            build=self._build,
            title=say("compare"),
            months=months,
            region=region,
            links=links,
            body=content,
        )


def _links(told: Comparison, say: Words) -> str:
    last, count = told.months[-1], len(told.months)
    region = f"&amp;region={quote(told.region)}" if told.region else ""

    def link(month: str, months: int, lang: str) -> str:
        return f"/compare?month={month}&amp;months={months}{region}&amp;lang={lang}"

    links = [(link(last.other(-1), count, say.lang), say("earlier"))]
    if last.end <= told.now:
        links.append((link(last.other(1), count, say.lang), say("later")))
    links += [
        (link(last.name, months, say.lang), say("months_n", n=months)) for months in (3, 6, 12) if months != count
    ]
    window = f"from={last.start}&amp;to={last.upto}"
    links.append((f"/api/v1/utilization?by=station&amp;{window}{region}&amp;format=csv&amp;lang={say.lang}", "CSV"))
    links += [("/promises", say("promises")), ("/", say("overview"))]
    return "".join(f'<a class="btn" href="{address}">{text}</a>' for address, text in links)


def _body(told: Comparison, say: Words) -> str:
    head = f'<th scope="col" class="w">{say("station_name")}</th>'
    head += "".join(f'<th scope="col">{say.month(month.year, month.month)}</th>' for month in told.months)
    head += f'<th scope="col">{say("difference")}</th><th scope="col" class="w">{say("compare_last")}</th>'
    head += f'<th scope="col" class="w">{say("compare_course")}</th>'
    rows = "".join(_row(row, told, say) for row in told.rows)
    sums = [Minutes() for _ in told.months]
    for row in told.rows:
        for whole, minutes in zip(sums, row.months, strict=True):
            whole.add(minutes)
    whole_row = _cells(f"<b>{say('compare_all', n=len(told.rows))}</b>", sums, told, say)
    return (
        f'{HATCH}<section tabindex="0" aria-label="{say("compare")}"><h2><b>{say("utilization")}</b>'
        f'<span class="n">{say("formula")}</span></h2><table class="summed compare"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}<tr>{whole_row}</tr></tbody></table></section>"
        f'<section class="how"><h2>{say("how")}</h2><p>{say("compare_how")}</p><p>{say("how_use")}</p>'
        f"<p>{say('how_unknown')}</p></section>"
    )


def _row(row: StationMonths, told: Comparison, say: Words) -> str:
    name = say.name(row.station.name, row.station.id)
    link = f'<a href="/stations/{row.station.id}/report?month={told.months[-1].name}&amp;lang={say.lang}">{name}</a>'
    return f'<tr data-station="{row.station.id}">{_cells(link, row.months, told, say)}</tr>'


def _cells(name: str, months: Sequence[Minutes], told: Comparison, say: Words) -> str:
    parts = [f'<td class="w">{name}</td>']
    for month, minutes in zip(told.months, months, strict=True):
        thin = ' class="thin"' if is_thin(minutes) else ""
        label = say.month(month.year, month.month)
        parts.append(
            f'<td{thin} data-label="{label}"><b>{say.share(minutes.utilization)}</b>'
            f"<small>{say('coverage')} {say.coverage(minutes.coverage)}</small></td>"
        )
    parts.append(f'<td data-label="{say("difference")}">{difference(months, say)}</td>')
    parts.append(f'<td class="w">{bar(months[-1])}</td><td class="w">{columns(months)}</td>')
    return "".join(parts)


def difference(months: Sequence[Minutes], say: Words) -> str:
    """Between the last two months; nothing is compared with what few saw."""
    if len(months) < 2:
        return say("none")
    before, now = months[-2:]
    if now.utilization is None or is_thin(now):
        return say("too_little_now") if now.known_open else say("nothing_now")
    if before.utilization is None or is_thin(before):
        return say("too_little_before") if before.known_open else say("nothing_before")
    return points(now.utilization, before.utilization, say)


def bar(minutes: Minutes) -> str:
    """The month as a strip: in use, open and empty, and hatched what is not known of it."""
    known = minutes.coverage or 0.0
    used = (minutes.utilization or 0.0) * known
    parts = [(0.0, used, 'class="used"'), (used, known, 'class="open"'), (known, 1.0, 'fill="url(#hc)"')]
    drawn = "".join(
        f'<rect {look} x="{start * BAR_WIDTH:.1f}" width="{(end - start) * BAR_WIDTH:.1f}" height="{BAR_HEIGHT}"/>'
        for start, end, look in parts
        if end > start
    )
    box = f'viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}" preserveAspectRatio="none"'
    return f'<svg class="strip" {box} aria-hidden="true">{drawn}</svg>'


def columns(months: Sequence[Minutes]) -> str:
    """A column a month; hatched over its whole height where too little is known of it."""
    parts = []
    for at, minutes in enumerate(months):
        share = minutes.utilization
        thin = share is None or is_thin(minutes)
        height = COLUMNS_HEIGHT if thin else max(1.0, (share or 0.0) * COLUMNS_HEIGHT)
        look = 'fill="url(#hc)"' if thin else 'class="used"'
        box = f'x="{at * COLUMN}" y="{COLUMNS_HEIGHT - height:.1f}" width="{COLUMN - 2}" height="{height:.1f}"'
        parts.append(f"<rect {look} {box}/>")
    return f'<svg class="course" viewBox="0 0 {12 * COLUMN} {COLUMNS_HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>'
