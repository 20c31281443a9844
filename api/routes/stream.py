"""`/api/v1/stream`: changes as Server-Sent Events."""

from typing import Annotated

from fastapi import Header, Query, Request, Response

from api.addresses import counted
from api.auth import AccessGate
from api.context import ApiContext
from api.event_stream import EventStream
from api.late_routes import Routes
from api.problem import Problem, not_found
from api.push import Covers, TooManyStreamsError, nothing
from api.schemas import ProblemDocument

DESCRIPTION = (
    "`snapshot` first, then `availability` at each change, `heartbeat` with the server's time every 5 s. "
    "`data` is a station's availability document. With a staff key also `alert`, at each change of one. "
    "`removed`, with `station` in its data, when one was taken out of the configuration; its own stream then ends. "
    "After a break, Last-Event-ID spares what did not change."
)
STREAM = {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "the events"}


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1", tags=["availability"])
    gate = AccessGate(context.keyring, context.now)

    def _covered(request: Request) -> Covers:
        if gate.who(request) is None:
            return nothing

        def covers(station: str | None) -> bool:
            key = gate.who(request)  # asked each time: a revoked key sees nothing from then on
            known = context.settings.station(station) if station is not None else None
            return key is not None and key.covers(station or "", known.region if known else ())

        return covers

    @routes.get(
        "/stream",
        response_class=Response,
        responses={200: STREAM, 429: {"model": ProblemDocument}, 503: {"model": ProblemDocument}},
        summary="Changes as they happen",
        description=DESCRIPTION,
    )
    async def stream(
        request: Request,
        station: Annotated[str | None, Query(description="only this station")] = None,
        screen: Annotated[
            str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="a wall screen says who it is")
        ] = None,
        wall: Annotated[
            str | None, Query(max_length=100, description="the token of its page; a screen without it is anybody")
        ] = None,
        last_event_id: Annotated[str | None, Header(description="the last id received")] = None,
    ) -> Response:
        if station is not None and context.view.get(station) is None:
            raise not_found(station)
        try:
            known = screen if context.walls.proves(wall, station, context.now()) else None
            client = context.hub.join(station, counted(request), known, last_event_id, _covered(request))
        except TooManyStreamsError as error:
            return Problem(error.status, error.detail, headers={"retry-after": "10"})
        return EventStream(context.hub, client)

    return routes
