"""iCalendar (RFC 5545) of a station or an area: when it is open, and what takes place.

An hour of opening that nobody can vouch for is TENTATIVE, one that is called off by hand is not there; a booking is
OPAQUE, opening is TRANSPARENT. A private activity is only "已预订 Reserved".
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec import UNSET

from api.feeds.base import FeedRequest, FeedStation, named
from config.schema import AreaSettings
from gateway.base.local_time import DAY_MS, day_start, pieces
from gateway.base.times import from_rfc3339
from gateway.live.station_document import ShownArea
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.policy.hours.words import OpenSpan, open_spans

if TYPE_CHECKING:  # the library takes as long to load as half of the gateway
    from icalendar import Event

AHEAD_MS: Final = 14 * DAY_MS
OPEN, RESERVED, TAKEN = "开放 Open", "已预订 Reserved", "活动 Activity"


def calendar_of(station: FeedStation, area: AreaSettings | None, asked: FeedRequest) -> bytes:
    """From local midnight on, two weeks; of all areas, or of one."""
    from icalendar import Calendar

    zone = ZoneInfo(station.zone)
    first = day_start(asked.now, zone)
    calendar = Calendar()
    calendar.add("prodid", "-//yizhan//feeds//ZH")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", _title(station, area))
    calendar.add("x-wr-timezone", station.zone)
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    place = f"{station.station.id}/{area.id}" if area is not None else station.station.id
    for event in (*_openings(station, area, asked, first, zone, place), *_activities(station, area, asked, first)):
        event.add("dtstamp", _utc(first))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _openings(
    station: FeedStation, area: AreaSettings | None, asked: FeedRequest, first: Millis, zone: ZoneInfo, place: str
) -> "Iterator[Event]":
    opening = (area and asked.hours(station.station, area)) or asked.hours(station.station, None)
    if opening is None or station.station.lifecycle != "active":
        return
    for span in open_spans(opening, first, first + AHEAD_MS):
        for start, end in _by_day(span, zone):
            told = _as_shown(OpenSpan(start, end, span.known), station, asked.now)
            if told is None:
                continue
            event = _event(f"open-{start}-{place}", told.start, told.end, OPEN)
            event.add("transp", "TRANSPARENT")
            event.add("categories", ["OPEN"])
            event.add("status", "CONFIRMED" if told.known else "TENTATIVE")
            yield event


def _by_day(span: OpenSpan, zone: ZoneInfo) -> Iterable[tuple[Millis, Millis]]:
    """A night stays whole; what goes on for a day or longer is told day by day."""
    if span.end - span.start < DAY_MS:
        return [(span.start, span.end)]
    return pieces(span.start, span.end, zone, "day")


def _as_shown(span: OpenSpan, station: FeedStation, now: Millis) -> OpenSpan | None:
    """The span that holds now as the document has it: closed by hand, unknown, or contradicted by what is seen."""
    if not span.start <= now < span.end:
        return span
    shown = station.shown.open
    if shown.now == "no":
        opens = span.end if shown.until is None else from_rfc3339(shown.until)
        return OpenSpan(opens, span.end, span.known) if opens < span.end else None
    certain = shown.now == "yes" and shown.proof != "contradicted"
    return OpenSpan(span.start, span.end, span.known and certain)


def _activities(
    station: FeedStation, area: AreaSettings | None, asked: FeedRequest, first: Millis
) -> "Iterator[Event]":
    for shown in station.shown.areas:
        if area is not None and shown.id != area.id:
            continue
        for activity in _of_area(station, shown, asked):
            if first <= activity.end and activity.start < first + AHEAD_MS:
                title = activity.title or (RESERVED if activity.reserves else TAKEN)
                event = _event(f"{activity.start}-{activity.uid}-{shown.id}", activity.start, activity.end, title)
                event.add("location", named(shown.name, "zh", shown.id))
                event.add("transp", "OPAQUE" if activity.reserves else "TRANSPARENT")
                yield event


def _of_area(station: FeedStation, shown: ShownArea, asked: FeedRequest) -> Iterable[Activity]:
    """From the calendars; where those are read by another process, what the document shows to be on now."""
    if asked.activities is not None:
        return asked.activities(station.station.id).get(shown.id, ())
    return {
        Activity(from_rfc3339(station.shown.as_of), from_rfc3339(now.until), "now", named(now.title, "zh", ""), True)
        for resource in shown.resources
        if resource.programme is not UNSET and (now := resource.programme.now) is not UNSET
    }


def _event(uid: str, start: Millis, end: Millis, summary: str) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{uid}@yizhan")
    event.add("dtstart", _utc(start))
    event.add("dtend", _utc(end))
    event.add("summary", summary)
    return event


def _title(station: FeedStation, area: AreaSettings | None) -> str:
    name = named(station.station.name, "zh", station.station.id)
    return name if area is None else f"{name} · {named(area.name, 'zh', area.id)}"


def _utc(at: Millis) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
