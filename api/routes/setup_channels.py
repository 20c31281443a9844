"""Channels by click: a test that sends what an alert will look like, and files for what nobody else may read."""

import asyncio
from typing import Annotated, Any

from fastapi import Body, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.attempts import address_of
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.routes.setup import ADMIN, PROBLEMS, for_all_stations
from api.running import Fixed
from api.setup.secret_files import keep_secret
from config.schema import Channel
from gateway.alerting.configured import base_url
from gateway.alerts.places import Places
from gateway.notify.trial import send_tests


class SecretGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="of the file")
    value: str | None = Field(
        None, min_length=1, max_length=4000, pattern=r"^[\x21-\x7e]+$", description="without it a token is made"
    )


class SecretKept(BaseModel):
    file: str = Field(description="as the configuration names it, as in url_file")


class TrialWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel: dict[str, Any] = Field(description="as under alerts.channels")


class TrialAnswer(BaseModel):
    sent: bool
    wrong: str | None = Field(description="what the provider said, or why it was not asked")


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/setup", tags=["setting up"], responses=PROBLEMS)
    gate, sending = AccessGate(context.keyring, context.now), asyncio.Lock()

    def admin(key: Key = Depends(gate.needs("admin"))) -> Key:  # noqa: B008
        for_all_stations(key)
        return key

    @routes.post("/channels/test", response_model=TrialAnswer, openapi_extra=ADMIN, summary="Send a test message")
    async def test(
        request: Request, wanted: Annotated[TrialWanted, Body()], asking: Annotated[Key, Depends(admin)]
    ) -> dict[str, Any]:
        channel = _channel(context, wanted.channel)
        context.keyring.book.note(context.now(), asking.name, "channel_tried", channel.id, address_of(request))
        async with sending:  # one at a time: each may take as long as its provider
            wrong = await asyncio.to_thread(_tried, context, channel)
        return {"sent": wrong is None, "wrong": wrong}

    @routes.post("/secrets", status_code=201, response_model=SecretKept, openapi_extra=ADMIN, summary="Keep a secret")
    def keep(given: Annotated[SecretGiven, Body()], asking: Annotated[Key, Depends(admin)]) -> dict[str, str]:
        if isinstance(context.running, Fixed):
            raise HTTPException(409, "this process has no configuration of its own; do it where its files are")
        try:
            file = keep_secret(context.running.path, given.name, given.value)
        except OSError as error:
            raise HTTPException(503, f"the secret can't be kept: {error.strerror or error}") from error
        context.keyring.book.note(context.now(), asking.name, "secret_kept", file)
        return {"file": file}

    return routes


def _channel(context: ApiContext, given: dict[str, Any]) -> Channel:
    """422 names the keys that are wrong, and no value: a secret may be among them."""
    path = context.running.path
    folder = path if path.is_dir() else path.parent
    try:
        return Channel.model_validate(given, context={"base": folder.absolute(), "check_files": True})
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors(include_input=False)
        )
        raise HTTPException(422, told[:1000]) from None


def _tried(context: ApiContext, channel: Channel) -> str | None:
    settings = context.settings
    ((_, wrong),) = send_tests([channel], Places.of(settings), base_url(settings), context.now())
    return wrong
