"""`/stations/{station}/report?month=2026-11`: the month of a station on paper, for staff."""

from html import escape
from string import Template
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request, Response
from starlette.responses import HTMLResponse

from api.auth import AccessGate
from api.context import ApiContext
from api.late_routes import Routes
from api.pages import HEADERS, TEMPLATES
from api.pages.assets import of_this_build
from api.pages.language import choose
from api.pages.report.gather import Month, MonthReport, gather, month_at, this_month
from api.pages.report.page import body
from api.pages.report.texts import LANGUAGE_NAMES, LANGUAGES
from api.pages.report.words import Words
from api.problem import bad_parameter, not_found
from api.routes.past import Past
from config.schema import StationSettings
from gateway.base.local_time import local_of
from gateway.model import Millis
from gateway.store.base import Reader

LOOKS = (
    5  # by hour of the week once, by day of the station, its areas and its resources; of the month before the first two
)


def router(context: ApiContext) -> Routes:
    routes, past, paper = Routes(include_in_schema=False), Past(context), _Paper()
    gate = AccessGate(context.keyring, context.now)

    @routes.get("/stations/{station}/report", response_class=HTMLResponse)
    async def report(
        station: str,
        request: Request,
        month: Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] = None,
        lang: str | None = None,
    ) -> Response:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        wall = context.settings.display_of(known).lang
        configured = None if wall == "auto" else wall
        say = Words(choose(lang, configured, request.headers.get("accept-language")))
        key = gate.who(request)
        if key is None or not key.covers(known.id, known.region):
            return paper.gated(known, say, str(request.url.path) + (f"?month={month}" if month else ""))
        zone, now = context.settings.zone_of(known), context.now()
        present = this_month(zone, now)
        try:
            which = month_at(month or present.other(-1), zone, now)
        except ValueError:
            raise bad_parameter("month", "has not begun, or lies before 1970") from None

        priced = past.afford(request, [known] * LOOKS, "hour_of_week", (which.start, which.upto))

        def work(reader: Reader) -> Response:
            told = gather(context.settings, known, which, reader, now)
            if month is None and not told.total.minutes.known_open:  # a house that is younger than a month
                told = gather(context.settings, known, present, reader, now)
            return paper.print(told, say, now)

        return await past.answer(request, priced, work)

    return routes


class _Paper:
    """The template and where its style sheets are."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "report.html").read_text("utf-8"))

    def print(self, report: MonthReport, say: Words, now: Millis) -> Response:
        month, clock = report.month, "%Y-%m-%d %H:%M"
        made = say("made", at=f"{local_of(now, report.zone):{clock}}")
        if month.upto < month.end:
            made = f"{say('upto', at=f'{local_of(month.upto, report.zone):{clock}}')} · {made}"
        named = say.month(month.year, month.month)
        return self._page(
            report.station, say, 200, named, made, _links(report.station, month, say, now), body(report, say)
        )

    def gated(self, station: StationSettings, say: Words, wanted: str) -> Response:
        """`wanted`: the address to come back to."""
        told = f'<section class="gated"><h2>{say("login")}</h2><p>{say("login_how")}</p></section>'
        link = f'<a class="btn main" href="/login?next={quote(wanted, safe="")}">{say("login_go")}</a>'
        return self._page(station, say, 401, "", "", link, told)

    def _page(
        self, station: StationSettings, say: Words, status: int, month: str, made: str, links: str, content: str
    ) -> Response:
        address = station.location.address or "" if station.location else ""
        where = " ".join((*station.region, address)).strip()
        text = self._template.substitute(
            lang=say.lang, build=self._build, name=say.name(station.name, station.id), where=escape(where),
            title=say("title"), month=month, made=made, links=links, body=content,
        )  # fmt: skip
        return HTMLResponse(text, status, HEADERS)


def _links(station: StationSettings, month: Month, say: Words, now: Millis) -> str:
    """On the screen only: the months beside this one, the table of days, the other languages."""
    here = f"/stations/{station.id}"
    window = f"from={month.start}&amp;to={month.upto}"
    csv = f"/api/v1{here}/utilization?{window}&amp;by=day&amp;format=csv&amp;lang={say.lang}"
    links = [(f"{here}/report?month={month.other(-1)}&amp;lang={say.lang}", say("earlier"))]
    if month.end <= now:
        links.append((f"{here}/report?month={month.other(1)}&amp;lang={say.lang}", say("later")))
    links += [
        (csv, "CSV"),
        (f"/compare?month={month.name}&amp;lang={say.lang}", say("compare")),
        (here, say("station")),
    ]
    links += [
        (f"{here}/report?month={month.name}&amp;lang={language}", LANGUAGE_NAMES[language])
        for language in LANGUAGES
        if language != say.lang
    ]
    return "".join(f'<a class="btn" href="{address}">{text}</a>' for address, text in links)
