"""`/m/{station}/busy`: when a station is usually busy, for everybody."""

from fastapi import Request, Response
from starlette.responses import HTMLResponse

from api.busy import BusyWeek, busy_week, window_of
from api.context import ApiContext
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.busy import BusyPaper
from api.pages.preferences import dressed, preferences
from api.pages.report.words import Words
from api.problem import not_found
from api.routes.past import Past
from gateway.model import Millis
from gateway.store.base import Reader

MOST_KEPT = 5_000
HEADERS_OF_AN_HOUR = HEADERS | {"cache-control": "private, max-age=3600", "vary": "accept-language, cookie"}


def router(context: ApiContext) -> Routes:
    routes, past, paper = Routes(include_in_schema=False), Past(context), BusyPaper()
    kept: dict[tuple[str, Millis], BusyWeek] = {}  # what was is the same until midnight

    @routes.get("/m/{station}/busy", response_class=HTMLResponse)
    async def busy(station: str, request: Request) -> Response:
        settings = context.settings
        known = settings.station(station)
        if known is None:
            raise not_found(station)
        say = Words(preferences(request, settings.display_of(known).lang).lang)
        now, zone = context.now(), settings.zone_of(known)
        window = window_of(now, zone)
        priced = past.afford(request, [known], "hour_of_week", window)

        def shown(told: BusyWeek) -> Response:
            return HTMLResponse(dressed(request, paper.print(told, say)), 200, HEADERS_OF_AN_HOUR)

        def work(reader: Reader) -> Response:
            told = busy_week(settings, known, reader, now)
            if len(kept) >= MOST_KEPT:
                kept.clear()
            kept[station, window[1]] = told
            return shown(told)

        ready = kept.get((station, window[1]))
        if ready is not None and ready.station is known:
            return shown(ready)
        return await past.answer(request, priced, work)

    return routes
