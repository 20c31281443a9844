"""The page /promises (体检表): a row a station, the worst first, a month as a strip of days. It needs no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from zoneinfo import ZoneInfo

from api.alert_books import AlertBooks
from api.occupations import months
from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.report.gather import Month
from api.pages.report.texts import LANGUAGE_NAMES, LANGUAGES
from api.pages.report.words import Words
from api.promises import KeptPromise, Working, kept, without_a_sign
from api.visits import Visits, summed, visits
from config.kinds import SPECS
from config.schema import Settings, StationSettings
from gateway.base.local_time import HOUR_MS, day_start, local_of
from gateway.history.first_sign import Missing
from gateway.history.occupations import Shares, together
from gateway.history.promises import Promised
from gateway.model import Millis
from gateway.store.base import Reader, StoreError

LONG_MS = 48 * HOUR_MS
"""A fault that stands open for so long is one that nobody mends."""
FAULTS = frozenset({spec.fault_alert for spec in SPECS.values()})
MISSED = "check_missed"
MANY_ALERTS, MINUTE_MS = 10_000, 60_000


@dataclass(frozen=True, slots=True)
class Checkup:
    """One station's month. `long_faults`, `missed`: None where alerts can't be read; `visits`: where none tells.
    `silent`: it has opened today, and nobody came as they usually do."""

    row: KeptPromise
    zone: ZoneInfo
    long_faults: int | None
    missed: int | None
    visits: Visits | None
    silent: Missing | None


@dataclass(frozen=True, slots=True)
class Checkups:
    month: Month
    now: Millis
    stations: Sequence[Checkup]
    occupations: Shares | None


def gathered(
    settings: Settings, stations: Sequence[StationSettings], month: Month, reader: Reader, now: Millis
) -> Checkups:
    """StoreError when the journal can't be read."""
    window = month.start, month.upto
    counts = _alerts(settings, stations, month, now)
    silent = without_a_sign(settings, stations, now) if month.upto == now else {}
    checkups = []
    for row in kept(settings, stations, reader, window, by_day=False):
        name, zone = row.station.id, settings.zone_of(row.station)
        long_faults, missed = counts.get(name, (0, 0)) if counts is not None else (None, None)
        came = summed(visits(settings, [row.station], reader, window, by_month=True, together=False))
        checkups.append(Checkup(row, zone, long_faults, missed, came, silent.get(name)))
    told = months(settings, stations, now)
    occupations = together(told[station.id].get(month.name) for station in stations)
    return Checkups(month, now, sorted(checkups, key=_worst_first), occupations)


def _worst_first(checkup: Checkup) -> tuple[float, float, str]:
    """Broken promises, then what few could see, then the rest."""
    done = checkup.row.promised
    return (2.0 if done.kept is None else done.kept, -float(checkup.long_faults or 0), checkup.row.station.id)


def _alerts(
    settings: Settings, stations: Sequence[StationSettings], month: Month, now: Millis
) -> dict[str, tuple[int, int]] | None:
    """By station: faults of the month that stood open for more than 48 h, and checks that were missed."""
    try:
        reader = AlertBooks(settings.store.path)
        try:
            alerts = reader.alerts(None, [station.id for station in stations], MANY_ALERTS)
        finally:
            reader.close()
    except StoreError:
        return None
    counts: dict[str, tuple[int, int]] = {}
    for alert in alerts:
        until = alert.changed_at if alert.state == "closed" else now
        if alert.station is None or alert.since >= month.upto or until <= month.start:
            continue
        long_faults, missed = counts.get(alert.station, (0, 0))
        stood = alert.kind in FAULTS and min(until, month.upto) - alert.since > LONG_MS
        counts[alert.station] = long_faults + stood, missed + (alert.kind == MISSED)
    return counts


