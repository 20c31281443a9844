"""Rooms for a group: what is free rests on hours, calendars and the present; what is not known is never free."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rooms import RESTS_ON, RoomAnswer, RoomQuestion, RoomSources, rooms
from config.schema import Settings
from gateway.policy.activities import Activity
from gateway.policy.hours.configured import Openings
from tests.api import conftest
from tests.api.conftest import NOON, House, serving
from tests.api.documents import document, resource

HOUR, DAY = 3_600_000, 86_400_000
ROOMS: list[dict[str, Any]] = [
    {"id": "hall", "hours": "24/7", "capacity": 40, "calendar": ["hall.ics"],
     "resources": [{"id": "hall", "kind": "room", "features": ["piano", "mirror"]}]},
    {"id": "study", "hours": "09:00-21:00", "resources": [{"id": "study", "kind": "room", "capacity": 8}]},
    {"id": "attic", "resources": [{"id": "attic", "kind": "room"}]},
    {"id": "lab", "hours": "24/7", "resources": [{"id": "lab", "kind": "room", "lifecycle": "planned"}]},
]  # fmt: skip
CONFIG = {
    "stations": [
        {"id": "yanshan", "name": {"zh": "雁山驿站"}, "location": {"lat": 22.765, "lon": 112.964}, "areas": ROOMS},
        {"id": "far", "hours": "24/7", "location": {"lat": 23.1, "lon": 113.3},
         "areas": [{"id": "a", "resources": [{"id": "far-room", "kind": "room", "capacity": 99}]}]},
    ]
}  # fmt: skip
SETTINGS = Settings.model_validate(CONFIG, context={"check_files": False})
CLUB = Activity(NOON + 4 * HOUR, NOON + 5 * HOUR, "club", "合唱团", reserves=True)


def free_rooms(
    start: int = NOON, end: int = NOON + HOUR, *, activities: bool = True, shown: list[Any] | None = None, **more: Any
) -> dict[str, RoomAnswer]:
    resources = [resource(name, "room", until=NOON + HOUR) for name in ("hall", "study", "attic", "lab", "far-room")]
    made = document("x", resources if shown is None else shown, [], NOON).shown
    sources = RoomSources(
        SETTINGS, lambda _station: made, Openings(SETTINGS),
        (lambda _station: {"hall": (CLUB,)}) if activities else None,
    )  # fmt: skip
    return {answer.room.id: answer for answer in rooms(RoomQuestion(start, end, **more), sources, NOON, 50)}


def test_a_room_is_free_where_hours_calendar_and_sensor_say_so() -> None:
    every = free_rooms()
    assert {name: (answer.free, answer.because) for name, answer in every.items()} == {
        "hall": ("yes", ("open", "not_booked", "free_now")),
        "study": ("yes", ("open", "no_calendar", "free_now")),
        "far-room": ("yes", ("open", "no_calendar", "free_now")),
        "attic": ("unknown", ("hours_unknown",)),
    }
    assert list(every)[-1] == "attic", "what is not known stands last"


def test_a_booking_takes_the_room_for_its_time_alone() -> None:
    assert "hall" not in free_rooms(NOON + 4 * HOUR, NOON + 5 * HOUR)
    assert "hall" not in free_rooms(NOON + 3 * HOUR, NOON + 4 * HOUR + 1)
    assert "hall" in free_rooms(NOON + 5 * HOUR, NOON + 6 * HOUR)


def test_closing_time_within_the_time_asked_for_is_no_answer() -> None:
    assert "study" in free_rooms(NOON, NOON + HOUR)  # it is 20:00 to 21:00 there
    assert "study" not in free_rooms(NOON, NOON + HOUR + 1)
    assert "study" not in free_rooms(NOON + 2 * HOUR, NOON + 3 * HOUR)


def test_size_and_features() -> None:
    assert set(free_rooms(people=20)) == {"hall", "far-room", "attic"}
    assert free_rooms(people=20)["attic"].because == ("hours_unknown", "capacity_unknown")
    assert set(free_rooms(features=frozenset({"piano"}))) == {"hall"}
    assert free_rooms(features=frozenset({"piano", "organ"})) == {}


def test_distance_sorts_and_bounds() -> None:
    here = (23.1, 113.3)
    assert list(free_rooms(near=here)) == ["far-room", "hall", "study", "attic"]
    assert list(free_rooms(near=here, radius_m=1500.0)) == ["far-room"]


def test_what_is_not_read_or_too_far_is_not_free() -> None:
    assert free_rooms(activities=False)["hall"].because == ("calendar_unread",)
    assert free_rooms(NOON + 20 * DAY, NOON + 20 * DAY + HOUR)["hall"].because == ("calendar_too_far",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"use": "occupied"}, None),
        ({"health": "fault"}, None),
        ({"use": "unknown"}, ("use_unknown",)),
        ({"evidence": "stale"}, ("stale",)),
    ],
)
def test_the_present_counts_for_now(more: dict[str, str], said: tuple[str, ...] | None) -> None:
    shown = [resource("hall", "room", until=NOON + HOUR, **more)]
    answer = free_rooms(shown=shown).get("hall")
    assert (answer and (answer.free, answer.because)) == (said and ("unknown", said))


def test_tomorrow_does_not_ask_who_sits_there_now() -> None:
    occupied = [resource("hall", "room", until=NOON + HOUR, use="occupied")]
    assert free_rooms(NOON + DAY, NOON + DAY + HOUR, shown=occupied)["hall"].free == "yes"
    broken = [resource("hall", "room", until=NOON + HOUR, health="fault")]
    assert "hall" not in free_rooms(NOON + DAY, NOON + DAY + HOUR, shown=broken)


@given(st.integers(NOON - DAY, NOON + 30 * DAY), st.integers(1, 12 * HOUR))
def test_no_answer_is_contradicted_by_hours_or_calendars(start: int, length: int) -> None:
    hours = Openings(SETTINGS)
    for name, answer in free_rooms(start, start + length).items():
        opening = hours(answer.station, answer.area) or hours(answer.station, None)
        assert opening is not None
        states = {opening.at(at).now for at in range(start, start + length, 60_000)}
        assert "no" not in states
        assert (answer.free == "yes") <= (states == {"yes"})
        if name == "hall":
            assert start + length <= CLUB.start or start >= CLUB.end
        assert (answer.free == "yes") == (set(answer.because) <= set(RESTS_ON))


@pytest.fixture
def house(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    stations = [dict(station) for station in CONFIG["stations"]]
    stations[0]["areas"] = [{key: value for key, value in area.items() if key != "calendar"} for area in ROOMS]
    monkeypatch.setattr(conftest, "CONFIG", {"stations": stations})
    yield from serving(folder)


def test_over_http(house: House) -> None:
    answer = house.get("/api/v1/rooms?people=10&features=piano&from=2026-11-22T10:00:00Z&to=2026-11-22T12:00:00Z")
    (room,) = answer.json()["rooms"]
    assert (room["resource"], room["free"], room["because"]) == ("hall", "yes", ["open", "no_calendar"])
    assert (room["capacity"], room["features"]) == (40, ["piano", "mirror"])
    for bad in ("people=0", "from=x", "from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z", "radius_m=5", "near=91,0"):
        assert house.get(f"/api/v1/rooms?{bad}").status_code == 422, bad


def test_the_page_asks_and_answers_without_a_script(house: House) -> None:
    asked = "people=10&day=2026-11-22&begin=18:00&end=20:00&features=piano"
    page = house.get(f"/rooms?{asked}", headers={"accept-language": "en"})
    assert 'data-resource="hall" data-usable="yes"' in page.text
    assert "open then, no booking calendar" in page.text
    assert 'value="piano" checked' in page.text
    assert 'data-resource="study"' not in page.text
    odd = house.get("/rooms?people=<b>&day=tomorrow&begin=25:00&end=&features=<i>")
    assert odd.status_code == 200
    assert "<b>" not in odd.text.split("<form")[1]
    assert "找一间活动室" in house.get("/rooms", headers={"accept-language": "zh-CN"}).text
