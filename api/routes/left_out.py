"""`/api/v1/stations/{station}/left-out`: what is left out of what a station is told, for those who mend it."""

from typing import Any

from fastapi import Depends, HTTPException, Response
from pydantic import BaseModel, Field

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.problem import not_found
from api.schemas import ProblemDocument


class LeftOut(BaseModel):
    what: str = Field(description="a device and its value, message or template; an area's calendar; the live document")
    count: int = Field(description="of devices how often since the gateway started, of calendars how many events now")


class LeftOuts(BaseModel):
    station: str
    left_out: list[LeftOut] = Field(description="the most frequent first; empty where all is used")


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["staff"])
    gate = AccessGate(context.keyring, context.now)

    @routes.get(
        "/api/v1/stations/{station}/left-out",
        response_model=LeftOuts,
        responses={code: {"model": ProblemDocument} for code in (401, 403, 404)},
        openapi_extra={"x-role": "viewer"},
        summary="What is left out of what devices and calendars of the station say",
    )
    async def left_out(
        station: str,
        response: Response,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        if not key.covers(known.id, known.region):
            raise HTTPException(403, f"this key does not cover station {known.id}")
        response.headers["cache-control"] = "no-store"
        head = f"{known.id}/"
        told = [
            {"what": what.removeprefix(head), "count": count}
            for what, count in context.left_out().items()
            if what.startswith(head)
        ]
        return {"station": known.id, "left_out": sorted(told, key=lambda row: (-int(row["count"]), row["what"]))}

    return routes
