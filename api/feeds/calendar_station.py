"""iCalendar of a station: when it is open, and what takes place in all of its areas, for anybody's phone calendar."""

from collections.abc import Sequence

from api.feeds.base import Feed, FeedRequest, FeedStation
from api.feeds.shared.calendar import calendar_of


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    (station,) = stations
    return calendar_of(station, None, asked)


FEED = Feed("{station}.ics", "text/calendar", "When a station is open and what takes place there", render)
