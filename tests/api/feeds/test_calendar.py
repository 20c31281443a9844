"""The calendar of a place: hours as they are, and activities as far as the public may know."""

from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar

from api.feeds.base import FeedRequest, FeedStation
from api.feeds.shared.calendar import OPEN, RESERVED, calendar_of
from config.schema import Settings, StationSettings
from gateway.base.times import rfc3339
from gateway.live.station_document import OpenNow, StationDocument, blank
from gateway.policy.activities import Activity
from gateway.policy.hours.configured import Openings
from tests.api.conftest import NOON

HOUR = 3_600_000
SETTINGS = Settings.model_validate(
    {
        "stations": [
            {
                "id": "yanshan",
                "hours": "09:00-21:00",
                "areas": [
                    {"id": "hall", "name": {"zh": "大厅"}},
                    {"id": "dance", "name": {"zh": "舞蹈室"}, "hours": "24/7"},
                ],
            }
        ]
    }
)
STATION: StationSettings = SETTINGS.stations[0]


def shown(**open_now: Any) -> StationDocument:
    document = blank(STATION, NOON)
    fields = {"now": "yes", "until": rfc3339(NOON + HOUR)} | open_now
    return type(document)(**{name: getattr(document, name) for name in document.__struct_fields__}
                          | {"open": OpenNow(**fields)})  # fmt: skip


def events(area: int | None = None, activities: dict[str, Any] | None = None, **open_now: Any) -> list[Any]:
    station = FeedStation(STATION, shown(**open_now), "Asia/Shanghai", NOON)
    asked = FeedRequest({}, "", NOON, Openings(SETTINGS), lambda _station: activities or {})
    body = calendar_of(station, None if area is None else STATION.areas[area], asked)
    return list(Calendar.from_ical(body).walk("VEVENT"))


def at(event: Any, name: str) -> datetime:
    moment = event[name].dt
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


def test_two_weeks_of_hours_stand_in_it() -> None:
    opens = events()
    assert len(opens) == 14
    assert at(opens[0], "dtstart") == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert at(opens[0], "dtend") == datetime(2026, 11, 21, 13, tzinfo=UTC)
    assert {str(event["summary"]) for event in opens} == {OPEN}
    assert {str(event["transp"]) for event in opens} == {"TRANSPARENT"}
    assert len({str(event["uid"]) for event in opens}) == 14


def test_an_area_with_hours_of_its_own_has_those() -> None:
    opens = events(area=1)
    assert len(opens) == 14
    assert at(opens[0], "dtend") == datetime(2026, 11, 21, 16, tzinfo=UTC), "told day by day"


def test_what_is_closed_by_hand_is_not_said_to_be_open() -> None:
    assert len(events(now="no", until=None)) == 13
    reopened = events(now="no", until=rfc3339(NOON + HOUR // 2))[0]
    assert at(reopened, "dtstart") == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def test_what_is_contradicted_or_unknown_now_is_tentative() -> None:
    for opens in (events(proof="contradicted"), events(now="unknown")):
        assert [str(event["status"]) for event in opens[:2]] == ["TENTATIVE", "CONFIRMED"]


def test_a_private_booking_is_only_reserved() -> None:
    club = Activity(NOON + HOUR, NOON + 2 * HOUR, "club", "合唱团", reserves=False)
    private = Activity(NOON + 3 * HOUR, NOON + 4 * HOUR, "secret-name", "", reserves=True)
    shown_events = events(area=0, activities={"hall": (club, private), "dance": (club,)})
    told = {str(event["summary"]): str(event["transp"]) for event in shown_events if str(event["summary"]) != OPEN}
    assert told == {"合唱团": "TRANSPARENT", RESERVED: "OPAQUE"}


def test_the_same_day_gives_the_same_bytes() -> None:
    station = FeedStation(STATION, shown(), "Asia/Shanghai", NOON)
    first, second = (
        calendar_of(station, None, FeedRequest({}, "", NOON + later, Openings(SETTINGS), None))
        for later in (0, HOUR // 2)
    )
    assert first == second
