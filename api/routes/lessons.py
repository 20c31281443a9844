"""`/api/v1/stations/{station}/lessons`: where the next one belongs, and when to open, as the past has it."""

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api.auth import AccessGate, Key
from api.busy import WEEKS, BusyWeek, busy_week, share
from api.context import ApiContext
from api.late_routes import Routes
from api.lessons import Lessons, lessons
from api.problem import not_found
from api.routes.past import PROBLEMS, Past, answer, shown_share
from api.times import rfc3339
from api.wire_documents import read
from gateway.base.local_time import day_start, hour_of_week
from gateway.history.saturation import WEEK_MS
from gateway.history.utilization import Minutes
from gateway.live.station_document import StationDocument
from gateway.model import Millis
from gateway.store.base import Reader
from gateway.store.place import NOBODYS, ROOMS

MINUTE_MS: Final = 60_000
Weeks = Annotated[int, Query(ge=1, le=13, description="so many weeks back, up to the last midnight")]


class KindFull(BaseModel):
    """One kind of a station: how long in a week nothing of it was free while one at least was in use."""

    kind: str
    type: str | None
    total: int
    full_minutes_per_week: float | None = Field(description="as if all open time were known; null where nothing is")
    full_minutes: float = Field(description="that were seen, in all the weeks")
    known_minutes: float
    coverage: float | None = Field(description="the known share of the time in which it was open, as far as is known")


class EdgeUse(BaseModel):
    utilization: float | None
    coverage: float | None


class OpeningUse(BaseModel):
    """The use of all places in the first and last half hours between two closings of an hour and more."""

    openings: int = Field(description="how many were seen whole; 0 of what never closes")
    first_half_hour: EdgeUse
    last_half_hour: EdgeUse


class UsualUse(BaseModel):
    """What is usual at this hour of the week, beside now; without rooms, which tell of persons."""

    hour_of_week: int = Field(description="0 is Monday from midnight to one o'clock")
    utilization: float | None = Field(description="null where too little is known of this hour, or it is closed then")
    coverage: float | None
    weeks: int = Field(description="of which anything is known")
    of_weeks: int
    now: float | None = Field(description="the share of the places that are known now which are in use")


class LessonsSchema(BaseModel):
    station: str
    from_: str = Field(alias="from")
    to: str
    weeks: int
    kinds: list[KindFull] = Field(description="the fullest first")
    opening: OpeningUse
    usual: UsualUse


def router(context: ApiContext) -> Routes:
    routes, past = Routes(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)
    gate = AccessGate(context.keyring, context.now)

    @routes.get(
        "/stations/{station}/lessons",
        response_model=LessonsSchema,
        openapi_extra={"x-role": "viewer"},
        summary="Where the next one belongs, and when to open",
    )
    async def taught(
        station: str,
        request: Request,
        weeks: Weeks = 4,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> Response:
        known = context.settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        upto = day_start(context.now(), context.settings.zone_of(known))
        window = max(0, upto - weeks * WEEK_MS), upto
        priced = past.afford_places(request, 2 * sum(len(area.resources) for area in known.areas), "hour", window)
        now, entry = context.now(), context.view.get(station)
        present = None if entry is None else use_now(read(entry.body))

        def work(reader: Reader) -> Response:
            learnt = told(station, weeks, lessons(context.settings, known, reader, window))
            usual = _usual(busy_week(context.settings, known, reader, now), now) | {"now": shown_share(present)}
            return answer(learnt | {"usual": usual})

        return await past.answer(request, priced, work)

    return routes


def told(station: str, weeks: int, learnt: Lessons) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [
        {
            "kind": kind,
            "type": sort,
            "total": total,
            "full_minutes_per_week": None if (full := saturation.full_per_week) is None else _minutes(full),
            "full_minutes": _minutes(saturation.full),
            "known_minutes": _minutes(saturation.known),
            "coverage": shown_share(saturation.coverage),
        }
        for (kind, sort), (total, saturation) in learnt.fullest_first()
    ]
    first, last = learnt.edges.first, learnt.edges.last
    return {
        "station": station, "from": rfc3339(learnt.start), "to": rfc3339(learnt.end), "weeks": weeks, "kinds": kinds,
        "opening": {"openings": learnt.edges.openings, "first_half_hour": _edge(first), "last_half_hour": _edge(last)},
    }  # fmt: skip


def use_now(shown: StationDocument) -> float | None:
    """In use ÷ known, of what is open and somebody may use; None where nothing is known. Rooms are left out."""
    seen = [
        resource
        for resource in shown.resources()
        if resource.kind not in ROOMS | NOBODYS and resource.usable != "unknown"
    ]
    states = [resource.use for resource in seen if resource.access == "open" and resource.health in ("ok", "degraded")]
    return sum(use != "free" for use in states) / len(states) if states else None


def _usual(week: BusyWeek, now: Millis) -> dict[str, Any]:
    hour = hour_of_week(now, week.zone)
    minutes = week.hours.get(hour) if week.enough else None
    coverage = None if minutes is None else minutes.coverage
    return {
        "hour_of_week": hour, "utilization": shown_share(share(minutes)), "coverage": shown_share(coverage),
        "weeks": week.weeks, "of_weeks": WEEKS,
    }  # fmt: skip


def _edge(minutes: Minutes) -> dict[str, float | None]:
    return {"utilization": shown_share(minutes.utilization), "coverage": shown_share(minutes.coverage)}


def _minutes(ms: Millis) -> float:
    return round(ms / MINUTE_MS, 1)
