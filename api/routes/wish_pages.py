"""`/m/{station}/wish` and `/wishes`: the pages of residents' wishes, forms that need no script."""

import asyncio
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from api.auth import AccessGate, Key, refuse_foreign
from api.context import ApiContext
from api.form import form_fields
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.preferences import dressed, preferences
from api.pages.wishes import WishPaper
from api.routes import wishes
from api.routes.wishes import WishDeed, WishDoor, WishSaid, covered_by, done, station_of
from api.wish_desk import DEEDS, WishDesk
from config.schema import StationSettings

Said = Annotated[str, Query(max_length=20)]


def router(context: ApiContext) -> Routes:
    """The pages of wishes and their API, behind one door."""
    routes, pages, desk, paper = Routes(), Routes(include_in_schema=False), WishDesk(context), WishPaper()
    door = WishDoor(context, desk)
    _form(pages, context, desk, paper, door)
    _list(pages, context, desk, paper)
    routes.take(wishes.router(context, desk, door), pages)
    return routes


def _form(routes: Routes, context: ApiContext, desk: WishDesk, paper: WishPaper, door: WishDoor) -> None:
    def shown(request: Request, station: StationSettings, said: str, status: int = 200) -> Response:
        chosen = preferences(request, context.settings.display_of(station).lang)
        zone = context.settings.zone_of(station)
        text = paper.form(station.id, station.name, desk.told([station]), zone, chosen.lang, said)
        return HTMLResponse(dressed(request, text), status, HEADERS)

    @routes.get("/m/{station}/wish")
    def form(request: Request, station: str, said: Said = "") -> Response:
        return shown(request, station_of(context, station), said)

    @routes.post("/m/{station}/wish")
    async def made(request: Request, station: str) -> Response:
        refuse_foreign(request)
        known, fields = station_of(context, station), form_fields(await request.body())
        try:
            said = WishSaid(interest=fields.get("interest", ""), when=fields.get("when", ""))
            await asyncio.to_thread(door.add, known, said, request)
        except ValidationError:
            return await asyncio.to_thread(shown, request, known, "again", 422)
        except HTTPException as error:
            return await asyncio.to_thread(shown, request, known, "enough", error.status_code)
        return RedirectResponse(f"/m/{known.id}/wish?said=thanks", 303, HEADERS)


def _list(routes: Routes, context: ApiContext, desk: WishDesk, paper: WishPaper) -> None:
    gate = AccessGate(context.keyring, context.now)

    def shown(request: Request, key: Key, said: str, status: int = 200) -> Response:
        stations = covered_by(context, key)
        names: dict[str, Any] = {station.id: station.name for station in stations}
        zones = {station.id: context.settings.zone_of(station) for station in stations}
        may, lang = key.at_least("operator"), preferences(request).lang
        text = paper.list(desk.told(stations), names, zones, lang, may=may, said=said)
        return HTMLResponse(dressed(request, text), status, HEADERS)

    @routes.get("/wishes")
    def wishes(request: Request) -> Response:
        key = gate.who(request)
        if key is None:
            return HTMLResponse(dressed(request, paper.gated(preferences(request).lang)), 401, HEADERS)
        return shown(request, key, "")

    @routes.post("/wishes")
    async def deed(request: Request) -> Response:
        key = gate.needs("operator")(request)
        fields = form_fields(await request.body())
        how, what = WishDeed(to=fields.get("to", "")[:200]), DEEDS.get(fields.get("deed", ""))
        if what is None:
            return await asyncio.to_thread(shown, request, key, "failed", 422)
        station, wish = fields.get("station", ""), fields.get("wish", "")
        try:
            await asyncio.to_thread(done, context, desk, key, station, wish, what, how)
        except RequestValidationError:
            return await asyncio.to_thread(shown, request, key, "failed", 422)
        except HTTPException as error:
            return await asyncio.to_thread(shown, request, key, "too_late", error.status_code)
        return RedirectResponse("/wishes", 303, HEADERS)
