"""`/api/v1/promises`: how well stations kept their promise to be open; `/promises` (体检表): the same as a page."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from api.auth import AccessGate, Key
from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.journal_here import needs_journal
from api.late_routes import Routes
from api.pages import HEADERS
from api.pages.preferences import dressed, preferences
from api.pages.promises import Paper, gathered
from api.pages.report.gather import month_at, this_month
from api.pages.report.words import Words
from api.problem import bad_parameter
from api.promises import KeptPromise, kept, without_a_sign
from api.routes.past import ALSO_TABLE, NO_CACHE, PROBLEMS, Form, From, Past, To, answer, shown_share
from api.times import rfc3339
from config.schema import StationSettings
from gateway.history.first_sign import Missing
from gateway.model import Millis
from gateway.store.base import Reader

MINUTE_MS = 60_000
BY = Annotated[Literal["station", "day"], Query(description="a row a station, or one for each of its local days")]
REGION = Annotated[str, Query(description="a region of any level; several by comma must all hold; none: everywhere")]
MONTH = Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
LOOKS = 3  # at each resource: once for its month, what is not rolled up yet, and visits


class PromiseRow(BaseModel):
    station: str
    from_: str = Field(alias="from")
    to: str
    promised_min: float = Field(description="proved, contradicted and unproved together")
    proved_min: float
    contradicted_min: float
    unproved_min: float = Field(description="nobody could see whether one could come in")
    kept: float | None = Field(description="proved ÷ (proved + contradicted); null where nothing was seen")
    coverage: float | None = Field(description="(proved + contradicted) ÷ promised; null where nothing was promised")
    no_sign_since: str | None = Field(
        description="it opened then, usually has the first sign that one can come in an hour ago at the latest, and has"
        " none; accuses nobody; null where all is as usual or nothing is usual"
    )
    usually_within_min: float | None = Field(description="of its opening, on 4 of 5 days or more; with no_sign_since")
    activities_held: int = Field(description="activities of calendars that presence proved were held")
    activities_not_held: int = Field(description="to which nobody came")
    activities_unknown: int = Field(description="nobody could see")
    working: dict[str, float | None] = Field(description="by kind: share of known time not in fault")
    working_coverage: float | None = Field(description="known ÷ all time in which equipment should have worked")


class PromiseRows(BaseModel):
    rows: list[PromiseRow]


def router(context: ApiContext) -> Routes:
    routes, past = Routes(), Past(context)
    _rows(routes, context, past)
    _page(routes, context, past)
    return routes


def _rows(routes: Routes, context: ApiContext, past: Past) -> None:
    gate = AccessGate(context.keyring, context.now)

    @routes.get(
        "/api/v1/promises",
        tags=["history"],
        response_model=PromiseRows,
        responses=PROBLEMS | ALSO_TABLE,
        openapi_extra={"x-role": "viewer"},
        summary="How well stations kept their promise to be open, and how much of their equipment worked",
    )
    async def promises(
        request: Request,
        start: From = None,
        end: To = None,
        by: BY = "station",
        region: REGION = "",
        form: Form = "json",
        lang: Lang = None,
        key: Key = Depends(gate.needs("viewer")),  # noqa: B008  FastAPI's way
    ) -> Response:
        stations = _covered(past.of_region([name for name in region.split(",") if name]), key)
        needs_journal(context.settings, "promises to be open")
        now = context.now()
        window = past.window_or_month(start, end, _zone(context, stations))
        priced = past.afford(request, stations * LOOKS, "day", window)

        def work(reader: Reader) -> Response:
            silent = without_a_sign(context.settings, stations, now)
            promises = kept(context.settings, stations, reader, window, by_day=by == "day")
            rows = [_row(promise, silent.get(promise.station.id)) for promise in promises]
            if form == "csv":
                return Spreadsheet.of(context.settings, lang).answer(_flat(rows), NO_CACHE)
            return answer({"rows": rows})

        return await past.answer(request, priced, work)


def _page(routes: Routes, context: ApiContext, past: Past) -> None:
    gate, paper = AccessGate(context.keyring, context.now), Paper()

    @routes.get("/promises", response_class=HTMLResponse, include_in_schema=False)
    async def promises(request: Request, month: MONTH = None) -> Response:
        say = Words(preferences(request).lang)
        key = gate.who(request)
        if key is None:
            return HTMLResponse(dressed(request, paper.gated(say)), 401, HEADERS)
        needs_journal(context.settings, "promises to be open")
        stations, now = _covered(list(context.settings.stations), key), context.now()
        zone = _zone(context, stations)
        try:
            which = month_at(month or this_month(zone, now).name, zone, now)
        except ValueError:
            raise bad_parameter("month", "has not begun, or lies before 1970") from None
        priced = past.afford(request, stations * LOOKS, "day", (which.start, which.upto))

        def work(reader: Reader) -> Response:
            told = paper.print(gathered(context.settings, stations, which, reader, now), say)
            return HTMLResponse(dressed(request, told), 200, HEADERS)

        return await past.answer(request, priced, work)


def _covered(stations: Sequence[StationSettings], key: Key) -> list[StationSettings]:
    """Those that this key is for; 404 where there is none."""
    covered = [
        station for station in stations if station.lifecycle != "removed" and key.covers(station.id, station.region)
    ]
    if not covered:
        raise HTTPException(404, "no station that this key covers lies there; GET /api/v1/stations tells the regions")
    return covered


def _zone(context: ApiContext, stations: Sequence[StationSettings]) -> ZoneInfo:
    return context.settings.zone_of(stations[0])


def _row(promise: KeptPromise, silent: Missing | None) -> dict[str, Any]:
    done = promise.promised
    if silent is not None and not promise.start <= silent.since < promise.end:
        silent = None
    return {
        "station": promise.station.id,
        "from": rfc3339(promise.start),
        "to": rfc3339(promise.end),
        "promised_min": _minutes(done.promised),
        "proved_min": _minutes(done.proved),
        "contradicted_min": _minutes(done.contradicted),
        "unproved_min": _minutes(done.unproved),
        "kept": shown_share(done.kept),
        "coverage": shown_share(done.coverage),
        "no_sign_since": None if silent is None else rfc3339(silent.since),
        "usually_within_min": None if silent is None else _minutes(silent.usual.within_ms),
        "activities_held": promise.held.held,
        "activities_not_held": promise.held.not_held,
        "activities_unknown": promise.held.unknown,
        "working": {kind: shown_share(share) for kind, share in promise.working.shares.items()},
        "working_coverage": shown_share(promise.working.coverage),
    }


def _flat(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For a table: a column for each kind."""
    kinds = sorted({kind for row in rows for kind in row["working"]})
    return [
        {name: value for name, value in row.items() if name != "working"}
        | {f"working_{kind}": row["working"].get(kind) for kind in kinds}
        for row in rows
    ]


def _minutes(ms: Millis) -> float:
    return round(ms / MINUTE_MS, 2)
