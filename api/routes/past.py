"""What every question about the past shares: its window, whom it is about, who may ask, and JSON or CSV."""

from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import HTTPException, Query, Request, Response
from msgspec.json import encode

from api.auth import AccessGate
from api.context import ApiContext
from api.pages.report.gather import this_month
from api.price import CHANGES_MOST, STAFF_MOST, STRANGERS_HOURS, STRANGERS_MOST, Priced, price
from api.problem import bad_parameter, not_found
from api.schemas import ProblemDocument
from api.times import from_query
from api.workers import Turn
from config.schema import StationSettings
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.model import Interval, Millis, Reading, Rejected
from gateway.policy.privacy import PERSONAL
from gateway.runtime import place_of
from gateway.store.base import Reader
from gateway.store.place import Asked

WINDOW_MAX_DAYS = 400
BUCKETS_MAX = 10_000
NO_CACHE = {"cache-control": "no-cache"}  # what is latest grows by the moment
SETTLED = {"cache-control": "public, max-age=60", "vary": "authorization, cookie"}
SETTLED_AFTER_MS = HOUR_MS  # roll-ups have come to it, and what devices held back has mostly arrived
PROBLEMS: dict[int | str, dict[str, Any]] = {code: {"model": ProblemDocument} for code in (401, 403, 404, 422, 503)}
ALSO_TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
"""What every route with a `format` answers besides JSON."""

From = Annotated[str | None, Query(alias="from", description="included; default: a day before `to`")]
To = Annotated[str | None, Query(alias="to", description="not included; default and latest: now")]
ResourceId = Annotated[str | None, Query(description="only this resource; rooms and doors need a viewer's key")]
AreaId = Annotated[str | None, Query(description="only this area")]
Form = Annotated[Literal["json", "csv"], Query(alias="format", description="csv: the rows alone, as a table")]


