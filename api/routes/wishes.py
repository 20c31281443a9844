"""Wishes of residents over HTTP: one wish without a key, what is wished by many, and what organisers do with it."""

from typing import Annotated, Any, Literal

from fastapi import Body, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.addresses import network_of
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.problem import bad_parameter, not_found
from api.routes.alerts import PROBLEMS
from api.routes.past import answer
from api.routes.reports import Rate, Received
from api.times import rfc3339
from api.wish_desk import WishDesk, WishStep
from config.schema import StationSettings
from gateway.history.wishes import INTERESTS, SLOTS, Demand, WishKey
from gateway.policy.text import bounded

PER_ADDRESS = 20
"""Wishes of one address in an hour: many share the network of the place."""
PER_STATION = 300
PUBLIC = {"cache-control": "public, max-age=60"}
_BY_NAME = {name.lower(): key for key, interest in INTERESTS.items() for name in (key, *interest.names)}
StationFilter = Annotated[str | None, Query(description="only this station", max_length=64)]
StateFilter = Annotated[
    Literal["open", "assigned", "accepted", "planned", "held", "closed"] | None, Query(description="only these")
]


class WishSaid(BaseModel):
    """What somebody would come for, and when in the week. Nothing of a person."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"interest": "tai_chi", "when": "weekday_morning"}
    ]})  # fmt: skip

    interest: Annotated[str, Field(max_length=40, description=f"one of {', '.join(INTERESTS)}, or its name")]
    when: Annotated[str, Field(max_length=40, description=f"one of {', '.join(SLOTS)}")]

    @field_validator("interest")
    @classmethod
    def listed(cls, value: str) -> str:
        if value.strip().lower() not in _BY_NAME:
            raise ValueError(f"is none of {', '.join(INTERESTS)}")
        return _BY_NAME[value.strip().lower()]

    @field_validator("when")
    @classmethod
    def known(cls, value: str) -> str:
        if value not in SLOTS:
            raise ValueError(f"is none of {', '.join(SLOTS)}")
        return value


class WishShown(BaseModel):
    """What at least five people wish alike, and what has become of it."""

    wish: str = Field(description="its name in addresses: interest.when")
    interest: str
    name: dict[str, str]
    when: str
    wishes: int = Field(description="of the last thirteen weeks; those that came true are not counted again")
    state: str = Field(description="open, assigned, accepted by an organiser, planned in a calendar, held, closed")
    starts_at: str | None = Field(description="the planned activity; the last one where none is planned")


class WishesShown(BaseModel):
    wishes: list[WishShown] = Field(description="the most wished first; nothing that fewer than five wish")


class WishTaken(WishShown):
    """With what staff know."""

    station: str
    assignee: str
    changed_by: str
    changed_at: str | None
    area: str | None
    uid: str | None = Field(description="of the calendar's event that is meant")
    remark: str = Field(description="what became of the last one planned: not_held, unknown, called_off, or empty")


class WishesTaken(BaseModel):
    wishes: list[WishTaken]


class WishDeed(BaseModel):
    """`to` for `assign`; `uid` for `accept`: the event in the calendar, where its title does not say what it is."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(max_length=200, description="who shall organise it")] = ""
    uid: Annotated[str | None, Field(max_length=500)] = None


