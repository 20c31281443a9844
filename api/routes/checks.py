"""`/api/v1/stations/{station}/checks`: what people found on their rounds (巡检)."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Depends, HTTPException, Query, Request, Response
from msgspec.json import encode
from pydantic import BaseModel, ConfigDict, Field

from api.addresses import network_of
from api.auth import AccessGate, Key
from api.check_desk import CheckDesk
from api.check_links import CheckLinks
from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.derived import Derived
from api.late_routes import Routes
from api.problem import bad_parameter, not_found
from api.routes.alerts import PROBLEMS, VIEWER
from api.routes.check_photos import photos_of
from api.routes.past import ALSO_TABLE
from api.routes.reports import Rate
from api.times import rfc3339
from gateway.evidence.checks import LONGEST_NOTE, MOST_COUNTED, CheckReport, StoredCheck
from gateway.model import Millis

A_PAGE = 100
LARGEST_PAGE = 500
MOST_ROWS = 50_000
PER_HOUR = 3_000
"""Reports of one address: a phone that comes home from a month without network brings hundreds."""
COLUMNS = ("id", "check", "at", "received_at", "result", "note", "expires", "count", "by", "photo")


class CheckMade(BaseModel):
    """What somebody found. The phone makes `id`, so that sending it again changes nothing."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    check: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    at: Annotated[datetime, Field(description="RFC 3339 with offset: 5 minutes ahead to 30 days back")]
    result: Literal["ok", "problem"]
    note: Annotated[str, Field(max_length=LONGEST_NOTE, description="numbers of people are taken out")] = ""
    expires: Annotated[date | None, Field(description="the day on which the thing expires")] = None
    count: Annotated[int | None, Field(ge=0, le=MOST_COUNTED, description="how many are left")] = None

    def report(self, by: str) -> CheckReport:
        if self.at.tzinfo is None:
            raise HTTPException(422, "at has no offset; write it like 2026-05-01T18:00:00+08:00")
        at = round(self.at.timestamp() * 1000)
        return CheckReport(
            id=str(self.id), check=self.check, ts=max(0, at), result=self.result, note=self.note, expires=self.expires,
            count=self.count, by=by,
        )  # fmt: skip


class CheckKept(BaseModel):
    """It is durable."""

    id: UUID


def router(context: ApiContext) -> Routes:
    routes = Routes(prefix="/api/v1/stations", tags=["checks"], responses=PROBLEMS)
    gate, links, desk = (
        AccessGate(context.keyring, context.now),
        Derived(context.running.settings, CheckLinks),
        CheckDesk(context),
    )
    by_address = Rate(PER_HOUR)

    def asks(station: str, request: Request) -> str:
        return links().who(request, station, gate, context.settings)

    @routes.post(
        "/{station}/checks",
        status_code=201,
        response_model=CheckKept,
        responses={200: {"model": CheckKept, "description": "it was there"}, 429: PROBLEMS[404]},
        summary="Report a check, with an operator's key or the token of the station's link",
    )
    async def made(
        station: str, said: Annotated[CheckMade, Body()], request: Request, response: Response, by: str = Depends(asks)
    ) -> CheckKept:
        known = context.settings.station(station)
        if known is None:
            raise not_found(station)
        address = network_of(request.client.host) if request.client is not None else "?"
        if not by_address.allows(address, context.now()):
            raise HTTPException(429, "so many checks in an hour; keep it and try again", {"retry-after": "600"})
        if not await desk.keep(known, said.report(by)):
            response.status_code = 200
        return CheckKept(id=said.id)

    viewer = Depends(gate.needs("viewer"))

    @routes.get(
        "/{station}/checks",
        responses=ALSO_TABLE,
        openapi_extra=VIEWER,
        summary="What was reported, the newest first",
    )
    def listed(
        station: str,
        check: Annotated[str | None, Query(max_length=64, description="of this check alone")] = None,
        limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = A_PAGE,
        cursor: str | None = None,
        format: Literal["json", "csv"] = "json",  # noqa: A002
        lang: Lang = None,
        key: Key = viewer,
    ) -> Response:
        known = context.settings.station(station)
        if known is None or not key.covers(station, known.region):
            raise not_found(station)
        if format == "csv":  # with the names of those who checked
            context.keyring.book.note(context.now(), key.name, "checks_exported", station)
            rows = (_row(stored, context) for stored in _all(desk, station, check))
            return Spreadsheet.of(context.settings, lang, station).answer(rows, {"cache-control": "no-store"}, COLUMNS)
        return _page(desk, context, station, check, limit, cursor)

    return routes


def _page(
    desk: CheckDesk, context: ApiContext, station: str, check: str | None, limit: int, cursor: str | None
) -> Response:
    told = desk.books().page(station, _before(cursor), limit + 1, check)
    last = told[limit - 1].report if len(told) > limit else None
    following = None if last is None else f"{last.ts}.{last.id}"
    body = {"checks": [_row(stored, context) for stored in told[:limit]], "next": following}
    return Response(encode(body), media_type="application/json", headers={"cache-control": "no-store"})


def _before(cursor: str | None) -> tuple[Millis, str] | None:
    if cursor is None:
        return None
    at, _, name = cursor.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 17):
        raise bad_parameter("cursor", "is none that `next` gave")
    return int(at), name


def _all(desk: CheckDesk, station: str, check: str | None) -> Iterator[StoredCheck]:
    books, before, count = desk.books(), None, 0
    while (told := books.page(station, before, LARGEST_PAGE, check)) and count < MOST_ROWS:
        yield from told
        count += len(told)
        before = told[-1].report.ts, told[-1].report.id


def _row(stored: StoredCheck, context: ApiContext) -> dict[str, Any]:
    report = stored.report
    return {
        "id": report.id, "check": report.check, "at": rfc3339(report.ts), "received_at": rfc3339(stored.received_at),
        "result": report.result, "note": report.note or None,
        "expires": None if report.expires is None else report.expires.isoformat(), "count": report.count,
        "by": report.by, "photo": photos_of(context).has(stored, context.now()),
    }  # fmt: skip
