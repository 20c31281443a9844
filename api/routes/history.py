"""`/api/v1/stations/{station}/history`: what a resource was, as intervals, unknown kept as unknown."""

from typing import Annotated

from fastapi import Query, Request, Response

from api.context import ApiContext
from api.csv_tables import Lang, Spreadsheet
from api.late_routes import Routes
from api.routes.past import ALSO_TABLE, PROBLEMS, Form, From, Past, To, answer
from api.schemas import HistorySchema
from api.times import rfc3339
from gateway.model import Interval, Millis
from gateway.store.base import Reader

PAGE_DEFAULT, PAGE_MAX = 2_000, 20_000
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="rows in one answer")]


def router(context: ApiContext) -> Routes:
    routes, past = Routes(prefix="/api/v1", tags=["history"], responses=PROBLEMS), Past(context)

    @routes.get(
        "/stations/{station}/history",
        response_model=HistorySchema,
        responses=ALSO_TABLE,
        summary="A resource's past as intervals",
    )
    async def history(
        station: str,
        resource: Annotated[str, Query(description="its id; rooms and doors need a viewer's key")],
        request: Request,
        start: From = None,
        end: To = None,
        limit: Limit = PAGE_DEFAULT,
        form: Form = "json",
        lang: Lang = None,
    ) -> Response:
        first, last = window = past.window(start, end)
        priced = past.afford_places(request, 1, "day", window)

        def work(reader: Reader) -> Response:
            past.asked(request, station, resource=resource)
            intervals = reader.history(station, resource, first, last, limit + 1) if first < last else []
            rows, caching = (
                [_shown(interval, first, last) for interval in intervals[:limit]],
                past.caching(request, window),
            )
            if form == "csv":
                return Spreadsheet.of(context.settings, lang, station).answer(rows, caching)
            upto = intervals[:limit][-1].end if intervals else last
            following = rfc3339(upto) if upto < last else None
            head = {"station": station, "resource": resource, "from": rfc3339(first), "to": rfc3339(last)}
            return answer({**head, "intervals": rows, "next": following}, caching)

        return await past.answer(request, priced, work)

    return routes


def _shown(interval: Interval, first: Millis, last: Millis) -> dict[str, str]:
    axes = interval.axes
    return {
        "from": rfc3339(max(first, interval.start)),
        "to": rfc3339(min(last, interval.end)),
        "usable": axes.usable,
        "use": axes.use,
        "evidence": axes.evidence,
    }
