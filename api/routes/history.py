"""`/api/v1/stations/{station}/history`: what a resource was, as intervals, unknown kept as unknown."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from msgspec.json import encode

from api.auth import Gate
from api.context import Context
from api.problem import bad_parameter, not_found
from api.schemas import History, ProblemDocument
from api.times import from_query, rfc3339
from config.schema import Station
from gateway.model import Millis
from gateway.privacy import PERSONAL
from gateway.store.base import Interval

DAY_MS = 86_400_000
WINDOW_MAX_DAYS = 400
PAGE_DEFAULT, PAGE_MAX = 2_000, 20_000
NO_CACHE = {"cache-control": "no-cache"}  # the latest interval grows by the moment


def router(context: Context) -> APIRouter:
    routes, gate = APIRouter(prefix="/api/v1", tags=["history"]), Gate(context.keyring, context.now)

    @routes.get(
        "/stations/{station}/history",
        response_model=History,
        responses={401: {"model": ProblemDocument}, 404: {"model": ProblemDocument}, 422: {"model": ProblemDocument}},
        summary="A resource's past as intervals",
    )
    def history(
        station: str,
        resource: Annotated[str, Query(description="its id; rooms and doors need a viewer's key")],
        request: Request,
        start: Annotated[str | None, Query(alias="from", description="included; default: a day before `to`")] = None,
        end: Annotated[str | None, Query(alias="to", description="not included; default and latest: now")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="intervals in one answer")] = PAGE_DEFAULT,
    ) -> Response:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        if not _has(known, resource):
            raise HTTPException(404, f"station {station} has no resource {resource[:64]!r}")
        guard(gate, request, known, resource)
        first, last = window(start, end, context.now())
        reader = context.reader_factory()
        try:
            intervals = reader.history(station, resource, first, last) if first < last else []
        finally:
            reader.close()
        body = {
            "station": station,
            "resource": resource,
            "from": rfc3339(first),
            "to": rfc3339(last),
            "intervals": [_shown(one, first, last) for one in intervals[:limit]],
            "next": rfc3339(intervals[limit].start) if len(intervals) > limit else None,
        }
        return Response(encode(body), media_type="application/json", headers=NO_CACHE)

    return routes


def guard(gate: Gate, request: Request, station: Station, resource: str | None) -> None:
    """What a room or a door did all day tells of persons: 401 without a key, 403 with one for other stations."""
    kinds = {one.id: one.kind for area in station.areas for one in area.resources}
    if resource is not None and kinds[resource] in PERSONAL:
        key = gate.needs("viewer")(request)
        if not key.covers(station.id, station.region):
            raise HTTPException(403, f"this key does not cover station {station.id}")


def window(start: str | None, end: str | None, now: Millis) -> tuple[Millis, Millis]:
    """The window `from`..`to` of a query, cut at `now`: nobody has a history of the future."""
    last = _time("to", end) if end is not None else now
    first = _time("from", start) if start is not None else last - DAY_MS
    if first >= last:
        raise bad_parameter("from", "is not before `to`")
    if last - first > WINDOW_MAX_DAYS * DAY_MS:
        raise bad_parameter("from", f"is more than {WINDOW_MAX_DAYS} days before `to`; ask for less at a time")
    return max(0, min(first, now)), min(last, now)


def _time(name: str, text: str) -> Millis:
    try:
        return from_query(text)
    except ValueError as error:
        raise bad_parameter(name, str(error)) from None


def _has(station: Station, resource: str) -> bool:
    return any(one.id == resource for area in station.areas for one in area.resources)


def _shown(interval: Interval, first: Millis, last: Millis) -> dict[str, str]:
    axes = interval.axes
    return {
        "from": rfc3339(max(first, interval.start)),
        "to": rfc3339(min(last, interval.end)),
        "usable": axes.usable,
        "use": axes.use,
        "evidence": axes.evidence,
    }
