"""Bookings that nobody came to are told to their calendars: each once, over restarts, and again while it fails.

What is to be told is on disk before it is tried; whether it was told says the calendar itself, where an answer is lost.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from config.edit import whole
from config.files import UnusableFileError, read_bytes
from gateway.base.local_time import DAY_MS
from gateway.calendars.caldav import Caldav
from gateway.calendars.lines import CalendarError
from gateway.calendars.release import released
from gateway.calendars.wanted import CalendarAddress
from gateway.calendars.web import WebRefusalError, host_of, own_folder
from gateway.model import Millis
from gateway.policy.activities import Activity

FILE: Final = "released.json"
MOST_BYTES: Final = 4 << 20
MINUTE_MS: Final = 60_000
PAUSES_MS: Final = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 60 * MINUTE_MS)
LATEST_MS: Final = DAY_MS
"""So long after the end of a booking it is still told."""
KEPT_MS: Final = 14 * DAY_MS
CHANGED_MEANWHILE: Final = 412
TRIES: Final = 3
"""How often an event is read anew that somebody else is changing."""


class Release(msgspec.Struct, frozen=True):
    """One booking of one calendar. `calendar` is a digest of its address; `problem`: why it is not told yet."""

    calendar: str
    uid: str
    start: Millis
    end: Millis
    due: Millis = 0
    failures: int = 0
    told: bool = False
    problem: str | None = None


ReleaseKey = tuple[str, str, Millis]
Given = tuple[CalendarAddress, str, Activity]
"""A calendar, the zone of its times without one, and what was given up."""


class Releases:
    """One thread's. `folder` is that of the copies of calendars."""

    def __init__(self, folder: Path, caldav: Callable[[CalendarAddress], Caldav] = Caldav) -> None:
        self._folder, self._caldav = folder, caldav
        self._known = _read(folder / FILE)

    def look(self, given: Iterable[Given], calendars: Iterable[tuple[CalendarAddress, str]], now: Millis) -> None:
        """Tell what is given up now, and what these calendars did not take before. OSError where that can't be kept."""
        news = dict[ReleaseKey, Release]()
        for address, _, activity in given:
            release = Release(_digest(address), activity.uid, activity.start, activity.end)
            key = release.calendar, release.uid, release.start
            if key not in self._known:
                news[key] = release
        if news:
            self._keep(self._known | news, now)
        self._try({_digest(address): (address, zone) for address, zone in calendars}, now)

    def problems(self) -> list[str]:
        return sorted({release.problem for release in self._known.values() if release.problem and not release.told})

    def _try(self, addresses: dict[str, tuple[CalendarAddress, str]], now: Millis) -> None:
        for key, release in list(self._known.items()):
            if release.told or release.due > now or release.calendar not in addresses:
                continue
            self._keep(self._known | {key: self._tried(release, *addresses[release.calendar], now)}, now)

    def _tried(self, release: Release, address: CalendarAddress, zone: str, now: Millis) -> Release:
        """As it is after one try."""
        if now > release.end + LATEST_MS:
            return _with(release, told=True)
        try:
            self._tell(release, address, ZoneInfo(zone), now)
        except (OSError, CalendarError) as error:
            pause = PAUSES_MS[min(release.failures, len(PAUSES_MS) - 1)]
            what = f"{host_of(address.source)}: a booking that nobody came to can't be told: {_mend(error)}"
            return _with(release, due=now + pause, failures=release.failures + 1, problem=what)
        return _with(release, told=True, problem=None)

    def _tell(self, release: Release, address: CalendarAddress, zone: ZoneInfo, now: Millis) -> None:
        """Until the calendar says so, or has no such event. OSError, CalendarError."""
        line, activity = self._caldav(address), Activity(release.start, release.end, release.uid, "", reserves=True)
        for tries_left in reversed(range(TRIES)):
            try:
                return _told(line, activity, address, zone, now)
            except WebRefusalError as error:
                if error.status != CHANGED_MEANWHILE or not tries_left:
                    raise
        return None

    def _keep(self, known: dict[ReleaseKey, Release], now: Millis) -> None:
        kept = {key: release for key, release in known.items() if release.end > now - KEPT_MS}
        own_folder(self._folder)
        whole.replace(self._folder / FILE, msgspec.json.encode(list(kept.values())))
        self._known = kept


def _told(line: Caldav, activity: Activity, address: CalendarAddress, zone: ZoneInfo, now: Millis) -> None:
    """One try. WebRefusalError 412 where somebody else was quicker."""
    assert address.give_up is not None
    for stored in line.of_uid(activity.uid):
        changed = released(stored.data, activity, zone, address.give_up, now)
        if changed is not None:
            line.put(replace(stored, data=changed))


def _with(release: Release, **changes: object) -> Release:
    return msgspec.structs.replace(release, **changes)


def _mend(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if isinstance(error, WebRefusalError) and error.status in (401, 403):
        return f"{text}; may this user write there?"
    return text


def _digest(address: CalendarAddress) -> str:
    return sha256(address.source.encode()).hexdigest()[:16]


def _read(path: Path) -> dict[ReleaseKey, Release]:
    try:
        rows = msgspec.json.decode(read_bytes(path, "calendars", MOST_BYTES), type=list[Release])
    except (UnusableFileError, msgspec.MsgspecError):
        return {}
    return {(release.calendar, release.uid, release.start): release for release in rows}
