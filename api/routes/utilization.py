"""Utilisation of stations, areas, resources and regions: occupied ÷ known-open minutes, the unknown beside it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.context import Context
from api.problem import bad_parameter
from api.routes.past import PROBLEMS, AreaId, Form, From, Past, ResourceId, To, answer, table
from api.schemas import RegionUtilization, Utilization
from api.times import rfc3339
from api.usage import Usage, together, usage
from gateway.local_time import HOUR_MS, By, next_day
from gateway.model import Millis
from gateway.store.place import Asked
from gateway.store.rollup_reader import RollupReader

MINUTE_MS = 60_000
BUCKETS_MAX = 10_000
What = Annotated[By, Query(description="what a bucket is, in the station's own time")]
Region = Annotated[str, Query(description="a region of any level; several by comma must all hold; none: everywhere")]
OfRegion = Annotated[
    Literal["hour", "day", "hour_of_week", "station"], Query(description="what a bucket is, in the stations' own time")
]


def router(context: Context) -> APIRouter:
    routes, past = APIRouter(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)
    _station(routes, context, past)
    _region(routes, context, past)
    return routes


def _station(routes: APIRouter, context: Context, past: Past) -> None:
    @routes.get(
        "/stations/{station}/utilization",
        response_model=Utilization,
        summary="How much of its open time a place was in use",
    )
    def utilization(
        station: str,
        request: Request,
        start: From = None,
        end: To = None,
        by: What = "day",
        resource: ResourceId = None,
        area: AreaId = None,
        form: Form = "json",
    ) -> Response:
        asked = past.asked(request, station, area=area, resource=resource)
        first, last = past.window(start, end)
        _bounded(by, first, last)
        with past.reader() as reader:
            found = usage(RollupReader(context.settings.store.path, reader), asked, first, last, by)
        head = {"station": station, "area": area, "resource": resource, "by": by}
        rows = [_of(key, asked, by, last) | figures(one) for key, one in found.items()]
        return _told(head, (first, last), rows, together(found.values()), form)


def _region(routes: APIRouter, context: Context, past: Past) -> None:
    @routes.get(
        "/utilization",
        response_model=RegionUtilization,
        summary="How much of their open time the stations of a region were in use",
    )
    def utilization(
        request: Request,
        region: Region = "",
        start: From = None,
        end: To = None,
        by: OfRegion = "day",
        form: Form = "json",
    ) -> Response:
        names = [name for name in region.split(",") if name]
        asked = past.asked_of_region(request, names)
        first, last = past.window(start, end)
        _bounded(by, first, last)
        with past.reader() as reader:
            rollups = RollupReader(context.settings.store.path, reader)
            if by == "station":
                parts = [Asked([one]) for one in asked.places]
                each = [together(usage(rollups, one, first, last, "day").values()) for one in parts]
                rows = [
                    {"station": one.places[0].station} | figures(sum_) for one, sum_ in zip(parts, each, strict=True)
                ]
            else:
                found = usage(rollups, asked, first, last, by)
                each = list(found.values())
                rows = [_of(key, asked, by, last) | figures(one) for key, one in found.items()]
        head = {"region": names, "stations": [one.station for one in asked.places], "by": by}
        return _told(head, (first, last), rows, together(each), form)


def _bounded(by: str, first: Millis, last: Millis) -> None:
    if by == "hour" and last - first > BUCKETS_MAX * HOUR_MS:
        raise bad_parameter("from", f"gives more than {BUCKETS_MAX} hours; ask for less at a time, or by day")


def _told(
    head: dict[str, Any], window: tuple[Millis, Millis], rows: list[dict[str, Any]], whole: Usage, form: str
) -> Response:
    if form == "csv":
        return table(rows)
    first, last = window
    return answer({**head, "from": rfc3339(first), "to": rfc3339(last), "total": figures(whole), "buckets": rows})


def _of(key: int, asked: Asked, by: str, last: Millis) -> dict[str, Any]:
    if by == "hour_of_week":
        return {"hour_of_week": key}
    until = next_day(key, asked.zone) if by == "day" else key + HOUR_MS
    return {"from": rfc3339(key), "to": rfc3339(min(until, last))}


def figures(one: Usage) -> dict[str, Any]:
    """One bucket as it is told; null is what is not known."""
    minutes, tally, visitors = one.minutes, one.tally, one.visitors
    return {
        "utilization": _share(minutes.utilization),
        "coverage": _share(minutes.coverage),
        "occupied_minutes": _minutes(minutes.occupied),
        "known_open_minutes": _minutes(minutes.known_open),
        "unknown_minutes": _minutes(minutes.unknown),
        "out_of_order_minutes": _minutes(minutes.broken),
        "closed_minutes": _minutes(minutes.closed),
        "sessions": minutes.sessions,
        "peak": one.peak,
        "energy_wh": energy_wh(tally.energy_mwh) if one.metered else None,
        "energy_over_gaps_wh": energy_wh(tally.gap_mwh) if one.metered else None,
        "meter_resets": tally.resets if one.metered else None,
        "visits_min": None if visitors is None else visitors.low,
        "visits_max": None if visitors is None else visitors.high,
    }


def energy_wh(mwh: int) -> float:
    return mwh / 1000


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _minutes(ms: Millis) -> float:
    return round(ms / MINUTE_MS, 2)
