"""Wishes of residents: counted, told once five are alike, taken up by organisers, closed by calendars and presence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from msgspec import UNSET

from api.context import ApiContext
from api.wire_documents import read
from config.schema import StationSettings
from gateway.base.local_time import DAY_MS
from gateway.base.times import from_rfc3339
from gateway.history.wishes import (
    COUNTED_WEEKS,
    Demand,
    DemandState,
    WishKey,
    progressed,
    told_demands,
    week_of,
)
from gateway.live.station_document import ShownArea
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.store.activities import ended
from gateway.store.days import store_folders
from gateway.store.wishes import KEPT_WEEKS, WishFile

OVER_TOLD_MS: Final[Millis] = 90 * DAY_MS
"""What came true or was closed is listed for so long."""

WishStep = Literal["assign", "accept", "release", "close"]
_FROM: Final[dict[WishStep, tuple[DemandState, ...]]] = {
    "assign": ("open", "assigned"),
    "accept": ("open", "assigned"),
    "release": ("assigned", "accepted", "planned"),
    "close": ("open", "assigned", "accepted", "planned"),
}
_TO: Final[dict[WishStep, DemandState]] = {
    "assign": "assigned", "accept": "accepted", "release": "open", "close": "closed",
}  # fmt: skip


DEEDS: Final[dict[str, WishStep]] = {deed: deed for deed in _FROM}


class WishDesk:
    """All it knows stands in the file. Everything may raise StoreError; any thread."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def add(self, station: StationSettings, interest: str, slot: str) -> None:
        """One more wish: durable when this returns."""
        zone, now = self._context.settings.zone_of(station), self._context.now()
        self._file().add((station.id, interest, slot), week_of(now, zone), week_of(now, zone, KEPT_WEEKS))

    def told(self, stations: Sequence[StationSettings]) -> list[Demand]:
        """What is told of the wishes of these stations, brought up to date first."""
        self.look(stations)
        ids = {station.id for station in stations}
        demands = [
            demand for demand in self._file().demands(self._context.now() - OVER_TOLD_MS) if demand.station in ids
        ]
        return told_demands({key: n for key, n in self._counts().items() if key[0] in ids}, demands)

    def do(self, deed: WishStep, key: WishKey, by: str, *, to: str = "", uid: str | None = None) -> Demand | None:
        """What has become of it; None where nobody may know of it, or another was quicker. ValueError says what is in
        the way of the deed."""
        station = self._context.settings.station(key[0])
        if station is None:
            return None
        present = next(
            (demand for demand in self.told([station]) if demand.key == key and demand.state != "held"), None
        )
        if present is None or present.state == "closed":
            return None
        if present.state not in _FROM[deed]:
            raise ValueError(f"it is {present.state} already")
        now = self._context.now()
        moved = replace(present, state=_TO[deed], changed_at=now, changed_by=by)
        if deed == "assign":
            moved = replace(moved, assignee=to)
        if deed == "accept":
            moved = replace(moved, assignee=present.assignee or by, taken_at=now, uid=uid)
        if not self._file().move(moved, (present.state,)):
            return None
        return replace(moved, assignee="") if moved.state == "open" else moved

    def look(self, stations: Iterable[StationSettings]) -> None:
        """Bring demands that were accepted up to what calendars and presence say now."""
        now, known = self._context.now(), {station.id: station for station in stations}
        waiting = [
            demand
            for demand in self._file().demands(now)
            if demand.station in known and demand.state in ("accepted", "planned") and demand.taken_at is not None
        ]
        if not waiting:
            return
        root = self._context.settings.store.path
        since = min(demand.taken_at or now for demand in waiting)
        over = ended(store_folders(root), sorted({demand.station for demand in waiting}), since, now + 1)
        for demand in waiting:
            zone = self._context.settings.zone_of(known[demand.station])
            agenda, whole = self._agenda(demand.station)
            moved = progressed(demand, agenda, over[demand.station], zone, now, whole=whole)
            if moved is not demand:
                self._file().move(moved, (demand.state,))

    def _file(self) -> WishFile:
        return WishFile(self._context.settings.store.path)

    def _counts(self) -> Mapping[WishKey, int]:
        """All stations count from one Monday on, that of the house."""
        return self._file().counts(week_of(self._context.now(), self._context.settings.zone_of(None), COUNTED_WEEKS))

    def _agenda(self, station: str) -> tuple[Mapping[str, Sequence[Activity]], bool]:
        """Its calendars, whole; where the gateway is another process, the next of each area, as its document has it."""
        if self._context.activities is not None:
            return self._context.activities(station), True
        entry = self._context.view.get(station)
        return ({} if entry is None else _coming(read(entry.body).areas)), False


def _coming(areas: Iterable[ShownArea]) -> dict[str, list[Activity]]:
    """The next activity of each area, where it has a title. A document tells neither its end nor its uid."""
    coming: dict[str, list[Activity]] = {}
    for area in areas:
        programmes = [resource.programme for resource in area.resources if resource.programme is not UNSET]
        following = programmes[0].next if programmes else UNSET
        if following is not UNSET and following.title:
            start = from_rfc3339(following.from_)
            coming[area.id] = [Activity(start, start + 1, "", next(iter(following.title.values())), reserves=True)]
    return coming
