"""What the pages below `/setup` ask for while somebody sets up: devices heard now, hours in words, places as pasted."""

import asyncio
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from api.attempts import address_of
from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.problem import bad_parameter
from api.schemas import ProblemDocument
from api.setup.coordinates import LONGEST_TEXT, NoPlaceError, System, pasted
from api.setup.listening import DeviceWatch, WhatIsHeard
from api.setup.week import BadHoursError, in_words, week_of
from config.schema import Settings
from gateway.dialects.discover import Finding
from gateway.model import Millis
from gateway.policy.personal import carries_personal_number
from gateway.wire import carries_identity

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemDocument}, 403: {"model": ProblemDocument}, 422: {"model": ProblemDocument},
}  # fmt: skip
ADMIN = {"x-role": "admin"}


class OfferSchema(BaseModel):
    kind: str
    resource: dict[str, Any] = Field(description="ready for `resources:`; its id is free")
    line: str = Field(description="the same as a line of the file")
    says: dict[str, Any] = Field(description="what it says right now; empty while it has only described itself")


class UnusedSchema(BaseModel):
    kind: str | None
    reason: str = Field(description="no_facts, not_kept, bad_line, bad_source, unreadable or no_value")
    text: str


class HeardDevice(BaseModel):
    dialect: str
    topic: str
    station: str | None = Field(description="of a device of ours: the station that it speaks for")
    reports: list[str]
    offers: list[OfferSchema]
    refused: list[UnusedSchema]
    messages: int
    age_s: float = Field(description="since it last spoke")
    configured: bool


class HeardDevices(BaseModel):
    """What speaks on the broker and is not configured."""

    for_s: float = Field(description="for how long somebody has listened")
    trouble: str | None = Field(description="why nothing can be heard")
    full: bool = Field(description="more devices speak than are listed")
    left_out: int = Field(description="devices whose name holds a number of a person")
    devices: list[HeardDevice]


class DaySchema(BaseModel):
    date: str
    spans: list[tuple[int, int, str]] = Field(description="minutes of the day from 0 to 1440, and what it then is")


class WeekInWords(BaseModel):
    days: list[DaySchema]
    zh: list[str]
    en: list[str]


class PlaceSchema(BaseModel):
    lat: float
    lon: float
    swapped: bool = Field(description="longitude stood first")


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/setup", tags=["setting up"], responses=PROBLEMS)
    gate = AccessGate(context.keyring, context.now)
    watch = DeviceWatch(lambda: context.settings, context.now, ended=lambda: context.hub.closed)

    @routes.get(
        "/devices",
        response_model=HeardDevices,
        openapi_extra=ADMIN,
        summary="What speaks on the broker, while one looks",
    )
    async def devices(request: Request, key: Key = Depends(gate.needs("admin"))) -> dict[str, Any]:  # noqa: B008
        """Asking begins to listen, and listening ends 20 s after the last question."""
        for_all_stations(key)
        heard, began = await asyncio.to_thread(watch.ask)
        if began:
            context.keyring.book.note(context.now(), key.name, "discovered", "broker", address_of(request))
        return _told(heard, context.settings, context.now())

    @routes.get("/hours", response_model=WeekInWords, openapi_extra=ADMIN, summary="The coming week with these hours")
    def hours(
        hours: Annotated[str, Query(max_length=1000)],
        station: Annotated[str, Query(max_length=64)] = "",
        _key: Key = Depends(gate.needs("admin")),  # noqa: B008
    ) -> dict[str, Any]:
        try:
            week = week_of(hours, context.settings.station(station), context.settings, context.now())
        except BadHoursError as error:
            raise bad_parameter("hours", str(error)) from error
        return {
            "days": [{"date": day.day.isoformat(), "spans": day.spans} for day in week],
            "zh": in_words(week),
            "en": in_words(week, english=True),
        }

    @routes.get("/place", response_model=PlaceSchema, openapi_extra=ADMIN, summary="A pasted place in WGS 84")
    def place(
        text: Annotated[str, Query(max_length=LONGEST_TEXT)],
        system: System = "wgs84",
        _key: Key = Depends(gate.needs("admin")),  # noqa: B008
    ) -> dict[str, Any]:
        try:
            spot = pasted(text, system)
        except NoPlaceError as error:
            raise bad_parameter("text", str(error)) from error
        return {"lat": spot.lat, "lon": spot.lon, "swapped": spot.swapped}

    return routes


def for_all_stations(key: Key) -> None:
    """403 for a key that reaches some stations only."""
    if not key.everywhere:
        raise HTTPException(403, "this key is for some stations only, and this concerns all of them")


def _told(heard: WhatIsHeard, settings: Settings, now: Millis) -> dict[str, Any]:
    taken = {item.source.topic for _, _, item in settings.resources() if item.source is not None}
    shown = [finding for finding in heard.findings if not _tells_of_a_person(finding)]
    return {
        "for_s": max(0, now - heard.since) / 1000,
        "trouble": heard.trouble,
        "full": heard.full,
        "left_out": len(heard.findings) - len(shown),
        "devices": [_device(finding, finding.topic in taken, now) for finding in shown],
    }


def _device(finding: Finding, configured: bool, now: Millis) -> dict[str, Any]:
    return {
        "dialect": finding.dialect,
        "topic": finding.topic,
        "station": finding.station,
        "reports": finding.reports,
        "offers": [
            {"kind": offer.resource["kind"], "resource": offer.resource, "line": offer.line, "says": offer.says}
            for offer in finding.offers
        ],
        "refused": [
            {"kind": refusal.kind, "reason": refusal.reason, "text": refusal.text} for refusal in finding.refused
        ],
        "messages": finding.messages,
        "age_s": max(0, now - finding.heard_at) / 1000,
        "configured": configured,
    }


def _tells_of_a_person(finding: Finding) -> bool:
    return carries_personal_number(finding.topic) or carries_identity(finding.topic.encode())