class Past:
    """What routes about the past have in common, one for each router."""

    def __init__(self, context: ApiContext) -> None:
        self._context, self._gate = context, AccessGate(context.keyring, context.now)

    def asked(self, request: Request, station: str, *, area: str | None = None, resource: str | None = None) -> Asked:
        """What is asked about, if it is there and the asker may know: 404, 401, 403. Strangers' sums have no rooms."""
        known = self._context.settings.station(station)
        if known is None:
            raise not_found(station)
        place = place_of(self._context.settings, known)
        asked = Asked([place], area, resource)
        if area is not None and resource is not None:
            raise bad_parameter("area", "and `resource` exclude each other; name one")
        if resource is not None and not asked.resources:
            raise HTTPException(404, f"station {station} has no resource {resource[:64]!r}")
        if area is not None and all(known_area.id != area for known_area in known.areas):
            raise HTTPException(404, f"station {station} has no area {area[:64]!r}")
        key = self._gate.who(request)
        if key is not None and key.covers(known.id, known.region):
            return asked
        if _tells_of_persons(asked):
            self._gate.needs("viewer")(request)
            raise HTTPException(403, f"this key does not cover station {known.id}")
        return Asked([place.for_strangers()], area, resource)

    def asked_of_region(self, request: Request, names: Collection[str]) -> Asked:
        """The stations whose region has all these names, but for what the asker may not know of them: 404, 422."""
        settings, key = self._context.settings, self._gate.who(request)
        places = []
        for station in self.of_region(names):
            place = place_of(settings, station)
            covered = key is not None and key.covers(station.id, station.region)
            if covered or not _tells_of_persons(Asked([place])):
                places.append(place if covered else place.for_strangers())
        if not places:
            raise HTTPException(404, "no station lies in this region; GET /api/v1/stations tells the regions")
        zones = {place.zone.key for place in places}
        if len(zones) > 1:
            raise bad_parameter("region", f"has several time zones ({', '.join(sorted(zones))}); ask for one at a time")
        return Asked(places)

    def window(self, start: str | None, end: str | None) -> tuple[Millis, Millis]:
        """The window `from`..`to` of a query, cut at now: nobody has a history of the future."""
        now = self._context.now()
        last = _time("to", end) if end is not None else now
        first = _time("from", start) if start is not None else last - DAY_MS
        if first >= last:
            raise bad_parameter("from", "is not before `to`")
        if last - first > WINDOW_MAX_DAYS * DAY_MS:
            raise bad_parameter("from", f"is more than {WINDOW_MAX_DAYS} days before `to`; ask for less at a time")
        return max(0, min(first, now)), min(last, now)

    def window_or_month(self, start: str | None, end: str | None, zone: ZoneInfo) -> tuple[Millis, Millis]:
        """The same, but without either of the two the month that goes on in this zone."""
        if start is None and end is None:
            month = this_month(zone, self._context.now())
            return month.start, month.upto
        return self.window(start, end)

    def afford(
        self, request: Request, stations: Collection[StationSettings], by: str, window: tuple[Millis, Millis]
    ) -> Priced:
        """422 for what is never answered, before any work: a window or so many places that cost more than allowed."""
        return self.afford_places(
            request, sum(len(area.resources) for station in stations for area in station.areas), by, window
        )

    def afford_places(self, request: Request, places: int, by: str, window: tuple[Millis, Millis]) -> Priced:
        """The same for so many resources and doors."""
        stranger = self._gate.who(request) is None
        hours = (window[1] - window[0]) / HOUR_MS
        if by == "hour" and stranger and hours > STRANGERS_HOURS:
            raise bad_parameter("from", "by=hour goes back a week without a key; ask for less, by day, or with a key")
        if by == "hour" and hours > BUCKETS_MAX:
            raise bad_parameter("from", f"gives more than {BUCKETS_MAX} hours; ask for less at a time, or by day")
        units = price(places, by, window)
        if units > (STRANGERS_MOST if stranger else STAFF_MOST):
            mend = "ask for less time, fewer stations, or by day" + (", or with a key" if stranger else "")
            raise bad_parameter("from", f"{places} places over {hours / 24:.0f} days are too much at a time; {mend}")
        return Priced(units)

    def of_region(self, names: Collection[str]) -> list[StationSettings]:
        """The stations whose region has all these names, whoever asks."""
        return [station for station in self._context.settings.stations if set(names) <= set(station.region)]

    def of_name(self, station: str) -> list[StationSettings]:
        """The station of this name in a list, which is empty where there is none."""
        known = self._context.settings.station(station)
        return [] if known is None else [known]

    async def answer(self, request: Request, _priced: Priced, work: Callable[[Reader], Response]) -> Response:
        """What `work` makes of the store, on a thread of its own: it ends when the asker goes. 503: no turn.

        Only a question whose price is known comes so far.
        """

        def working(turn: Turn) -> Response:
            reader = _Watched(self._context.reader_factory(), turn)
            try:
                return work(reader)
            finally:
                reader.close()

        return await self._context.workers.answer(request, working)

    def caching(self, request: Request, window: tuple[Millis, Millis]) -> dict[str, str]:
        """A stranger's question about what lies well behind us has the same answer for a while."""
        settled = window[1] <= self._context.now() - SETTLED_AFTER_MS
        return SETTLED if settled and self._gate.who(request) is None else NO_CACHE


class _Watched:
    """See `base.Reader`. It stops between two resources when nobody waits any more, and reads so much of each."""

    def __init__(self, reader: Reader, turn: Turn) -> None:
        self._reader, self._turn = reader, turn

    def history(
        self, station: str, resource: str, start: Millis, end: Millis, most: int | None = CHANGES_MOST
    ) -> list[Interval]:
        self._turn.go_on()
        return self._reader.history(station, resource, start, end, most)

    def readings(
        self, start: Millis | None = None, end: Millis | None = None, station: str | None = None
    ) -> Iterator[Reading]:
        return self._reader.readings(start, end, station)

    def quarantine(self) -> Iterator[Rejected]:
        return self._reader.quarantine()

    def close(self) -> None:
        self._reader.close()


def _tells_of_persons(asked: Asked) -> bool:
    """What a room or a door did all day tells of persons, and so does an area or a station that holds nothing else."""
    return bool(asked.resources) and all(resource.kind in PERSONAL for resource in asked.resources)


def answer(body: dict[str, Any], headers: dict[str, str] = NO_CACHE) -> Response:
    return Response(encode(body), media_type="application/json", headers=headers)


def shown_share(value: float | None) -> float | None:
    """A share from 0 to 1, rounded as answers tell it; None, null in JSON, is not known."""
    return None if value is None else round(value, 4)


def _time(name: str, text: str) -> Millis:
    try:
        return from_query(text)
    except ValueError as error:
        raise bad_parameter(name, str(error)) from None
