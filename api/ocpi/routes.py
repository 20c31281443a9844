"""`/ocpi/…`: versions, credentials, locations. Without `ocpi:` in the configuration 404, without a token 401."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.context import ApiContext
from api.late_routes import Routes
from api.ocpi.agreement import Agreement, Us
from api.ocpi.envelope import NOT_THERE, wrapped
from api.ocpi.handshake import VERSION
from api.ocpi.partners import Asker, PartnerBook
from api.ocpi.sender import Locations
from config.schema import Ocpi

PAGE_MOST = 1000
When = Annotated[str | None, Query(max_length=40, description="RFC 3339; `last_updated` from (to) then")]


def router(
    context: ApiContext,
    partners: PartnerBook,
    locations: Locations,
    used: Callable[[str], None] = lambda _partner: None,
) -> Routes:
    """`used(partner)` hears of each that asks."""
    told: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}}}}
    routes = Routes(prefix="/ocpi", tags=["ocpi"], responses=told)
    desk = Desk(context, partners, used)
    _versions(routes, desk)
    _credentials(routes, desk)
    _locations(routes, desk, locations)
    return routes


class Desk:
    """Who asks, and in whose words he is answered."""

    def __init__(self, context: ApiContext, partners: PartnerBook, used: Callable[[str], None]) -> None:
        self.context, self.partners, self._used = context, partners, used

    @property
    def ocpi(self) -> Ocpi:
        """The section `ocpi:`. 404 where there is none."""
        section = self.context.settings.ocpi
        if section is None:
            raise HTTPException(404, "OCPI is off here: `ocpi:` in the configuration turns it on")
        return section

    def asker(self, request: Request) -> Asker | None:
        """Blocking. None for nobody that we know."""
        return self.partners.who(request.headers.get("authorization"), self.ocpi)

    def root(self, request: Request) -> str:
        return (self.context.settings.api.public_url or str(request.base_url)).rstrip("/") + "/ocpi"

    async def answer(self, request: Request, make: Callable[[Asker], Response]) -> Response:
        """`make` is called in a thread of its own for who has a token of ours; nobody else gets anything."""

        def made() -> Response:
            asker = self.asker(request)
            if asker is None:
                headers = {"www-authenticate": "Token"}
                return wrapped(None, self.context.now(), headers, http=401, status=2001, message="the token is unknown")
            self._used(asker.partner.id)
            return make(asker)

        answer = await run_in_threadpool(made)
        for name in ("x-request-id", "x-correlation-id"):
            if name in request.headers:
                answer.headers[name] = request.headers[name]
        return answer


def _versions(routes: Routes, desk: Desk) -> None:
    @routes.get("/versions", summary="The versions of OCPI that we speak", response_class=Response)
    async def versions(request: Request) -> Response:
        told = [{"version": VERSION, "url": f"{desk.root(request)}/{VERSION}"}]
        return await desk.answer(request, lambda _asker: wrapped(told, desk.context.now()))

    @routes.get(f"/{VERSION}", summary="Its endpoints", response_class=Response)
    async def details(request: Request) -> Response:
        here = f"{desk.root(request)}/{VERSION}"
        endpoints = [
            {"identifier": "credentials", "role": "SENDER", "url": f"{here}/credentials"},
            {"identifier": "credentials", "role": "RECEIVER", "url": f"{here}/credentials"},
            {"identifier": "locations", "role": "SENDER", "url": f"{here}/locations"},
        ]
        told = {"version": VERSION, "endpoints": endpoints}
        return await desk.answer(request, lambda _asker: wrapped(told, desk.context.now()))


def _credentials(routes: Routes, desk: Desk) -> None:
    address, agreement = (
        f"/{VERSION}/credentials",
        Agreement(desk.partners, desk.context.now, desk.context.keyring.book),
    )

    @routes.get(address, summary="What a registered partner knows of us", response_class=Response)
    async def shown(request: Request) -> Response:
        us = Us(desk.ocpi, desk.root(request))
        return await desk.answer(request, lambda asker: agreement.show(asker, us))

    @routes.post(address, summary="A partner registers", response_class=Response)
    async def registered(request: Request) -> Response:
        us, body = Us(desk.ocpi, desk.root(request)), await request.body()
        return await desk.answer(request, lambda asker: agreement.make(asker, us, body))

    @routes.put(address, summary="A partner has another token or address", response_class=Response)
    async def changed(request: Request) -> Response:
        us, body = Us(desk.ocpi, desk.root(request)), await request.body()
        return await desk.answer(request, lambda asker: agreement.make(asker, us, body, anew=True))

    @routes.delete(address, summary="A partner leaves", response_class=Response)
    async def left(request: Request) -> Response:
        return await desk.answer(request, agreement.end)


def _locations(routes: Routes, desk: Desk, locations: Locations) -> None:
    address = f"/{VERSION}/locations"

    def told(entries: list[Any]) -> list[dict[str, Any]]:
        context = desk.context
        return locations.of(entries, desk.ocpi, context.view.now())

    @routes.get(address, summary="Stations with charging points", response_class=Response)
    async def every(
        request: Request,
        date_from: When = None,
        date_to: When = None,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 100,
    ) -> Response:
        entries = list(desk.context.view)

        def made(_asker: Asker) -> Response:
            changed = [location for location in told(entries) if _within(location["last_updated"], date_from, date_to)]
            headers = {"x-total-count": str(len(changed)), "x-limit": str(PAGE_MOST)}
            if offset + limit < len(changed):
                following = request.url.include_query_params(offset=offset + limit, limit=limit)
                headers["link"] = f'<{desk.root(request)}/{VERSION}/locations?{following.query}>; rel="next"'
            return wrapped(changed[offset : offset + limit], desk.context.now(), headers)

        return await desk.answer(request, made)

    async def of_one(request: Request, station: str, *within: str) -> Response:
        entry = desk.context.view.get(station)

        def made(_asker: Asker) -> Response:
            shown: Any = next(iter(told([entry])), None) if entry is not None else None
            for part, key, word in zip(within, ("uid", "id"), ("evses", "connectors"), strict=False):
                shown = shown and next((part_of_it for part_of_it in shown[word] if part_of_it[key] == part), None)
            if shown is None:
                return wrapped(None, desk.context.now(), http=404, status=NOT_THERE, message="there is none")
            return wrapped(shown, desk.context.now())

        return await desk.answer(request, made)

    @routes.get(address + "/{station}", summary="One station", response_class=Response)
    async def location(request: Request, station: str) -> Response:
        return await of_one(request, station)

    @routes.get(address + "/{station}/{evse}", summary="One charging point", response_class=Response)
    async def evse(request: Request, station: str, evse: str) -> Response:
        return await of_one(request, station, evse)

    @routes.get(address + "/{station}/{evse}/{connector}", summary="Its connector", response_class=Response)
    async def connector(request: Request, station: str, evse: str, connector: str) -> Response:
        return await of_one(request, station, evse, connector)


def _within(at: str, first: str | None, last: str | None) -> bool:
    """`date_from` is included, `date_to` is not; a time that can't be read bounds nothing, as many send odd ones."""
    return (first is None or at >= _comparable(first)) and (last is None or at < _comparable(last))


def _comparable(text: str) -> str:
    """In the form of `rfc3339_seconds`."""
    return text[:19].replace(" ", "T") + "Z"
