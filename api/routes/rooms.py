"""`/api/v1/rooms`: rooms that fit a group and are free at a time, by hours, calendars and what is so now."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import ApiContext
from api.late_routes import Routes
from api.problem import bad_parameter
from api.room_search import RoomSearch
from api.rooms import RoomAnswer, RoomQuestion
from api.routes.stations import point_of
from api.times import from_query, rfc3339
from gateway.model import Millis

HOUR_MS = 3_600_000
LONGEST_MS = 7 * 24 * HOUR_MS
When = Annotated[str | None, Query(max_length=40, description="RFC 3339 with offset, or milliseconds since 1970")]


class RoomSchema(BaseModel):
    station: str
    area: str
    resource: str
    name: dict[str, str] = Field(description="of the room, else of its area")
    station_name: dict[str, str]
    capacity: int | None = Field(description="people; null where nobody said")
    features: list[str]
    free: Literal["yes", "unknown"]
    because: list[str] = Field(description="what `yes` rests on; what is not known where it is `unknown`")
    distance_m: int | None


class RoomsSchema(BaseModel):
    from_: str = Field(alias="from")
    to: str
    rooms: list[RoomSchema] = Field(description="free ones first, then unknown ones; in each the nearest first")


def router(context: ApiContext) -> Routes:
    routes, search = Routes(prefix="/api/v1", tags=["rooms"]), RoomSearch(context)

    @routes.get("/rooms", response_model=RoomsSchema, summary="Rooms for a group at a time")
    async def rooms(
        people: Annotated[int | None, Query(ge=1, le=100_000)] = None,
        features: Annotated[str, Query(max_length=400, description="piano,mirror: all of these")] = "",
        start: Annotated[When, Query(alias="from")] = None,
        end: Annotated[When, Query(alias="to")] = None,
        near: Annotated[str | None, Query(description="lat,lon in degrees")] = None,
        coord: Annotated[Literal["wgs84", "gcj02"], Query(description="what `near` is given in")] = "wgs84",
        radius_m: Annotated[float | None, Query(gt=0, le=20_100_000, allow_inf_nan=False)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Any:
        point = point_of(near, coord)
        if radius_m is not None and point is None:
            raise bad_parameter("radius_m", "needs near=lat,lon beside it")
        begin, finish = _window(start, end, context.view.now())
        wanted = frozenset(filter(None, (feature.strip() for feature in features.split(","))))
        asked = RoomQuestion(begin, finish, people, wanted, point, radius_m)
        free_rooms = await search.find(asked, limit)
        return {"from": rfc3339(begin), "to": rfc3339(finish), "rooms": [_told(room) for room in free_rooms]}

    return routes


def _window(start: str | None, end: str | None, now: Millis) -> tuple[Millis, Millis]:
    """(from, until) as asked; by default the coming hour."""
    begin = now if start is None else _time("from", start)
    finish = begin + HOUR_MS if end is None else _time("to", end)
    if not 0 < finish - begin <= LONGEST_MS:
        raise bad_parameter("to", "is after `from`, by a week at most")
    return begin, finish


def _time(name: str, text: str) -> Millis:
    try:
        return from_query(text)
    except ValueError as error:
        raise bad_parameter(name, str(error)) from None


def _told(answer: RoomAnswer) -> dict[str, Any]:
    return {
        "station": answer.station.id,
        "area": answer.area.id,
        "resource": answer.room.id,
        "name": dict(answer.room.name) or dict(answer.area.name),
        "station_name": dict(answer.station.name),
        "capacity": answer.capacity,
        "features": list(answer.room.features),
        "free": answer.free,
        "because": list(answer.because),
        "distance_m": None if answer.away_m is None else round(answer.away_m),
    }
