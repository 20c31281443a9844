"""Calendars from files and from the web, fetched politely and kept on disk, so that a restart or an outage loses none.

Blocking: run it in a thread of its own. A source that fails is asked ever less often; what it said last stays good
for `KEEP_MS`, then it says nothing any more.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from gateway.base.mishaps import Mishaps
from gateway.calendars.caldav import CaldavSource
from gateway.calendars.isolated import CalendarReading, isolated
from gateway.calendars.lines import MAX_BYTES, CalendarError
from gateway.calendars.wanted import AreaKey, CalendarAddress, Wanted
from gateway.calendars.web import WebSource, host_of, is_web
from gateway.model import Millis
from gateway.policy.activities import Activity, Agenda

MINUTE_MS = 60_000
DAY_MS = 86_400_000
EXPAND_EVERY_MS = DAY_MS // 4
PAST_MS, AHEAD_MS = DAY_MS, 14 * DAY_MS
KEEP_MS = 7 * DAY_MS
SLOWER = 4  # doublings of the interval, at most


class CalendarSource(Protocol):
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


Expand = Callable[[bytes, str, Millis, Millis], CalendarReading]


class CalendarFeed:
    """One source in one zone. `problem` says why the last try failed, None if it didn't; `due` is the next try."""

    def __init__(self, name: str, source: CalendarSource, zone: str, expand: Expand = isolated) -> None:
        """`name` is what people may see of it."""
        self.reading = CalendarReading()
        self.problem: str | None = None
        self.due: Millis = 0
        self.name = name
        self._source = source
        self._zone = zone
        self._expand = expand
        self._failures = 0
        self._data, self._came_at = source.kept() or (b"", 0)
        self._expanded_at: Millis | None = None
        self._refused: tuple[bytes, Millis] | None = None
        self._unreadable: str | None = None

    @property
    def activities(self) -> tuple[Activity, ...]:
        return self.reading.activities

    def refresh(self, now: Millis) -> bool:
        """Ask the source if it is time; True when the activities have changed. A source's failure is no exception."""
        if now < self.due:
            return False
        before, silent = self.activities, None
        try:
            came = self._source.get()
        except OSError as error:
            silent = f"{self.name}: {error.strerror or error}"
            self._failures = min(self._failures + 1, SLOWER)
        else:
            self._failures = 0
            self._try(came, now)
        self.due = now + self._source.every_ms * 2**self._failures
        if now - self._came_at > KEEP_MS:
            self.reading = CalendarReading()
        elif self._is_stale(now):
            self._read(self._data, now)
        self.problem = silent or self._unreadable
        return self.activities != before

    def _try(self, came: bytes, now: Millis) -> None:
        """Take what came, if it can be read. Else it changes nothing but the `problem`: what was read before stays."""
        if self._refused is not None and self._refused[0] == came and now - self._refused[1] < EXPAND_EVERY_MS:
            return
        self._refused, self._unreadable = None, None
        if came != self._data or self._is_stale(now):
            self._unreadable = self._read(came, now)
        if self._unreadable is not None:
            self._refused = came, now
            return
        self._data, self._came_at = came, now
        self._source.keep(came, now)

    def _is_stale(self, now: Millis) -> bool:
        """Whether the activities are those of a window that has moved on."""
        return self._expanded_at is None or now - self._expanded_at >= EXPAND_EVERY_MS

    def _read(self, data: bytes, now: Millis) -> str | None:
        """Take the activities of a calendar; why that can't be."""
        problem = None
        try:
            self.reading = self._expand(data, self._zone, now - PAST_MS, now + AHEAD_MS)
        except CalendarError as error:
            problem = f"{self.name}: {error}"
        if problem is None or data == self._data:
            self._expanded_at = now
        return problem


def source_of(address: CalendarAddress, cache: Path) -> CalendarSource:
    """How it is read."""
    if not is_web(address.source):
        return FileSource(address.source)
    if address.give_up is not None:
        return CaldavSource(address, cache)
    return WebSource(address.source, cache, address.login if address.username is not None else None)


FeedKey = tuple[CalendarAddress, str]
"""A source, and the zone of its times without one."""