def router(context: ApiContext, desk: WishDesk, door: "WishDoor") -> Routes:
    routes = Routes(prefix="/api/v1", responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
    _visitors(routes, context, desk, door)
    _staff(routes, context, desk)
    return routes


class WishDoor:
    """Lets in a limited number of wishes an hour."""

    def __init__(self, context: ApiContext, desk: WishDesk) -> None:
        self._context, self._desk = context, desk
        self._by_address, self._by_station = Rate(PER_ADDRESS), Rate(PER_STATION)

    def add(self, station: StationSettings, said: WishSaid, request: Request) -> None:
        """Count it: durable when this returns. 429 beyond the rate; StoreError."""
        now = self._context.now()
        address = network_of(request.client.host) if request.client is not None else "?"
        if not self._by_address.allows(address, now) or not self._by_station.allows(station.id, now):
            raise HTTPException(429, "enough wishes for this hour, thank you", {"retry-after": "3600"})
        self._desk.add(station, said.interest, said.when)


def _visitors(routes: Routes, context: ApiContext, desk: WishDesk, door: WishDoor) -> None:
    @routes.post(
        "/stations/{station}/wishes",
        status_code=201,
        response_model=Received,
        responses={429: PROBLEMS[404]},
        tags=["visitors"],
        summary="Wish for an activity",
    )
    def wish(station: str, said: Annotated[WishSaid, Body()], request: Request) -> Received:
        door.add(station_of(context, station), said, request)
        return Received()

    @routes.get(
        "/stations/{station}/wishes", response_model=WishesShown, tags=["visitors"], summary="What many wish for there"
    )
    def wished(station: str) -> Response:
        told = desk.told([station_of(context, station)])
        return answer({"wishes": [shown(demand) for demand in told if demand.state != "closed"]}, PUBLIC)


def _staff(routes: Routes, context: ApiContext, desk: WishDesk) -> None:
    gate = AccessGate(context.keyring, context.now)

    @routes.get(
        "/wishes",
        response_model=WishesTaken,
        responses={401: PROBLEMS[401], 403: PROBLEMS[403]},
        openapi_extra={"x-role": "viewer"},
        tags=["wishes"],
        summary="Wishes and who took them up",
    )
    def taken(
        station: StationFilter = None,
        state: StateFilter = None,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        covered = covered_by(context, key)
        told = desk.told([known for known in covered if station in (None, known.id)])
        return {"wishes": [_taken(demand) for demand in told if state in (None, demand.state)]}

    @routes.post(
        "/stations/{station}/wishes/{wish}/{deed}",
        response_model=WishTaken,
        responses={code: PROBLEMS[code] for code in (401, 403, 409)},
        openapi_extra={"x-role": "operator"},
        tags=["wishes"],
        summary="Assign, accept, release or close what many wish for",
    )
    def deed(
        station: str,
        wish: str,
        deed: WishStep,
        how: Annotated[WishDeed | None, Body()] = None,
        key: Key = Depends(gate.needs("operator")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        return _taken(done(context, desk, key, station, wish, deed, how or WishDeed()))


def done(
    context: ApiContext, desk: WishDesk, key: Key, station: str, wish: str, deed: WishStep, how: WishDeed
) -> Demand:
    """One deed of one's own stations, with its line in the audit trail. HTTPException says why not."""
    known = context.settings.station(station)
    if known is None or not key.covers(station, known.region):
        raise not_found(station)
    to = bounded(how.to, 60)
    if deed == "assign" and not to:
        raise bad_parameter("to", "names who shall organise it")
    try:
        demand = desk.do(deed, _key(station, wish), key.name, to=to, uid=how.uid or None)
    except ValueError as error:
        raise HTTPException(409, str(error)) from None
    if demand is None:
        raise HTTPException(404, "nothing of this name is wished by many there, or somebody was quicker")
    context.keyring.book.note(context.now(), key.name, f"wish_{deed}", f"{station}/{wish[:100]}", to or how.uid)
    return demand


def covered_by(context: ApiContext, key: Key) -> list[StationSettings]:
    """The stations that a key is for."""
    return [station for station in context.settings.stations if key.covers(station.id, station.region)]


def station_of(context: ApiContext, station: str) -> StationSettings:
    """The station of this name. HTTPException 404 where there is none."""
    known = context.settings.station(station)
    if known is None:
        raise not_found(station)
    return known


def _key(station: str, wish: str) -> WishKey:
    interest, _, slot = wish.partition(".")
    return station, interest, slot


def shown(demand: Demand) -> dict[str, Any]:
    """A demand as everybody may see it."""
    interest = INTERESTS.get(demand.interest)
    chinese, _, english = interest.names if interest else (demand.interest,) * 3
    return {
        "wish": f"{demand.interest}.{demand.slot}",
        "interest": demand.interest,
        "name": {"zh": chinese, "en": english},
        "when": demand.slot,
        "wishes": demand.wishes,
        "state": demand.state,
        "starts_at": None if demand.start is None else rfc3339(demand.start),
    }


def _taken(demand: Demand) -> dict[str, Any]:
    return shown(demand) | {
        "station": demand.station,
        "assignee": demand.assignee,
        "changed_by": demand.changed_by,
        "changed_at": rfc3339(demand.changed_at) if demand.changed_at else None,
        "area": demand.area,
        "uid": demand.uid,
        "remark": demand.remark,
    }
