"""Rooms asked for over the live view: the documents of this moment, the hours and calendars of what is configured."""

from collections.abc import Sequence

from fastapi.concurrency import run_in_threadpool

from api.context import ApiContext
from api.derived import Derived
from api.rooms import RoomAnswer, RoomQuestion, RoomSources, rooms
from api.wire_documents import read
from gateway.live.station_document import StationDocument
from gateway.policy.activities import Activity
from gateway.policy.hours.configured import Openings


class RoomSearch:
    """`find` is asked on the loop, and works in a thread."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._hours: Derived[Openings] = Derived(context.running.settings, Openings)

    async def find(self, asked: RoomQuestion, most: int) -> list[RoomAnswer]:
        context = self._context
        entries, now = {entry.station: entry for entry in context.view}, context.view.now()

        def document(station: str) -> StationDocument | None:
            entry = entries.get(station)
            return None if entry is None else read(entry.body)

        activities = context.activities

        def of_station(station: str) -> dict[str, Sequence[Activity]]:
            return {} if activities is None else dict(activities(station))

        sources = RoomSources(context.settings, document, self._hours(), None if activities is None else of_station)
        return await run_in_threadpool(rooms, asked, sources, now, most)

    def features(self) -> frozenset[str]:
        """All features that any room has."""
        resources = self._context.settings.resources()
        return frozenset(feature for _, _, room in resources if room.kind == "room" for feature in room.features)