class Calendars:
    """All feeds of all areas; areas with the same source in the same zone share one."""

    def __init__(self, wanted: Wanted, cache: Path, mishaps: Mishaps | None = None) -> None:
        self._mishaps, self._cache = mishaps or Mishaps(), cache
        self._feeds: dict[FeedKey, CalendarFeed] = {}
        self._of: dict[AreaKey, list[CalendarFeed]] = {}
        # What whoever asked has of each area's feeds; None while that is not certain.
        self._delivered: dict[AreaKey, list[tuple[Activity, ...]] | None] = {}
        self.configure(wanted)

    def configure(self, wanted: Wanted) -> None:
        """These from now on: a feed that stays is the one that it was, an area without any is delivered once more."""
        feeds, of = dict(self._feeds), dict[AreaKey, list[CalendarFeed]]()
        for area, (zone, addresses) in wanted.items():
            of[area] = [self._feed(feeds, area, (address, zone)) for address in addresses]
        for area in self._of.keys() - of.keys():
            of[area] = []
        kept = {id(feed) for area_feeds in of.values() for feed in area_feeds}
        for area, area_feeds in of.items():
            if area not in self._of:
                self._delivered[area] = [() for _ in area_feeds]
            elif self._of[area] != area_feeds:
                self._delivered[area] = None
        self._feeds, self._of = {key: feed for key, feed in feeds.items() if id(feed) in kept}, of

    def refresh(self, now: Millis) -> dict[AreaKey, Agenda]:
        """Ask what is due; the areas whose agenda is another than was last `delivered`."""
        for feed in self._feeds.values():
            self._refresh(feed, now)
        changed = {}
        for area, feeds in self._of.items():
            with self._mishaps.contained(f"the agenda of {'/'.join(area)}", area[0]):
                if [feed.activities for feed in feeds] != self._delivered[area]:
                    self._delivered[area] = None
                    changed[area] = _agenda(feeds)
        return changed

    def delivered(self, areas: Iterable[AreaKey]) -> None:
        """Note that the agendas of these areas were handed over as they are now."""
        for area in areas:
            self._delivered[area] = [feed.activities for feed in self._of[area]]
            if not self._of[area]:  # it has no calendar any more, and that is known now
                self._of = {known: feeds for known, feeds in self._of.items() if known != area}
                del self._delivered[area]

    def _refresh(self, feed: CalendarFeed, now: Millis) -> None:
        try:
            feed.refresh(now)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._mishaps.note(f"calendar {feed.name}", error)
            feed.due = now + MINUTE_MS * 15

    def due(self) -> Millis | None:
        """When to refresh next; None without any feed."""
        return min((feed.due for feed in self._feeds.values()), default=None)

    def problems(self) -> list[str]:
        return [feed.problem for feed in self._feeds.values() if feed.problem is not None]

    def remarks(self) -> list[str]:
        """What is odd in calendars that could be read: a line for each."""
        return [f"{feed.name}: {remark}" for feed in self._feeds.values() if (remark := feed.reading.remark())]

    def activities_of(self, station: str) -> dict[str, tuple[Activity, ...]]:
        """What takes place in each area of a station, as read last."""
        return {area: _agenda(feeds).activities for (of, area), feeds in self._of.items() if of == station}

    def left_out(self) -> int:
        """How many events of all calendars are left out now."""
        return sum(sum(feed.reading.left_out.values()) for feed in self._feeds.values())

    def left_out_of(self) -> dict[str, int]:
        """The same for each area by reason, as `station/area calendar: reason`, with what can't be read at all."""
        told: dict[str, int] = {}
        for area, feeds in self._of.items():
            head = f"{'/'.join(area)} calendar"
            for feed in feeds:
                for reason, count in feed.reading.left_out.items():
                    told[f"{head}: {reason}"] = told.get(f"{head}: {reason}", 0) + count
                if feed.problem is not None:
                    told[f"{head}: {feed.problem.partition(': ')[2] or feed.problem}"] = 1
        return told

    def written(self) -> list[FeedKey]:
        """Calendars that are told what is given up."""
        return [key for key in self._feeds if key[0].give_up is not None]

    def holding(self, area: AreaKey, activity: Activity) -> list[FeedKey]:
        """The feeds of the area that have the activity."""
        feeds = self._of.get(area, ())
        return [key for key in self.written() if self._feeds[key] in feeds and activity in self._feeds[key].activities]

    def areas(self) -> list[AreaKey]:
        return list(self._of)

    def _feed(self, feeds: dict[FeedKey, CalendarFeed], area: AreaKey, key: FeedKey) -> CalendarFeed:
        """The feed of a source, named after the first area that has it."""
        address, zone = key
        if key not in feeds:
            feeds[key] = CalendarFeed(_name(area, address.source), source_of(address, self._cache), zone)
        return feeds[key]


def looked_at(
    area: AreaKey, address: CalendarAddress, zone: str, cache: Path, now: Millis
) -> tuple[str, str | None, bool]:
    """One calendar as it lies here, without asking the web: its name, what is odd in it, and whether it is of use."""
    source = address.source
    kept = WebSource(source, cache).kept() if is_web(source) else None
    name = _name(area, source)
    try:
        if is_web(source) and kept is None:
            return name, "no copy yet: the gateway fetches one", True
        data = kept[0] if kept else FileSource(source).get()
        return name, isolated(data, zone, now - PAST_MS, now + AHEAD_MS).remark(), True
    except OSError as error:
        return name, error.strerror or type(error).__name__, False
    except CalendarError as error:
        return name, str(error), False


def _name(area: AreaKey, source: str) -> str:
    """A source as logs name it: of a web address only the host."""
    return f"{'/'.join(area)}: {host_of(source) if is_web(source) else source}"


def _agenda(feeds: list[CalendarFeed]) -> Agenda:
    return Agenda(activity for feed in feeds for activity in feed.activities)
