"""`/compare`: the use of all stations that a key covers, months side by side, as a page."""

from typing import Annotated

from fastapi import HTTPException, Query, Request, Response
from starlette.responses import HTMLResponse

from api.auth import AccessGate
from api.context import ApiContext
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.compare import ComparisonPaper, gathered, months_until
from api.pages.preferences import dressed, preferences
from api.pages.report.gather import month_at, this_month
from api.pages.report.words import Words
from api.problem import bad_parameter
from api.routes.past import Past
from api.routes.promises import MONTH, REGION
from gateway.store.base import Reader

MONTHS = Annotated[int, Query(ge=1, le=12, description="how many, the last one included")]


def router(context: ApiContext) -> Routes:
    routes, past = Routes(), Past(context)
    gate, paper = AccessGate(context.keyring, context.now), ComparisonPaper()

    @routes.get("/compare", response_class=HTMLResponse, include_in_schema=False)
    async def compare(request: Request, month: MONTH = None, months: MONTHS = 3, region: REGION = "") -> Response:
        say = Words(preferences(request).lang)
        key = gate.who(request)
        if key is None:
            return HTMLResponse(dressed(request, paper.gated(say)), 401, HEADERS)
        names = [name for name in region.split(",") if name]
        stations = [
            station
            for station in past.of_region(names)
            if station.lifecycle != "removed" and key.covers(station.id, station.region)
        ]
        if not stations:
            raise HTTPException(404, "no station that this key covers lies there; leave out `region`")
        zone, now = context.settings.zone_of(None), context.now()
        try:
            last = month_at(month or this_month(zone, now).name, zone, now)
        except ValueError:
            raise bad_parameter("month", "has not begun, or lies before 1970") from None
        span = months_until(last, months, context.settings, now)
        priced = past.afford(request, stations, "day", (span[0].start, last.upto))

        def work(reader: Reader) -> Response:
            told = paper.print(gathered(context.settings, stations, span, reader, ",".join(names)), say)
            return HTMLResponse(dressed(request, told), 200, HEADERS)

        return await past.answer(request, priced, work)

    return routes
