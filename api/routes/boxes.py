"""`/api/v1/boxes`: the boxes that tell this centre; `/boxes` (箱子): the same as a page."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from api.auth import AccessGate, Key
from api.boxes import KnownBox, known_boxes, with_errands
from api.context import ApiContext
from api.errands import ErrandRow, errands_in, rows_of
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.boxes import BoxesPage
from api.pages.preferences import dressed, preferences
from api.rollout.rings import ring_told
from api.times import rfc3339
from gateway.live.box_lines import BoxWord


class BoxRow(BaseModel):
    box: str
    stations: list[str] = Field(description="those of which it has told us")
    line: Literal["up", "down", "unknown"] = Field(description="unknown: our own gateway does not look")
    since: str = Field(description="from when on the line is so")
    last_seen: str
    version: str | None
    started_at: str | None
    backlog: int | None = Field(description="messages that we have not confirmed yet, when it last spoke")
    clock_off_ms: int | None = Field(description="its clock minus ours")
    disk_free_mib: int | None
    disk_days: int | None = Field(description="for how many days its disk has room at the pace of the last week")
    walls: int | None = Field(description="screens that hang in its stations")
    config_version: int | None = Field(description="of its configuration; null before it keeps versions")
    certificate_days: int | None = Field(description="until the certificate ends by which it logs in here")
    ring: str = Field(description="ring0, ring1 or stable: when it gets a new version")
    upgrade: Literal["rolled_back"] | None = Field(description="rolled_back: a new version was taken back there")
    upgrade_version: str | None = Field(description="which")
    errands: list[ErrandRow] = Field(
        description="what staff said for its stations: all that waits, and the last day of what was settled"
    )


class BoxRows(BaseModel):
    boxes: list[BoxRow]


def router(context: ApiContext) -> Routes:
    routes, gate, page = Routes(), AccessGate(context.keyring, context.now), BoxesPage()

    def boxes_seen(key: Key) -> list[KnownBox]:
        settings, sees = context.settings, _sees(context, key)
        boxes = known_boxes(settings.store.path, context.now(), sees, settings.owners)
        return with_errands(boxes, errands_in(settings.store.path), sees)

    @routes.get(
        "/api/v1/boxes",
        tags=["staff"],
        response_model=BoxRows,
        openapi_extra={"x-role": "viewer"},
        summary="The boxes that tell this centre, and how their lines are",
    )
    async def boxes(key: Key = Depends(gate.needs("viewer"))) -> BoxRows:  # noqa: B008  FastAPI's way
        return BoxRows(boxes=[_row(box) for box in await asyncio.to_thread(boxes_seen, key)])

    @routes.get("/boxes", response_class=HTMLResponse, include_in_schema=False)
    async def boxes_page(request: Request) -> Response:
        lang, key = preferences(request).lang, gate.who(request)
        if key is None:
            return HTMLResponse(dressed(request, page.gated(lang)), 401, HEADERS)
        told = page.told(await asyncio.to_thread(boxes_seen, key), context.settings, context.now(), lang)
        return HTMLResponse(dressed(request, told), 200, HEADERS)

    return routes


def _sees(context: ApiContext, key: Key) -> Callable[[Sequence[str]], bool]:
    """Whether the key is for one of these stations; a box that told of none is for keys without bounds."""
    regions = {station.id: station.region for station in context.settings.stations}
    return lambda stations: key.everywhere or any(key.covers(name, regions.get(name, ())) for name in stations)


def _row(box: KnownBox) -> BoxRow:
    line, word = box.line, box.line.word or BoxWord(box.line.box, "offline")
    return BoxRow(
        box=line.box,
        stations=line.stations,
        line=box.state,
        since=rfc3339(line.since),
        last_seen=rfc3339(line.seen_at),
        version=word.version,
        started_at=word.since,
        backlog=word.backlog,
        clock_off_ms=line.clock_off_ms,
        disk_free_mib=word.disk_free_mib,
        disk_days=word.disk_days,
        walls=word.walls,
        config_version=word.config_version,
        certificate_days=word.certificate_days,
        ring=ring_told(box),
        upgrade=word.upgrade,
        upgrade_version=word.upgrade_version,
        errands=rows_of(box.errands),
    )
