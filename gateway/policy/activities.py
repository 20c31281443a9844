"""What takes place in an area (活动): what is on now, what is next, whether it keeps the place reserved.

Activities come from calendars (`gateway/calendars/feeds`); presence tells a booking that nobody came to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.model import Millis, Use

GRACE_MS = 15 * 60_000
"""A booking is kept for so long without anybody there."""
EARLY_MS = 10 * 60_000
"""Somebody who comes so long before the beginning has come for the activity."""


@dataclass(frozen=True, slots=True, order=True)
class Activity:
    """One occurrence, `start` included, `end` not. `title` is empty where the calendar calls it private."""

    start: Millis
    end: Millis
    uid: str
    title: str
    reserves: bool


class OnNow(NamedTuple):
    """`on` and `next` in order of their beginning; `until` is when this changes by itself, None for never."""

    on: tuple[Activity, ...]
    next: Activity | None
    until: Millis | None

    @property
    def reserving(self) -> tuple[Activity, ...]:
        return tuple(activity for activity in self.on if activity.reserves)


class Agenda:
    """The activities of one area. `at` costs a comparison until something begins or ends."""

    def __init__(self, activities: Iterable[Activity] = ()) -> None:
        """Those in more than one calendar count once."""
        self.activities = tuple(sorted({activity for activity in activities if activity.start < activity.end}))
        self._known: tuple[Millis, float, OnNow] = (0, 0, OnNow((), None, None))

    def at(self, now: Millis) -> OnNow:
        since, until, answer = self._known
        if since <= now < until:
            return answer
        on = tuple(activity for activity in self.activities if activity.start <= now < activity.end)
        coming = next((activity for activity in self.activities if activity.start > now), None)
        ends = [activity.end for activity in on] + ([coming.start] if coming else [])
        answer = OnNow(on, coming, min(ends, default=None))
        self._known = now, float("inf") if answer.until is None else answer.until, answer
        return answer


def nobody_came(activity: Activity, now: Millis, last_seen: Millis | None, watched_since: Millis | None) -> bool:
    """Whether a booking may be given up: its grace is over, and sensors watched all the time and saw nobody.

    `last_seen`: when anybody was last there; `watched_since`: since when presence is live without a gap, None if it
    isn't now. Who isn't watched gets the benefit of the doubt.
    """
    if now < activity.start + GRACE_MS or watched_since is None or watched_since > activity.start:
        return False
    return last_seen is None or last_seen < activity.start - EARLY_MS


def gives_up_at(activity: Activity) -> Millis:
    """When `nobody_came` may first be true."""
    return activity.start + GRACE_MS


def use_with(use: Use, on: OnNow, given_up: Iterable[Activity] = ()) -> Use:
    """`use` by the sensors, made `reserved` where a booking holds that isn't given up.

    Only `free` and `unknown` become reserved: who sits there is there, whoever booked.
    """
    if use not in ("free", "unknown"):
        return use
    gone = set(given_up)
    return "reserved" if any(activity not in gone for activity in on.reserving) else use
