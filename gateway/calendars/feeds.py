"""Calendars from files and from the web, fetched politely and kept on disk, so that a restart or an outage loses none.

Blocking: run it in a thread of its own. A source that fails is asked ever less often; what it said last stays good
for `KEEP_MS`, then it says nothing any more.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Protocol
from urllib import request
from urllib.error import HTTPError

import msgspec

from gateway.calendars.ical import MAX_BYTES, CalendarError, isolated
from gateway.clock import monotonic_s
from gateway.mishaps import Mishaps
from gateway.model import Millis
from gateway.policy.activities import Activity, Agenda

MINUTE_MS = 60_000
DAY_MS = 86_400_000
EXPAND_EVERY_MS = DAY_MS // 4
PAST_MS, AHEAD_MS = DAY_MS, 14 * DAY_MS
KEEP_MS = 7 * DAY_MS
SLOWER = 4  # doublings of the interval, at most
READ_TIMEOUT_S, DOWNLOAD_S = 10.0, 30.0
AGENT = "yizhan (venue monitor; calendar)"


class Source(Protocol):
    """Where a calendar comes from. `get` raises OSError when it doesn't come."""

    every_ms: Millis

    def get(self) -> bytes: ...

    def keep(self, data: bytes, now: Millis) -> None:
        """Remember what came, for the next start."""

    def kept(self) -> tuple[bytes, Millis] | None:
        """What was remembered, and when it came."""


class FileSource:
    every_ms = MINUTE_MS

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def get(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def keep(self, data: bytes, now: Millis) -> None:
        """The file itself is what stays."""

    def kept(self) -> None:
        return None


class Copy(msgspec.Struct):
    """First line of a copy on disk; the calendar follows."""

    url: str
    fetched_at: Millis
    etag: str | None
    last_modified: str | None


class WebSource:
    """An http(s) address, asked for changes only; redirects may lead to http(s) alone."""

    every_ms = 15 * MINUTE_MS

    def __init__(self, url: str, cache: Path) -> None:
        self._url = url
        self._path = cache / f"{sha256(url.encode()).hexdigest()[:32]}.ics"
        self._tags: tuple[str | None, str | None] = None, None
        self._last: bytes | None = None
        self._web = request.OpenerDirector()
        for handler in (
            request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, request.HTTPRedirectHandler,
            request.HTTPDefaultErrorHandler, request.HTTPErrorProcessor,
        ):  # fmt: skip
            self._web.add_handler(handler())

    def get(self) -> bytes:
        asked = request.Request(self._url, headers={"User-Agent": AGENT, "Accept": "text/calendar"})  # noqa: S310
        if self._last is not None:
            for header, tag in zip(("If-None-Match", "If-Modified-Since"), self._tags, strict=True):
                if tag is not None:
                    asked.add_header(header, tag)
        try:
            with self._web.open(asked, timeout=READ_TIMEOUT_S) as answer:
                data = _drained(answer)
                self._tags, self._last = (answer.headers["ETag"], answer.headers["Last-Modified"]), data
                return data
        except HTTPError as error:
            error.close()
            if error.code == 304 and self._last is not None:
                return self._last
            raise OSError(f"HTTP {error.code} {error.reason}") from None
        except (HTTPException, ValueError) as error:
            raise OSError(f"no usable answer: {error!r}") from None

    def keep(self, data: bytes, now: Millis) -> None:
        about = msgspec.json.encode(Copy(self._url, now, *self._tags))
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):  # a full disk must not cost today's calendar
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(about + b"\n" + data)
            fresh.replace(self._path)

    def kept(self) -> tuple[bytes, Millis] | None:
        try:
            head, _, data = self._path.read_bytes().partition(b"\n")
            about = msgspec.json.decode(head, type=Copy)
        except (OSError, msgspec.MsgspecError):
            return None
        self._tags, self._last = (about.etag, about.last_modified), data
        return data, about.fetched_at


Expand = Callable[[bytes, str, Millis, Millis], tuple[Activity, ...]]


