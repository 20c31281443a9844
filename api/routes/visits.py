"""`/api/v1/visits`: how many people came in, as an interval that holds the truth. Public, by whole days in bands."""

from typing import Annotated, Any, Literal

from fastapi import HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.journal_here import needs_journal
from api.late_routes import Routes
from api.problem import bad_parameter, not_found
from api.routes.past import ALSO_TABLE, PROBLEMS, Form, From, Past, To, answer
from api.times import rfc3339
from api.visits import Visits, sensors, visits
from config.schema import StationSettings
from gateway.store.base import Reader

LOOKS = 2  # at each counter and door: by hour, and at what is not rolled up yet
By = Annotated[Literal["day", "month"], Query(description="a row a local day, or one for each month's days in it")]
StationId = Annotated[str | None, Query(description="only this station")]
Region = Annotated[str | None, Query(description="the sum of the stations of a region; several names must all hold")]


class VisitRow(BaseModel):
    from_: str = Field(alias="from", description="the local midnight at which the day or the month begins")
    station: str | None = Field(description="null: all stations of the region together")
    visits_min: int
    visits_max: int | None = Field(description="null where nothing bounds it")
    coverage: float | None = Field(description="the watched part of the open time; null where it was closed")


class VisitRows(BaseModel):
    rows: list[VisitRow]


def router(context: ApiContext) -> Routes:
    routes, past = Routes(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)

    @routes.get(
        "/visits", response_model=VisitRows, responses=ALSO_TABLE, summary="How many people came in, by day or month"
    )
    async def told(
        request: Request,
        start: From = None,
        end: To = None,
        by: By = "day",
        station: StationId = None,
        region: Region = None,
        form: Form = "json",
        lang: Lang = None,
    ) -> Response:
        stations = _asked(context, past, station, region)
        needs_journal(context.settings, "visits")
        window = past.window_or_month(start, end, context.settings.zone_of(stations[0]))
        places = len(stations) + LOOKS * sensors(context.settings, stations)  # a station without any is looked for, too
        priced = past.afford_places(request, places, "hour_of_week", window)

        def work(reader: Reader) -> Response:
            counted = visits(
                context.settings, stations, reader, window, by_month=by == "month", together=region is not None
            )
            rows = [_row(count) for count in counted]
            caching = past.caching(request, window)
            if form == "csv":
                return Spreadsheet.of(context.settings, lang, stations[0].id).answer(rows, caching)
            return answer({"rows": rows}, caching)

        return await past.answer(request, priced, work)

    return routes


def _asked(context: ApiContext, past: Past, station: str | None, region: str | None) -> list[StationSettings]:
    """404 for a station that is not there, 422 for a region of several zones: its days are not one another's."""
    if station is not None and region is not None:
        raise bad_parameter("station", "and `region` exclude each other; name one")
    if station is not None:
        if not past.of_name(station):
            raise not_found(station)
        return past.of_name(station)
    stations = past.of_region([name for name in (region or "").split(",") if name])
    if not stations:
        raise HTTPException(404, "no station lies in this region; GET /api/v1/stations tells the regions")
    zones = {context.settings.zone_of(known).key for known in stations}
    if region is not None and len(zones) > 1:
        raise bad_parameter("region", f"has several time zones ({', '.join(sorted(zones))}); ask for one at a time")
    return stations


def _row(count: Visits) -> dict[str, Any]:
    band, coverage = count.band, count.coverage
    return {
        "from": rfc3339(count.start),
        "station": count.station,
        "visits_min": band.low,
        "visits_max": band.high,
        "coverage": None if coverage is None else round(coverage, 2),
    }
