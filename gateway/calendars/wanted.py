"""Which calendars an area has: a path, or a web address, perhaps with a log-in and a say in what is given up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.files import read_secret
from config.schema import Settings, StationSettings, WrittenCalendar
from gateway.base import reach

AreaKey = tuple[str, str]
"""(station, area)"""
GiveUp = Literal["cancel", "comment"]


@dataclass(frozen=True, slots=True)
class CalendarAddress:
    """`source` is a path or a web address. `give_up`: it is a CalDAV collection, which is told of bookings that nobody
    came to, as cancelled or by a comment."""

    source: str
    username: str | None = None
    password_file: Path | None = None
    give_up: GiveUp | None = None

    def login(self) -> Mapping[str, str]:
        """The header that shows who asks, none without a user. OSError where the file can't be read."""
        if self.username is None:
            return {}
        password = ""
        if self.password_file is not None:
            try:
                password = read_secret(self.password_file, "calendar.password_file").strip()
            except ValueError as error:
                raise OSError(str(error)) from None
        return reach.basic_login(self.username, password)


Wanted = Mapping[AreaKey, tuple[str, tuple[CalendarAddress, ...]]]
"""For each area its zone and its sources."""


def wanted_of(settings: Settings, stations: Iterable[StationSettings]) -> Wanted:
    """What the configuration names."""
    return {
        (station.id, area.id): (station.timezone or settings.timezone, tuple(map(configured, area.calendar)))
        for station in stations
        for area in station.areas
        if area.calendar
    }


def configured(source: str | WrittenCalendar) -> CalendarAddress:
    if isinstance(source, str):
        return CalendarAddress(source)
    return CalendarAddress(source.url, source.username, source.password_file, source.give_up)
