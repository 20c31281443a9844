"""`/api/v1/stations/{station}/utilization`: occupied ÷ known-open minutes, with what is not known beside it."""

import csv
import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from msgspec.json import encode

from api.auth import Gate
from api.context import Context
from api.problem import bad_parameter, not_found
from api.routes.history import NO_CACHE, guard, window
from api.schemas import ProblemDocument, Utilization
from api.times import rfc3339
from config.schema import Station
from gateway.model import Millis
from gateway.runtime import place_of
from gateway.store.rollups import Place, RollupReader
from gateway.utilization import HOUR_MS, By, Minutes, next_day

MINUTE_MS = 60_000
BUCKETS_MAX = 10_000


def router(context: Context) -> APIRouter:
    routes, gate = APIRouter(prefix="/api/v1", tags=["history"]), Gate(context.keyring, context.now)

    @routes.get(
        "/stations/{station}/utilization",
        response_model=Utilization,
        responses={401: {"model": ProblemDocument}, 404: {"model": ProblemDocument}, 422: {"model": ProblemDocument}},
        summary="How much of its open time a place was in use",
    )
    def utilization(
        station: str,
        request: Request,
        start: Annotated[str | None, Query(alias="from", description="included; default: a day before `to`")] = None,
        end: Annotated[str | None, Query(alias="to", description="not included; default and latest: now")] = None,
        by: Annotated[By, Query(description="what a bucket is, in the station's own time")] = "day",
        resource: Annotated[
            str | None, Query(description="only this resource; rooms and doors need a viewer's key")
        ] = None,
        area: Annotated[str | None, Query(description="only this area")] = None,
        form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    ) -> Response:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        _check(known, area, resource)
        guard(gate, request, known, resource)
        first, last = window(start, end, context.now())
        if by == "hour" and last - first > BUCKETS_MAX * HOUR_MS:
            raise bad_parameter("from", f"gives more than {BUCKETS_MAX} hours; ask for less at a time, or by day")
        place = place_of(context.settings, known)
        reader = context.reader_factory()
        try:
            rollups = RollupReader(context.settings.store.path, reader)
            minutes = rollups.minutes(place, first, last, by, area=area, resource=resource)
        finally:
            reader.close()
        rows = [_shown(key, minutes[key], place, by, last) for key in sorted(minutes)]
        if form == "csv":
            return Response(_csv(rows), media_type="text/csv; charset=utf-8", headers=NO_CACHE)
        body = {
            "station": station, "area": area, "resource": resource, "by": by,
            "from": rfc3339(first), "to": rfc3339(last),
            "total": _figures(_sum(minutes.values())), "buckets": rows,
        }  # fmt: skip
        return Response(encode(body), media_type="application/json", headers=NO_CACHE)

    return routes


def _check(station: Station, area: str | None, resource: str | None) -> None:
    if area is not None and resource is not None:
        raise bad_parameter("area", "and `resource` exclude each other; name one")
    if area is not None and all(one.id != area for one in station.areas):
        raise HTTPException(404, f"station {station.id} has no area {area[:64]!r}")
    if resource is not None and all(one.id != resource for part in station.areas for one in part.resources):
        raise HTTPException(404, f"station {station.id} has no resource {resource[:64]!r}")


def _sum(parts: Any) -> Minutes:
    total = Minutes()
    for one in parts:
        total.add(one)
    return total


def _shown(key: int, minutes: Minutes, place: Place, by: By, last: Millis) -> dict[str, Any]:
    if by == "hour_of_week":
        return {"hour_of_week": key, **_figures(minutes)}
    until = next_day(key, place.zone) if by == "day" else key + HOUR_MS
    return {"from": rfc3339(key), "to": rfc3339(min(until, last)), **_figures(minutes)}


def _figures(minutes: Minutes) -> dict[str, Any]:
    return {
        "utilization": _share(minutes.utilization),
        "coverage": _share(minutes.coverage),
        "occupied_minutes": _minutes(minutes.occupied),
        "known_open_minutes": _minutes(minutes.known_open),
        "unknown_minutes": _minutes(minutes.unknown),
        "out_of_order_minutes": _minutes(minutes.broken),
        "closed_minutes": _minutes(minutes.closed),
        "sessions": minutes.sessions,
    }


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _minutes(ms: Millis) -> float:
    return round(ms / MINUTE_MS, 2)


def _csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    if rows:
        table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return out.getvalue()
