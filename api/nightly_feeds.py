"""Our own reader of our feeds: each night it fetches every one as others do, and compares it with the documents.

A feed that contradicts them is a fault of ours: it is noted, and so told as the alert `internal_error`.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message

from api.context import ApiContext
from api.feeds import feeds
from api.feeds.shared.compared import Contradiction, Documents, contradictions, ocpi_contradictions
from api.ocpi.sender import Locations
from api.wire_documents import read
from gateway.base.local_time import HOUR_MS, local_of, next_day
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

HOUR: Final = 3
"""The hour of the night, in the house's own zone."""
PAUSE_S: Final = 0.02
"""Between two feeds: nobody waits for it."""


class FeedContradictionError(Exception):
    """A feed says another thing than the document, or can't be had."""


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    status: int
    body: bytes


class NightlyFeeds:
    """`app` answers as it answers anybody."""

    def __init__(self, context: ApiContext, app: ASGIApp, locations: Locations, mishaps: Mishaps) -> None:
        self._context, self._app, self._locations, self._mishaps = context, app, locations, mishaps

    async def run(self) -> None:
        while True:
            await asyncio.sleep(wait_ms(self._context) / 1000)
            with self._mishaps.contained("our own reader of feeds"):
                await self.read_all()

    async def read_all(self) -> int:
        """How many answers contradict their documents; each is noted."""
        count = 0
        for path, stations in self._paths():
            for station, what in await self._compared(path, stations):
                count += 1
                error = FeedContradictionError(f"{path}: {station} {what}")
                self._mishaps.note(f"the feed {path} contradicts the document", error, station or None)
            await asyncio.sleep(PAUSE_S)
        for station, what in self._ocpi():
            count += 1
            self._mishaps.note("OCPI contradicts the document", FeedContradictionError(what), station)
        log.info("feeds: read by ourselves, %d contradictions", count)
        return count

    def _paths(self) -> Iterator[tuple[str, list[str]]]:
        """Every address of every feed, with the stations that it tells of."""
        stations = [station for station in self._context.settings.stations if self._context.view.get(station.id)]
        for feed in feeds():
            if "{station}" not in feed.path:
                yield feed.path, [station.id for station in stations]
                continue
            for station in stations:
                for area in [area.id for area in station.areas] if "{area}" in feed.path else [""]:
                    yield feed.path.replace("{station}", station.id).replace("{area}", area), [station.id]

    async def _compared(self, path: str, stations: Sequence[str]) -> list[Contradiction]:
        """What contradicts the documents before and after it was fetched: one that changes meanwhile is no mistake."""
        before = self._documents(stations)
        answer = await fetched(self._app, f"/feeds/{path}")
        now = self._context.view.now()
        if answer.status != 200:
            return [("", f"answers {answer.status}")]
        first = contradictions(path, answer.body, before, now)
        if not first:  # as nearly always: what they say after it need not be read
            return []
        second = {station for station, _ in contradictions(path, answer.body, self._documents(stations), now)}
        return [(station, what) for station, what in first if station in second]

    def _documents(self, stations: Sequence[str]) -> Documents:
        entries = {station: self._context.view.get(station) for station in stations}
        return {station: read(entry.body) for station, entry in entries.items() if entry is not None}

    def _ocpi(self) -> list[Contradiction]:
        context, ocpi = self._context, self._context.settings.ocpi
        if ocpi is None:
            return []
        entries = list(context.view)
        told = self._locations.of(entries, ocpi, context.view.now())
        return ocpi_contradictions(told, {entry.station: read(entry.body) for entry in entries})


def wait_ms(context: ApiContext) -> Millis:
    """Until the next HOUR of the house's own clock."""
    now, zone = context.now(), context.settings.zone_of(None)
    local = local_of(now, zone)
    if local.hour < HOUR:
        return (HOUR - local.hour) * HOUR_MS - (local.minute * 60 + local.second) * 1000
    return next_day(now, zone) - now + HOUR * HOUR_MS


async def fetched(app: ASGIApp, path: str) -> FeedAnswer:
    """A GET without a network, of whoever has no key."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 0), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    status, parts = 0, list[bytes]()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return FeedAnswer(status, b"".join(parts))
