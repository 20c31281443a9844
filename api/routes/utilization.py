"""Utilisation of stations, areas, resources and regions: occupied ÷ known-open minutes, the unknown beside it."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.journal_here import lacks
from api.late_routes import Routes
from api.routes.past import ALSO_TABLE, PROBLEMS, AreaId, Form, From, Past, ResourceId, To, answer, shown_share
from api.schemas import RegionUtilization, Utilization
from api.times import rfc3339
from api.usage import Usage, together, usage
from gateway.base.local_time import HOUR_MS, By, next_day
from gateway.model import Millis
from gateway.store.base import Reader
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader

MINUTE_MS = 60_000
What = Annotated[By, Query(description="what a bucket is, in the station's own time")]
Region = Annotated[str, Query(description="a region of any level; several by comma must all hold; none: everywhere")]
OfRegion = Annotated[
    Literal["hour", "day", "hour_of_week", "station"], Query(description="what a bucket is, in the stations' own time")
]


def router(context: ApiContext) -> Routes:
    routes, past = Routes(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)
    _station(routes, context, past)
    _region(routes, context, past)
    return routes


def _station(routes: Routes, context: ApiContext, past: Past) -> None:
    @routes.get(
        "/stations/{station}/utilization",
        response_model=Utilization,
        responses=ALSO_TABLE,
        summary="How much of its open time a place was in use",
    )
    async def utilization(
        station: str,
        request: Request,
        start: From = None,
        end: To = None,
        by: What = "day",
        resource: ResourceId = None,
        area: AreaId = None,
        form: Form = "json",
        lang: Lang = None,
    ) -> Response:
        window = past.window(start, end)
        priced = past.afford(request, past.of_name(station), by, window)

        sheet = Spreadsheet.of(context.settings, lang, station)

        def work(reader: Reader) -> Response:
            asked = past.asked(request, station, area=area, resource=resource)
            buckets = usage(RollupReader(context.settings.store.path, reader), asked, *window, by)
            head = {"station": station, "area": area, "resource": resource, "by": by, **_lacking(context)}
            rows = [_of(key, asked, by, window[1]) | figures(bucket) for key, bucket in buckets.items()]
            return _told(
                head,
                window,
                rows,
                together(buckets.values()),
                sheet if form == "csv" else None,
                past.caching(request, window),
            )

        return await past.answer(request, priced, work)


def _region(routes: Routes, context: ApiContext, past: Past) -> None:
    @routes.get(
        "/utilization",
        response_model=RegionUtilization,
        responses=ALSO_TABLE,
        summary="How much of their open time the stations of a region were in use",
    )
    async def utilization(
        request: Request,
        region: Region = "",
        start: From = None,
        end: To = None,
        by: OfRegion = "day",
        form: Form = "json",
        lang: Lang = None,
    ) -> Response:
        names = [name for name in region.split(",") if name]
        window = past.window(start, end)
        priced = past.afford(request, past.of_region(names), by, window)

        def work(reader: Reader) -> Response:
            asked = past.asked_of_region(request, names)
            sheet = Spreadsheet.of(context.settings, lang, asked.places[0].station)
            rows, whole = _rows(RollupReader(context.settings.store.path, reader), asked, window, by)
            there = [place.station for place in asked.places]
            head = {"region": names, "stations": there, "by": by, **_lacking(context)}
            return _told(head, window, rows, whole, sheet if form == "csv" else None, past.caching(request, window))

        return await past.answer(request, priced, work)


def _lacking(context: ApiContext) -> dict[str, str]:
    """What is null here for want of a journal; nothing where it is."""
    why = lacks(context.settings)
    return {} if why is None else {"lacks": why}


def _rows(
    rollups: RollupReader,
    asked: Asked,
    window: tuple[Millis, Millis],
    by: Literal["hour", "day", "hour_of_week", "station"],
) -> tuple[list[dict[str, Any]], Usage]:
    """A region's rows, by time or by station, and their sum."""
    if by == "station":
        parts = [Asked([place]) for place in asked.places]
        usages = [together(usage(rollups, part, *window, "day").values()) for part in parts]
        rows = [{"station": part.places[0].station} | figures(sum_) for part, sum_ in zip(parts, usages, strict=True)]
        return rows, together(usages)
    buckets = usage(rollups, asked, *window, by)
    rows = [_of(key, asked, by, window[1]) | figures(bucket) for key, bucket in buckets.items()]
    return rows, together(buckets.values())


def _told(
    head: dict[str, Any],
    window: tuple[Millis, Millis],
    rows: list[dict[str, Any]],
    whole: Usage,
    sheet: Spreadsheet | None,
    caching: dict[str, str],
) -> Response:
    if sheet is not None:
        return sheet.answer(rows, caching)
    first, last = window
    body = {**head, "from": rfc3339(first), "to": rfc3339(last), "total": figures(whole), "buckets": rows}
    return answer(body, caching)


def _of(key: int, asked: Asked, by: str, last: Millis) -> dict[str, Any]:
    if by == "hour_of_week":
        return {"hour_of_week": key}
    until = next_day(key, asked.zone) if by == "day" else key + HOUR_MS
    return {"from": rfc3339(key), "to": rfc3339(min(until, last))}


def figures(bucket: Usage) -> dict[str, Any]:
    """One bucket as it is told; null is what is not known."""
    minutes, tally, visitors = bucket.minutes, bucket.tally, bucket.visitors
    return {
        "utilization": shown_share(minutes.utilization),
        "coverage": shown_share(minutes.coverage),
        "occupied_minutes": _minutes(minutes.occupied),
        "known_open_minutes": _minutes(minutes.known_open),
        "unknown_minutes": _minutes(minutes.unknown),
        "out_of_order_minutes": _minutes(minutes.broken),
        "closed_minutes": _minutes(minutes.closed),
        "sessions": minutes.sessions,
        "in_use_minutes": _minutes(minutes.in_use) if minutes.places else None,
        "filled": shown_share(minutes.filled),
        "no_shows": minutes.no_shows,
        "peak": bucket.peak,
        "energy_wh": energy_wh(tally.energy_mwh) if bucket.metered else None,
        "energy_over_gaps_wh": energy_wh(tally.gap_mwh) if bucket.metered else None,
        "meter_resets": tally.resets if bucket.metered else None,
        "visits_min": None if visitors is None else visitors.low,
        "visits_max": None if visitors is None else visitors.high,
    }


def energy_wh(mwh: int) -> float:
    return mwh / 1000


def _minutes(ms: Millis) -> float:
    return round(ms / MINUTE_MS, 2)