class Feed:
    """One source in one zone. `problem` says why the last try failed, None if it didn't; `due` is the next try."""

    def __init__(self, name: str, source: Source, zone: str, expand: Expand = isolated) -> None:
        self.activities: tuple[Activity, ...] = ()
        self.problem: str | None = None
        self.due: Millis = 0
        self._unreadable: str | None = None
        self.name = self._name = name
        self._source = source
        self._zone = zone
        self._expand = expand
        self._failures = 0
        self._data, self._came_at = source.kept() or (b"", 0)
        self._expanded: tuple[bytes, Millis] | None = None

    def refresh(self, now: Millis) -> bool:
        """Ask the source if it is time; True when the activities have changed. A source's failure is no exception."""
        if now < self.due:
            return False
        silent = None
        try:
            self._data, self._came_at, self._failures = self._source.get(), now, 0
            self._source.keep(self._data, now)
        except OSError as error:
            silent = f"{self._name}: {error.strerror or error}"
            self._failures = min(self._failures + 1, SLOWER)
        self.due = now + self._source.every_ms * 2**self._failures
        before = self.activities
        if now - self._came_at > KEEP_MS:
            self.activities = ()
        elif self._expanded is None or self._expanded[0] != self._data or now - self._expanded[1] >= EXPAND_EVERY_MS:
            self._take(now)
        self.problem = silent or self._unreadable
        return self.activities != before

    def _take(self, now: Millis) -> None:
        self._expanded, self._unreadable = (self._data, now), None
        try:
            self.activities = self._expand(self._data, self._zone, now - PAST_MS, now + AHEAD_MS)
        except CalendarError as error:
            self._unreadable = f"{self._name}: {error}"


AreaKey = tuple[str, str]
"""(station, area)"""


class Calendars:
    """All feeds of all areas; areas with the same source in the same zone share one."""

    def __init__(
        self, wanted: Mapping[AreaKey, tuple[str, tuple[str, ...]]], cache: Path, mishaps: Mishaps | None = None
    ) -> None:
        """`wanted`: for each area its zone and its sources, paths or http(s) addresses."""
        self._mishaps = mishaps or Mishaps()
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._of: dict[AreaKey, list[Feed]] = {}
        for area, (zone, sources) in wanted.items():
            self._of[area] = [self._feed(source, zone, cache) for source in sources]

    def refresh(self, now: Millis) -> dict[AreaKey, Agenda]:
        """Ask what is due; the areas whose agenda has changed."""
        changed = {id(feed) for feed in self._feeds.values() if self._refreshed(feed, now)}
        return {area: _agenda(feeds) for area, feeds in self._of.items() if any(id(feed) in changed for feed in feeds)}

    def _refreshed(self, feed: Feed, now: Millis) -> bool:
        try:
            return feed.refresh(now)
        except Exception as error:  # noqa: BLE001  noted, and an InvariantError goes on
            self._mishaps.note(f"calendar {feed.name}", error)
            feed.due = now + MINUTE_MS * 15
            return False

    def due(self) -> Millis | None:
        """When to refresh next; None without any feed."""
        return min((feed.due for feed in self._feeds.values()), default=None)

    def problems(self) -> list[str]:
        return [feed.problem for feed in self._feeds.values() if feed.problem is not None]

    def _feed(self, source: str, zone: str, cache: Path) -> Feed:
        if (source, zone) not in self._feeds:
            from_web = source.startswith(("http://", "https://"))
            where = WebSource(source, cache) if from_web else FileSource(source)
            self._feeds[source, zone] = Feed(source, where, zone)
        return self._feeds[source, zone]


def _agenda(feeds: list[Feed]) -> Agenda:
    return Agenda(activity for feed in feeds for activity in feed.activities)


class _Answer(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _drained(answer: _Answer) -> bytes:
    """The body, one byte over the limit at most. OSError when it trickles for too long."""
    data, give_up = bytearray(), monotonic_s() + DOWNLOAD_S
    while len(data) <= MAX_BYTES and (part := answer.read1(65_536)):
        data += part
        if monotonic_s() > give_up:
            raise OSError(f"takes longer than {DOWNLOAD_S:.0f} s")
    return bytes(data[: MAX_BYTES + 1])
