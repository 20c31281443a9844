"""`/api/v1/stations/{station}/sessions`: each use of a charger, with its energy where the meter tells it."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from api.charges import Charge, charges
from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.journal_here import needs_journal
from api.late_routes import Routes
from api.routes.history import PAGE_DEFAULT, Limit
from api.routes.past import ALSO_TABLE, NO_CACHE, PROBLEMS, AreaId, Form, From, Past, ResourceId, To, answer
from api.routes.utilization import energy_wh
from api.schemas import SessionsSchema
from api.times import rfc3339
from gateway.model import Millis
from gateway.store.base import Reader
from gateway.store.place import METERED
from gateway.store.rollup_reader import RollupReader


def router(context: ApiContext) -> Routes:
    routes, past = Routes(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)

    @routes.get(
        "/stations/{station}/sessions",
        response_model=SessionsSchema,
        responses=ALSO_TABLE,
        summary="Each use of a charger",
    )
    async def sessions(
        station: str,
        request: Request,
        start: From = None,
        end: To = None,
        resource: ResourceId = None,
        area: AreaId = None,
        limit: Limit = PAGE_DEFAULT,
        form: Form = "json",
        lang: Lang = None,
    ) -> Response:
        window = past.window(start, end)
        priced = past.afford(request, past.of_name(station), "day", window)

        sheet = Spreadsheet.of(context.settings, lang, station)

        def work(reader: Reader) -> Response:
            asked = past.asked(request, station, area=area, resource=resource)
            needs_journal(context.settings, "charging sessions")
            rollups = RollupReader(context.settings.store.path, reader)
            chargers = [resource for resource in asked.resources if resource.kind in METERED]
            charged = charges(reader, rollups, chargers, window, context.now())
            head = {"station": station, "area": area, "resource": resource}
            return _told(head, window, charged, limit, sheet if form == "csv" else None)

        return await past.answer(request, priced, work)

    return routes


def _told(
    head: dict[str, Any],
    window: tuple[Millis, Millis],
    charged: Sequence[Charge],
    limit: int,
    sheet: Spreadsheet | None,
) -> Response:
    page = _page(charged, limit)
    rows = [_shown(charge) for charge in charged[:page]]
    if sheet is not None:
        return sheet.answer(rows, NO_CACHE)
    following = rfc3339(charged[page].use.start) if page < len(charged) else None
    head |= {"from": rfc3339(window[0]), "to": rfc3339(window[1])}
    return answer({**head, "total": _sum(charged), "sessions": rows, "next": following})


def _page(charged: Sequence[Charge], limit: int) -> int:
    """How many to tell: those that began at one moment are never parted, so that `next` is exact."""
    while 0 < limit < len(charged) and charged[limit].use.start == charged[limit - 1].use.start:
        limit += 1
    return limit


def _shown(charge: Charge) -> dict[str, Any]:
    return {
        "resource": charge.resource,
        "from": rfc3339(charge.use.start),
        "to": None if charge.use.end is None else rfc3339(charge.use.end),
        "whole": charge.use.whole,
        "energy_wh": None if charge.energy_mwh is None else energy_wh(charge.energy_mwh),
    }


def _sum(charged: Sequence[Charge]) -> dict[str, Any]:
    known = [charge.energy_mwh for charge in charged if charge.energy_mwh is not None]
    return {
        "sessions": len(charged),
        "whole": sum(charge.use.whole for charge in charged),
        "energy_wh": energy_wh(sum(known)) if known else None,
        "energy_unknown": len(charged) - len(known),
    }
