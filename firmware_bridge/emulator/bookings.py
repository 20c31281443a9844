"""The demo's bookable room: what is held there each day, and the two times at which nobody came."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from firmware_bridge.emulator.faults import INSTEAD, Misbehaviour
from firmware_bridge.emulator.troubles import Week
from gateway.model import Millis

STATION, AREA, ROOM = "yanshan", "meeting", "meeting-room"
FIRST_DAY, LAST_DAY = 0, 14
HELD_DAILY = ((10, 11.5, "手机摄影课", 9), (15, 16.5, "骑手沙龙", 6), (19.5, 21, "英语角", 8))
"""From, to, title, how many come."""
NOBODY_CAME = {(3, 15), (5, 19.5)}
EARLY_MS = 300_000


class Booking(NamedTuple):
    start: Millis
    end: Millis
    title: str
    people: int

    @property
    def uid(self) -> str:
        return f"{self.start // 60_000}@{ROOM}"


def bookable_area() -> dict[str, object]:
    """Without its calendar."""
    room = {
        "id": ROOM,
        "name": {"zh": "会议室", "en": "Meeting room"},
        "kind": "room",
        "capacity": 10,
    }
    return {"id": AREA, "name": {"zh": "会议室", "en": "Meeting room"}, "resources": [room]}


def bookings(week: Week) -> list[Booking]:
    """The bookings of the week before and the week to come."""
    return [
        Booking(week.at(day, begins), week.at(day, ends), title, 0 if (day, begins) in NOBODY_CAME else people)
        for day in range(FIRST_DAY, LAST_DAY)
        for begins, ends, title, people in HELD_DAILY
    ]


def came(week: Week) -> Iterator[Misbehaviour]:
    """How many the room's sensor counts during each booking that is over."""
    for booking in bookings(week):
        if booking.end < week.now:
            yield Misbehaviour(
                INSTEAD, STATION, ROOM, booking.start - EARLY_MS, booking.end, {"people": booking.people}
            )


def calendar_text(booked: Iterable[Booking]) -> str:
    """As an iCalendar file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//yizhan//demo//ZH"]
    for booking in booked:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{booking.uid}",
            f"DTSTAMP:{_utc(booking.start)}",
            f"DTSTART:{_utc(booking.start)}",
            f"DTEND:{_utc(booking.end)}",
            f"SUMMARY:{booking.title}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def _utc(at: Millis) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
