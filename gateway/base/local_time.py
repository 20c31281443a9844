"""Hours, days, months and weeks as people at a station live them, across every change of its clock. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.model import Millis

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
QUARTER_MS = HOUR_MS // 4  # clocks change at a quarter of an hour of UTC
By = Literal["hour", "day", "hour_of_week"]


def hour_start(at: Millis, zone: ZoneInfo) -> Millis:
    """The full local hour at or before `at`."""
    local = local_of(at, zone)
    return at - (local.minute * 60 + local.second) * 1000 - at % 1000


def day_start(at: Millis, zone: ZoneInfo) -> Millis:
    """The local midnight at or before `at`."""
    return min(at, midnight_of(local_of(at, zone).date(), zone))


def next_day(at: Millis, zone: ZoneInfo) -> Millis:
    """The local midnight after `at`: 23 to 25 hours after the one before."""
    return midnight_of(local_of(at, zone).date() + timedelta(days=1), zone)


def hour_of_week(at: Millis, zone: ZoneInfo) -> int:
    """0 is Monday from midnight to one o'clock."""
    local = local_of(at, zone)
    return local.weekday() * 24 + local.hour


def month_of(year: int, month: int, zone: ZoneInfo) -> tuple[Millis, Millis]:
    """The local midnights with which a month begins and ends."""
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    return midnight_of(first, zone), midnight_of(after, zone)


def pieces(start: Millis, end: Millis, zone: ZoneInfo, by: By) -> Iterator[tuple[Millis, Millis]]:
    """[start, end) cut at local midnights, or at full local hours."""
    at = start
    while at < end:
        until = next_day(at, zone) if by == "day" else hour_start(at, zone) + HOUR_MS
        until = min(until, end)
        yield at, until
        at = until


def bucket_of(at: Millis, zone: ZoneInfo, by: By) -> int:
    """What a moment is counted under: the start of its local day or hour, or its hour of the week."""
    if by == "day":
        return day_start(at, zone)
    return hour_start(at, zone) if by == "hour" else hour_of_week(at, zone)


def stretches(start: Millis, end: Millis, zone: ZoneInfo) -> Iterator[tuple[Millis, Millis, Millis]]:
    """[start, end) cut where the clock changes: (begin, until, how far local time is ahead of UTC)."""
    begin = at = start
    ahead = _ahead(at, zone)
    while at < end:
        at = min(at - at % QUARTER_MS + DAY_MS, end)
        if _ahead(at, zone) != ahead:
            day_before = range(at - at % QUARTER_MS - DAY_MS, at + QUARTER_MS, QUARTER_MS)
            at = next(quarter for quarter in day_before if quarter > begin and _ahead(quarter, zone) != ahead)
            yield begin, min(at, end), ahead
            begin, ahead = at, _ahead(at, zone)
    if begin < end:
        yield begin, end, ahead


def _ahead(at: Millis, zone: ZoneInfo) -> Millis:
    ahead = local_of(at, zone).utcoffset() or timedelta()
    return ahead // timedelta(milliseconds=1)


def day_of(number: int, zone: ZoneInfo) -> Millis:
    """When the local day begins that is so many after 1 January 1970."""
    return midnight_of(date(1970, 1, 1) + timedelta(days=number), zone)


def local_of(at: Millis, zone: ZoneInfo) -> datetime:
    """The moment as the station's clock shows it."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def midnight_of(day: date, zone: ZoneInfo) -> Millis:
    """When a local day begins."""
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)
