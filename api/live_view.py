"""What every station shows right now: one face, two feeders, prepared bytes.

Feeders: the gateway in this process, or the retained `yz-live/#` documents (`api/live_feed.py`). Whoever feeds, the
view's own clock takes back each claim at its deadline when the feeder does not, for readers and for listeners.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from copy import copy

from api.conditional import etag_of
from api.wire_documents import withdraw
from config.schema import StationSettings
from gateway.base.mishaps import Mishaps
from gateway.live.station_document import Document, blank, deadline, encoded
from gateway.model import Millis

Headers = list[tuple[bytes, bytes]]
MAX_AGE_S = 5
EARLY_MOST = 50_000
UNWATCHED = b',"watched":false}'  # how a document ends while the station's gateway is away
MARKED_AT_ONCE = 200  # so many documents change in one turn of the loop when a gateway goes or comes
FEEDER_FIRST_MS = 250  # listeners get the feeder's own word if it comes within this time of a deadline


class Entry:
    """One station's document with everything that can be prepared before anyone asks. Never changed once made.

    It keeps the bytes and the summary of a document: 20,000 whole ones would cost as much again. `plain` is the
    document as it was fed, `body` as it is served: the same bytes while somebody watches the station.
    """

    __slots__ = (
        "body", "deadline", "etag", "headers", "last_from", "last_headers", "open_now", "plain", "station", "summary",
        "version",
    )  # fmt: skip

    def __init__(self, document: Document, version: int, *, watched: bool = True) -> None:
        self.station, self.plain, self.version = document.station, document.body, version
        self.summary, self.open_now = document.shown.summary, document.shown.open.now
        self.deadline = deadline(document.shown)
        # A cache must not hand out a claim past its deadline, so near it nothing is to be cached.
        self.last_from = None if self.deadline is None else self.deadline - MAX_AGE_S * 1000
        self.prepare(watched=watched)

    def marked(self, version: int, *, watched: bool) -> "Entry":
        """The same document, which says whether the station's gateway is there."""
        marked = copy(self)
        marked.version = version
        marked.prepare(watched=watched)
        return marked

    def prepare(self, *, watched: bool) -> None:
        """What is served, while nobody has seen it yet."""
        self.body = self.plain if watched else self.plain.rstrip()[:-1] + UNWATCHED
        self.etag = etag_of(self.body).encode()
        self.headers = self._headers(MAX_AGE_S)
        self.last_headers = self._headers(0)

    def _headers(self, max_age_s: int) -> Headers:
        return [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self.body)),
            (b"etag", self.etag),
            (b"cache-control", b"public, max-age=%d" % max_age_s),
        ]

    def ended(self, now: Millis) -> bool:
        """Whether it claims something at `now` that must be withdrawn."""
        return self.deadline is not None and self.deadline <= now

    def headers_at(self, now: Millis) -> Headers:
        return self.headers if self.last_from is None or now < self.last_from else self.last_headers


