"""`/c/{token}`: the page behind the code at the place. Who holds the link may report checks there, nothing else."""

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth import refuse_foreign
from api.check_desk import CheckDesk
from api.check_links import BY_LINK, CheckLinks
from api.context import ApiContext
from api.derived import Derived
from api.form import form_fields
from api.late_routes import Routes
from api.pages.checks import DONE, PRIVATE, ChecksPage, refusal
from api.routes.checks import CheckMade
from config.schema import StationSettings
from gateway.base.times import rfc3339
from gateway.store.base import StoreError


def router(context: ApiContext) -> Routes:
    routes = Routes(include_in_schema=False)
    links, desk, page = Derived(context.running.settings, CheckLinks), CheckDesk(context), ChecksPage()

    def station_of(token: str) -> StationSettings:
        station = links().find(token)
        if station is None:
            raise HTTPException(404, "this link is not known, or has ended; scan the code at the place", PRIVATE)
        return station

    def shown(request: Request, station: StationSettings, said: str = "", status: int = 200) -> Response:
        try:
            last = desk.books().last(station.id, [check.id for check in station.checks])
        except StoreError:
            last = {}  # one can report all the same
        return page.answer(request, station, last, context.settings.zone_of(station), said, status)

    @routes.get("/c/{token}")
    def checks(request: Request, token: str, done: Annotated[str, Query(max_length=64)] = "") -> Response:
        return shown(request, station_of(token), DONE if done else "")

    @routes.post("/c/{token}")
    async def made(request: Request, token: str) -> Response:
        """The form of a browser that runs no script."""
        _refuse_foreign(request)
        station = station_of(token)
        try:
            said = _read(await request.body(), rfc3339(context.now()))
            await desk.keep(station, said.report(BY_LINK))
        except HTTPException as error:
            return await asyncio.to_thread(shown, request, station, refusal(str(error.detail)), error.status_code)
        except ValueError:
            return await asyncio.to_thread(shown, request, station, refusal("a field can't be read"), 422)
        return RedirectResponse(f"/c/{token}?done=1", 303, PRIVATE)

    return routes


def _refuse_foreign(request: Request) -> None:
    """A page that tells no referrer sends `Origin: null` with its own form; browsers then say otherwise whose it is."""
    own = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    if not (request.headers.get("origin") == "null" and own):
        refuse_foreign(request)


def _read(body: bytes, now: str) -> CheckMade:
    """ValueError for a value that can't be read, HTTPException for a form that is none of ours."""
    given = form_fields(body)
    day, count = given.get("expires"), given.get("count")
    return CheckMade.model_validate(
        {
            "id": UUID(given.get("id", "")),
            "check": given.get("check", ""),
            "at": now,
            "result": given.get("result", ""),
            "note": given.get("note", ""),
            "expires": date.fromisoformat(day) if day else None,
            "count": int(count) if count else None,
        }
    )
