"""`/setup/stations/{station}/sheet`: the codes of a station on A4, to be printed and hung up."""

from typing import Annotated

from fastapi import Depends, Request, Response

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.late_routes import Routes
from api.pages.sheet import SheetPage, codes_of
from api.problem import not_found


def router(context: ApiContext) -> Routes:
    routes = Routes(include_in_schema=False)
    gate, page = AccessGate(context.keyring, context.now), SheetPage()

    @routes.get("/setup/stations/{station}/sheet")
    def sheet(request: Request, station: str, key: Annotated[Key, Depends(gate.needs("admin"))]) -> Response:
        """It holds the link of the checks, so it is for those who may make one."""
        settings = context.settings
        known = settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        base = (settings.api.public_url or str(request.base_url)).rstrip("/")
        return page.answer(request, known, codes_of(known, base), base)

    return routes