class Paper:
    """The template and where its style sheets are."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "promises.html").read_text("utf-8"))

    def print(self, told: Checkups, say: Words) -> str:
        month = told.month
        upto = f"{local_of(month.upto, told.stations[0].zone):%Y-%m-%d %H:%M}"
        return self._page(
            say, say.month(month.year, month.month), say("upto", at=upto), _links(told, say), _body(told, say)
        )

    def gated(self, say: Words) -> str:
        told = f'<section class="gated"><h2>{say("login_promises")}</h2><p>{say("login_how_promises")}</p></section>'
        return self._page(say, "", "", f'<a class="btn main" href="/login">{say("login_go")}</a>', told)

    def _page(self, say: Words, month: str, made: str, links: str, content: str) -> str:
        return self._template.substitute(
            lang=say.lang, build=self._build, title=say("promises"), month=month, made=made, links=links, body=content
        )


def _links(told: Checkups, say: Words) -> str:
    month, lang = told.month, say.lang
    links = [(f"/promises?month={month.other(-1)}&amp;lang={lang}", say("earlier"))]
    if month.end <= told.now:
        links.append((f"/promises?month={month.other(1)}&amp;lang={lang}", say("later")))
    window = f"from={month.start}&amp;to={month.upto}"
    links += [
        (f"/api/v1/promises?{window}&amp;format=csv&amp;lang={say.lang}", "CSV"),
        ("/compare", say("compare")),
        ("/wishes", say("wishes")),
        ("/", say("overview")),
    ]
    links += [
        (f"/promises?month={month.name}&amp;lang={other}", LANGUAGE_NAMES[other])
        for other in LANGUAGES
        if other != lang
    ]
    return "".join(f'<a class="btn" href="{address}">{text}</a>' for address, text in links)


def _body(told: Checkups, say: Words) -> str:
    whole = Promised()
    for checkup in told.stations:
        whole.add(checkup.row.promised)
    tiles = [
        (say("kept"), say.share(whole.kept), say("kept_formula")),
        (say("coverage"), say.coverage(whole.coverage), say("coverage_promises")),
        (say("contradicted_h"), say.hours(whole.contradicted), say("contradicted_how")),
    ]
    cells = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b><span>{note}</span></dd></div>" for name, value, note in tiles
    )
    heads = "".join(
        f'<th{" class=w" if first else ""}>{say(name)}</th>'
        for name, first in (
            ("station_name", True), ("kept", False), ("coverage", False), ("days", True), ("working", True),
            ("long_faults", False), ("checks_missed", False), ("visits", False),
            ("activities", False),
        )
    )  # fmt: skip
    rows = "".join(_row(checkup, told, say) for checkup in told.stations)
    legend = "".join(f'<span><i class="{state}"></i>{say(f"day_{state}")}</span>' for state in DAY_STATES)
    return (
        f'<dl class="figures">{cells}</dl><section><h2>{say("stations_worst")}</h2><p class="key">{legend}</p>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></section>"
        f"{_occupations(told, say)}"
        f"<section><h2>{say('how')}</h2><p>{say('how_promises')}</p><p>{say('how_contradicted')}</p>"
        f"<p>{say('how_unproved')}</p><p>{say('how_visits')}</p><p>{say('how_activities')}</p></section>"
    )


def _occupations(told: Checkups, say: Words) -> str:
    if told.occupations is None:
        return ""
    note = say("occupations_of", answers=told.occupations.answers)
    return f"<section><h2>{say('occupations')}</h2><p>{say.occupations(told.occupations)}</p><p>{note}</p></section>"


DAY_STATES = ("kept", "partly", "broken", "unseen", "shut", "before")
PARTLY = 0.95  # of what was seen of a day; below it is shown as broken for a part


def state_of_day(day: Promised, *, recorded: bool = True) -> str:
    """`kept`, `partly` or `broken` by what was seen; `unseen` where nothing was; `shut` where nothing was promised.

    `before` where nothing is kept of that day.
    """
    if not recorded:
        return "before"
    if not day.promised:
        return "shut"
    if day.kept is None:
        return "unseen"
    return "kept" if day.kept >= PARTLY else "partly" if day.kept >= 0.5 else "broken"


def _row(checkup: Checkup, told: Checkups, say: Words) -> str:
    row, missing = checkup.row, say("none")
    name = f'<a href="/stations/{row.station.id}">{say.name(row.station.name, row.station.id)}</a>'
    first = day_start(told.month.start, checkup.zone)
    strip = "".join(
        _day(at, state_of_day(day, recorded=row.is_recorded(at)), first, checkup, say) for at, day in row.days.items()
    )
    faults = missing if checkup.long_faults is None else str(checkup.long_faults)
    missed = missing if checkup.missed is None else str(checkup.missed)
    return (
        f'<tr data-station="{row.station.id}"><td class="w">{name}{_silent(checkup, say)}</td>'
        f'<td data-label="{say("kept")}"><b>{say.share(row.promised.kept)}</b></td>'
        f'<td data-label="{say("coverage")}">{say.coverage(row.promised.coverage)}</td>'
        f'<td class="w strip">{strip}</td><td class="w working">{_working(row.working, say)}</td>'
        f'<td data-label="{say("long_faults")}">{faults}</td><td data-label="{say("checks_missed")}">{missed}</td>'
        f'<td data-label="{say("visits")}">{_visits(checkup.visits, say)}</td>'
        f'<td data-label="{say("activities")}">{say.held(row.held)}</td></tr>'
    )


def _day(at: Millis, state: str, first: Millis, checkup: Checkup, say: Words) -> str:
    date = local_of(at, checkup.zone)
    number = date.day if at == first or date.day % 5 == 0 else ""
    return f'<i class="{state}" title="{date:%m-%d} {say(f"day_{state}")}">{number}</i>'


def _working(working: Working, say: Words) -> str:
    """What did not always work, by name; the rest in one word."""
    shares = {kind: say.share(share) for kind, share in working.shares.items() if share is not None}
    below = [f"{_kind(kind, say)} {share}" for kind, share in shares.items() if share != say.share(1.0)]
    whole = [] if len(below) == len(shares) else [say("rest_whole" if below else "all_whole")]
    return " · ".join(below + whole) or say("none")


def _silent(checkup: Checkup, say: Words) -> str:
    """Where to look first: a hint that accuses nobody."""
    if checkup.silent is None:
        return ""
    since = f"{local_of(checkup.silent.since, checkup.zone):%H:%M}"
    hint = say("no_sign", at=since, minutes=round(checkup.silent.usual.within_ms / MINUTE_MS))
    return f'<small class="hint">{hint}</small>'


def _visits(counted: Visits | None, say: Words) -> str:
    """A band, and how much of the open time was watched."""
    if counted is None:
        return say("none")
    return (
        say.band(counted.band)
        if counted.coverage is None
        else f"{say.band(counted.band)} · {say.coverage(counted.coverage)}"
    )


def _kind(kind: str, say: Words) -> str:
    return SPECS[kind].words[LANGUAGES.index(say.lang)]
