"""`/api/v1/stations`: the list with its filters, and one station."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from api.conditional import etag_of, matches
from api.context import ApiContext
from api.directory import Query as Wish
from api.directory import parse_wanted
from api.geo import LatLon, from_gcj02
from api.late_routes import Routes
from api.problem import bad_parameter, not_found
from api.schemas import AvailabilitySchema, ProblemDocument, Stations
from api.workers import FEW_STATIONS

CACHE = "public, max-age=5"
PAGE_DEFAULT = 100


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1", tags=["availability"])
    directory_of = context.directory

    @routes.get("/stations", response_model=Stations, summary="Stations: what is usable, near whom")
    async def stations(
        request: Request,
        near: Annotated[
            str | None, Query(description="lat,lon in degrees; nearest first", examples=["22.76,112.96"])
        ] = None,
        coord: Annotated[Literal["wgs84", "gcj02"], Query(description="what `near` is given in")] = "wgs84",
        radius_m: Annotated[float | None, Query(gt=0, le=20_100_000, allow_inf_nan=False)] = None,
        usable: Annotated[str, Query(description="seat,charger:ebike: at least one of each is certainly usable")] = "",
        open: Annotated[bool | None, Query(description="true: open now")] = None,  # noqa: A002  the contract's word
        region: Annotated[str, Query(description="a region of any level; several by comma must all hold")] = "",
        limit: Annotated[int | None, Query(ge=1, le=1000, description="so many at a time, and `next`")] = None,
        cursor: Annotated[str | None, Query(max_length=64, description="`next` of the answer before")] = None,
    ) -> Response:
        wish = Wish(point_of(near, coord), radius_m, _wanted(usable), open, tuple(filter(None, region.split(","))))
        if radius_m is not None and wish.near is None:
            raise bad_parameter("radius_m", "needs near=lat,lon beside it")
        if cursor is not None and limit is None:
            limit = PAGE_DEFAULT
        try:
            if len(context.view) <= FEW_STATIONS:
                body = directory_of().find(wish, limit, cursor)
            else:
                entries = tuple(context.view)
                body = await context.lists.answer(
                    request, lambda _turn: directory_of().find(wish, limit, cursor, entries)
                )
        except KeyError:
            raise bad_parameter("cursor", "is none of this list; begin anew without it") from None
        etag = etag_of(body)
        headers = {"etag": etag, "cache-control": CACHE}
        if matches(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    @routes.get(
        "/stations/{station}",
        response_model=AvailabilitySchema,
        responses={304: {"description": "nothing changed since that ETag"}, 404: {"model": ProblemDocument}},
        summary="A station's availability document",
    )
    async def station(station: str) -> Response:
        # GET and HEAD of a station we have never come here: api/front answers them from prepared bytes.
        raise not_found(station)

    return routes


def point_of(near: str | None, coord: str) -> LatLon | None:
    """A point in WGS 84, None where none was given. 422 for what is no place on earth."""
    if near is None:
        return None
    try:
        lat, lon = (float(part) for part in near.split(","))
    except ValueError:
        raise bad_parameter("near", "is not lat,lon; write it like 22.765,112.964") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise bad_parameter("near", "is no place on earth; latitude comes first")
    return from_gcj02((lat, lon)) if coord == "gcj02" else (lat, lon)


def _wanted(text: str) -> tuple[tuple[str, str | None], ...]:
    try:
        return parse_wanted(text)
    except ValueError as error:
        raise bad_parameter("usable", str(error)) from None
