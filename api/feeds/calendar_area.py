"""iCalendar of one area: when it is open, and what takes place in it."""

from collections.abc import Sequence

from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.calendar import calendar_of


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    (station,) = stations
    wanted = asked.query["area"]
    area = next((area for area in station.station.areas if area.id == wanted), None)
    if area is None:
        raise LookupError(f"{station.station.id}/{wanted}")
    return calendar_of(station, area, asked)


FEED = Feed("{station}/{area}.ics", "text/calendar", "When an area is open and what takes place in it", render)
