"""What speaks on the broker, for staff who add devices: listened to while the answer is awaited."""

import asyncio
import threading
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from api.attempts import address_of
from api.auth import AccessGate, Key
from api.commands.discover import configured_topics, listen
from api.context import ApiContext
from api.late_routes import Routes
from api.schemas import ProblemDocument

LOOK_S = 0.25
CONNECT_S = 2.0  # somebody waits for the answer, and the gateway is on that broker already


class DiscoveredDevice(BaseModel):
    dialect: str
    topic: str
    reports: list[str] = Field(description="what it tells: presence, open, power_w, …")
    lines: list[str] = Field(description="a ready line for `resources:`, one for each kind that it could feed")
    messages: int
    configured: bool = Field(description="a resource is fed by it already")


class Devices(BaseModel):
    seconds: int
    devices: list[DiscoveredDevice]


def router(context: ApiContext) -> Routes:
    routes = Routes(tags=["staff"])
    gate = AccessGate(context.keyring, context.now)
    listening = threading.Lock()

    @routes.get(
        "/api/v1/discover",
        response_model=Devices,
        responses={401: {"model": ProblemDocument}, 409: {"model": ProblemDocument}, 503: {"model": ProblemDocument}},
        openapi_extra={"x-role": "operator"},
        summary="Listen to the broker, and tell which devices speak there",
    )
    async def discover(
        request: Request,
        seconds: Annotated[int, Query(ge=1, le=60)] = 20,
        key: Key = Depends(gate.needs("operator")),  # noqa: B008  FastAPI's way
    ) -> dict[str, Any]:
        if not key.everywhere:
            raise HTTPException(403, "this key is for some stations only, and the broker carries all of them")
        if not listening.acquire(blocking=False):
            raise HTTPException(409, "somebody is listening already; try again in a minute")
        given_up = threading.Event()
        context.keyring.book.note(
            context.now(), key.name, "discovered", "broker", f"{seconds} s, {address_of(request)}"
        )

        def ended() -> bool:
            return given_up.is_set() or context.hub.closed

        def work() -> list[dict[str, object]]:
            try:
                return _told(context, seconds, ended)
            finally:
                listening.release()

        heard = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            while not (await asyncio.wait([heard], timeout=LOOK_S))[0]:
                if await request.is_disconnected():
                    given_up.set()
            return {"seconds": seconds, "devices": await heard}
        except OSError as error:
            raise HTTPException(503, str(error)) from error
        finally:
            given_up.set()

    return routes


def _told(context: ApiContext, seconds: int, ended: Any) -> list[dict[str, object]]:
    from gateway.dialects.discover import as_json

    taken = configured_topics(context.settings)
    devices = as_json(listen(context.settings, seconds, ended, CONNECT_S))
    return [device | {"configured": device["topic"] in taken} for device in devices]