class LiveView:
    """Lives on the asyncio thread; only `feed_threadsafe` and `unwatched_threadsafe` may be called from others.

    Stations outside the configuration are not shown, whatever a broker still retains of them.
    """

    def __init__(
        self, stations: Iterable[StationSettings], now: Callable[[], Millis], mishaps: Mishaps | None = None
    ) -> None:
        self._now, self._mishaps = now, mishaps or Mishaps()
        self._entries: dict[str, Entry] = {}
        self._withdrawn: dict[
            str, tuple[Entry, Entry]
        ] = {}  # what `get` made of an entry that its timer has yet to end
        self._fed: dict[str, bytes] = {}
        self._inbox: dict[str, Document] = {}
        self._early: dict[str, Document] = {}  # of stations that the view may be told of next
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_unwatched = self._unwatched = frozenset[str]()
        self._to_mark: deque[str] = deque()
        self.version = 0
        self.listeners: list[Callable[[Entry], None]] = []
        self.on_removed: list[Callable[[str], None]] = []
        for station in stations:
            self._show(encoded(blank(station, now()), now()))

    def configure(self, stations: Iterable[StationSettings]) -> None:
        """Show these from now on; returns when they are. Any thread but the loop's."""
        wanted, loop = list(stations), self._loop
        if loop is None:
            self._follow(wanted)
            return
        done = threading.Event()

        def follow() -> None:
            try:
                self._follow(wanted)
            finally:
                done.set()

        with contextlib.suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(follow)
            while not done.wait(0.2) and self._loop is loop:
                pass

    def _follow(self, stations: list[StationSettings]) -> None:
        """A new station shows that nothing is known of it until its first document; one that went is told of."""
        names = {station.id for station in stations}
        for name in [name for name in self._entries if name not in names]:
            del self._entries[name]
            for kept in (self._withdrawn, self._fed, self._inbox):
                kept.pop(name, None)
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer.cancel()
            for listener in self.on_removed:
                with self._mishaps.contained("who listens to documents", name):
                    listener(name)
        for station in stations:
            if station.id not in self._entries:
                early = self._early.get(station.id)
                self._show(early or encoded(blank(station, self._now()), self._now()))
        self._early.clear()
        self._entries = {station.id: self._entries[station.id] for station in stations}

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
        """Show this document, as far as it holds still. One of an unknown station is not shown."""
        if document.station not in self._entries:
            if len(self._early) < EARLY_MOST:
                self._early[document.station] = document
            return
        if self._fed.get(document.station) == document.body:
            return
        self._fed[document.station] = document.body
        self._show(document)

    def feed_threadsafe(self, documents: Iterable[Document]) -> None:
        """Hand documents over from another thread. The latest of each station waits until the loop takes it."""
        for document in documents:
            self._inbox[document.station] = document
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(self._take)

    def unwatched_threadsafe(self, stations: frozenset[str]) -> None:
        """From now on the documents of these, and of no others, say that nobody watches them."""

        self._told_unwatched = stations
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(self._take)

    def get(self, station: str) -> Entry | None:
        """The station's present document, true at this very moment; None if there is no such station.

        Asking changes nothing that anybody sees: listeners hear of an end by the timer.
        """
        entry = self._entries.get(station)
        now = self._now()
        return entry if entry is None or not entry.ended(now) else self._without_claims(entry, now)

    def now(self) -> Millis:
        return self._now()

    def fed(self) -> Iterator[Entry]:
        """Those of which a feeder has spoken; all others show what the configuration alone can say."""
        for entry in self:
            if entry.station in self._fed:
                yield entry

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
            station, document = self._inbox.popitem()
            with self._mishaps.contained(f"showing the document of {station}", station):
                self.put(document)
        if self._told_unwatched is not self._unwatched:
            before, self._unwatched = self._unwatched, self._told_unwatched
            self._to_mark.extend(before ^ self._unwatched)
            self._mark()

    def _mark(self) -> None:
        """Some of those of which it changed whether somebody watches; between turns the loop serves others."""
        for _ in range(min(len(self._to_mark), MARKED_AT_ONCE)):
            station = self._to_mark.popleft()
            entry, now = self._entries.get(station), self._now()
            if entry is None:
                continue
            if entry.ended(now):
                self._show(withdraw(entry.plain, now))
            else:
                self.version += 1
                self._set(entry.marked(self.version, watched=station not in self._unwatched))
        if self._to_mark and self._loop is not None:
            self._loop.call_soon(self._mark)

    def _without_claims(self, entry: Entry, now: Millis) -> Entry:
        """The ended entry as it may be shown at `now`; the same one for all who ask until something else ends."""
        of, made = self._withdrawn.get(entry.station, (None, entry))
        if of is not entry or made.ended(now):
            made = self._entry(withdraw(entry.plain, now), entry.version)
            self._withdrawn[entry.station] = entry, made
        return made

    def _show(self, document: Document) -> None:
        """As the station's next version, without what has ended already."""
        self.version += 1
        entry = self._entry(document, self.version)
        now = self._now()
        if entry.ended(now):
            entry = self._entry(withdraw(document.body, now), self.version)
        self._set(entry)

    def _entry(self, document: Document, version: int) -> Entry:
        return Entry(document, version, watched=document.station not in self._unwatched)

    def _set(self, entry: Entry) -> None:
        self._withdrawn.pop(entry.station, None)
        self._entries[entry.station] = entry
        self._arm(entry)
        for listener in self.listeners:
            with self._mishaps.contained("who listens to documents", entry.station):
                listener(entry)

    def _arm(self, entry: Entry) -> None:
        timer = self._timers.pop(entry.station, None)
        if timer is not None:
            timer.cancel()
        if self._loop is not None and entry.deadline is not None:
            wait_s = max(0, entry.deadline - self._now() + FEEDER_FIRST_MS) / 1000
            self._timers[entry.station] = self._loop.call_later(wait_s, self._due, entry.station)

    def _due(self, station: str) -> None:
        """The feeder is silent: withdraw what has ended, and say so."""
        entry, now = self._entries[station], self._now()
        if entry.ended(now):
            self._show(withdraw(entry.plain, now))
        else:  # the clock was set back, or the timer ran ahead of it
            self._arm(entry)
