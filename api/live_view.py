"""What every station shows right now: one face, two feeders, prepared bytes.

Feeders: the gateway in this process, or the retained `yz-live/#` documents (`api/live_feed.py`). Whoever feeds, the
view's own clock takes back each claim at its deadline when the feeder does not, for readers and for listeners.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator

from api.blank import blank
from api.expiry import deadline, withdraw
from config.schema import Station
from gateway.model import Document, Millis

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]
MAX_AGE_S = 5
FEEDER_FIRST_MS = 250  # listeners get the feeder's own word if it comes within this time of a deadline


class Entry:
    """One station's document with everything that can be prepared before anyone asks. Never changed once made."""

    __slots__ = ("body", "deadline", "etag", "headers", "last_from", "last_headers", "station", "version")

    def __init__(self, station: str, body: bytes, deadline: Millis | None, version: int) -> None:
        self.station, self.body, self.deadline, self.version = station, body, deadline, version
        self.etag = b'"' + hashlib.blake2b(body, digest_size=9).hexdigest().encode() + b'"'
        # A cache must not hand out a claim past its deadline, so near it nothing is to be cached.
        self.last_from = deadline - MAX_AGE_S * 1000 if deadline is not None else None
        self.headers = self._headers(MAX_AGE_S)
        self.last_headers = self._headers(0)

    def _headers(self, max_age_s: int) -> Headers:
        return [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self.body)),
            (b"etag", self.etag),
            (b"cache-control", b"public, max-age=%d" % max_age_s),
        ]

    def headers_at(self, now: Millis) -> Headers:
        return self.headers if self.last_from is None or now < self.last_from else self.last_headers


class LiveView:
    """Lives on the asyncio thread; only `feed_threadsafe` may be called from others.

    Stations outside the configuration are not shown, whatever a broker still retains of them.
    """

    def __init__(self, stations: Iterable[Station], now: Callable[[], Millis]) -> None:
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._fed: dict[str, bytes] = {}
        self._inbox: dict[str, Document] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.version = 0
        self.refused = 0
        self.listeners: list[Callable[[Entry], None]] = []
        for station in stations:
            self._show(station.id, blank(station, now()).body, None)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on deadlines are kept on this loop, and other threads may feed."""
        self._loop = loop
        self._take()
        for entry in self._entries.values():
            self._arm(entry)

    def detach(self) -> None:
        """Forget the loop: it is about to end."""
        self._loop = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def put(self, document: Document) -> None:
        """Show this document. One that is no document, or of an unknown station, is refused, counted and logged."""
        body = document.body.replace(b"\n", b" ").replace(b"\r", b" ")
        if document.station not in self._entries or self._fed.get(document.station) == body:
            return
        try:
            ends = deadline(body, document.station)
        except ValueError as error:
            self.refused += 1
            log.warning("the live document of station %s is refused: %s", document.station, error)
            return
        self._fed[document.station] = body
        self._show(document.station, body, ends)

    def feed_threadsafe(self, documents: Iterable[Document]) -> None:
        """Hand documents over from another thread. The latest of each station waits until the loop takes it."""
        for document in documents:
            self._inbox[document.station] = document
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(self._take)

    def get(self, station: str) -> Entry | None:
        """The station's present document, true at this very moment; None if there is no such station."""
        entry = self._entries.get(station)
        if entry is not None and entry.deadline is not None and entry.deadline <= self._now():
            return self._show(station, entry.body, entry.deadline)
        return entry

    def now(self) -> Millis:
        return self._now()

    def __iter__(self) -> Iterator[Entry]:
        """Every station's present document, in the order of the configuration."""
        for station in self._entries:
            entry = self.get(station)
            if entry is not None:
                yield entry

    def __len__(self) -> int:
        return len(self._entries)

    def _take(self) -> None:
        while self._inbox:
            self.put(self._inbox.popitem()[1])

    def _show(self, station: str, body: bytes, ends: Millis | None) -> Entry:
        now = self._now()
        if ends is not None and ends <= now:
            body = withdraw(body, now)
            ends = deadline(body, station)
        self.version += 1
        entry = self._entries[station] = Entry(station, body, ends, self.version)
        self._arm(entry)
        for listener in self.listeners:
            listener(entry)
        return entry

    def _arm(self, entry: Entry) -> None:
        timer = self._timers.pop(entry.station, None)
        if timer is not None:
            timer.cancel()
        if self._loop is not None and entry.deadline is not None:
            wait_s = max(0, entry.deadline - self._now() + FEEDER_FIRST_MS) / 1000
            self._timers[entry.station] = self._loop.call_later(wait_s, self._due, entry.station)

    def _due(self, station: str) -> None:
        entry = self._entries[station]
        if self.get(station) is entry:  # the clock was set back, or the timer ran ahead of it
            self._arm(entry)
