"""Charging piles for staff: who is there, what operators may do at one, and any call of a central system for admins."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.pile_desk import PileDesk
from api.routes.alerts import ADMIN, OPERATOR, PROBLEMS, VIEWER
from api.routes.override import Word, send
from api.schemas import ProblemDocument
from gateway.model import Millis

MORE_PROBLEMS = PROBLEMS | {code: {"model": ProblemDocument} for code in (422, 502, 504)}
PileDeed = Literal["reset", "unlock", "out_of_service", "in_service", "start", "stop", "reserve", "release"]


class CallAsked(BaseModel):
    """Any call that a central system may start. A token that is missing or empty is one of ours."""

    model_config = ConfigDict(extra="forbid")

    action: Annotated[str, Field(min_length=1, max_length=64)]
    payload: dict[str, Any] = {}


class DeedAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    do: PileDeed
    until: Annotated[datetime | None, Field(description="RFC 3339 with offset; for out_of_service and reserve")] = None


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1", tags=["piles"], responses=MORE_PROBLEMS)
    gate, desk = AccessGate(context.keyring, context.now), PileDesk(context)

    @routes.post("/piles/{charge_point}/calls", openapi_extra=ADMIN, summary="Call a charging pile")
    async def call(
        charge_point: str,
        said: Annotated[CallAsked, Body()],
        station: Annotated[
            str | None, Query(max_length=64, description="where two stations have one of this name")
        ] = None,
        key: Key = Depends(gate.needs("admin")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        place = await asyncio.to_thread(desk.find, key, charge_point, station)
        return await desk.call(key, place, said.action, said.payload)

    @routes.get("/stations/{station}/piles", openapi_extra=VIEWER, summary="The charging piles that are connected")
    async def piles(
        station: str,
        response: Response,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008
    ) -> dict[str, Any]:
        response.headers["cache-control"] = "no-store"
        return {"station": station, "piles": await asyncio.to_thread(desk.piles, key, station)}

    @routes.post(
        "/stations/{station}/piles/{device}", openapi_extra=OPERATOR, summary="Reset, unlock, in and out of service"
    )
    async def deed(
        station: str,
        device: str,
        said: Annotated[DeedAsked, Body()],
        key: Key = Depends(gate.needs("operator")),  # noqa: B008
    ) -> dict[str, Any]:
        place = await asyncio.to_thread(desk.find_device, key, station, device)
        until = desk.until(said.do, said.until)
        set_by_hand(context, key, station, device, said.do, until)
        return await desk.deed(key, place, device, said.do, until)

    return routes


def set_by_hand(context: ApiContext, key: Key, station: str, device: str, do: PileDeed, until: Millis | None) -> None:
    """Out of service is `maintenance` for everybody who looks, too."""
    known = context.settings.station(station)
    if known is None or do not in ("out_of_service", "in_service"):
        return
    status: Literal["maintenance"] | None = "maintenance" if do == "out_of_service" else None
    for resource in (item for area in known.areas for item in area.resources):
        if (resource.device or resource.id) == device:
            send(context, known, Word(status=status, resource=resource.id), until or 0, key.name)
