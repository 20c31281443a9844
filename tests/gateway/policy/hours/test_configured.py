"""From settings to the hours of stations and areas."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.schema import Settings
from gateway.policy.hours import Openings


def built(station: dict[str, Any], **more: Any) -> tuple[Settings, Openings]:
    settings = Settings.model_validate(
        {"mqtt": {"url": "embedded://127.0.0.1:1883"}, "stations": [{"id": "yanshan", **station}], **more}
    )
    return settings, Openings(settings)


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def station_now(station: dict[str, Any], when: str, **more: Any) -> str:
    settings, openings = built(station, **more)
    hours = openings(settings.stations[0], None)
    assert hours is not None
    assert not openings.problems
    return hours.at(at(when)).now


def test_without_hours_nobody_can_say() -> None:
    assert station_now({}, "2026-11-21T12:00") == "unknown"


def test_a_closure_and_a_special_day_outrank_the_usual_hours() -> None:
    station = {
        "hours": "08:00-20:00",
        "closures": [{"first": "2026-12-30", "last": "2027-01-02"}],
        "special_days": {"2026-12-31": "10:00-12:00, 14:00-16:00", "2026-12-25": "24/7"},
    }
    expected = {
        "2026-12-29T12:00": "yes", "2026-12-30T12:00": "no", "2026-12-31T11:00": "yes", "2026-12-31T13:00": "no",
        "2026-12-31T15:00": "yes", "2027-01-02T19:59": "no", "2027-01-03T08:00": "yes", "2026-12-25T03:00": "yes",
    }  # fmt: skip
    assert {when: station_now(station, when) for when in expected} == expected


def test_the_night_before_a_closure_ends_as_usual_and_the_closed_evening_has_no_night() -> None:
    station = {"hours": "22:00-06:00", "closures": [{"first": "2026-12-01", "last": "2026-12-01"}]}
    assert station_now(station, "2026-12-01T05:59") == "yes"
    assert station_now(station, "2026-12-02T05:59") == "no"
    assert station_now(station, "2026-12-02T22:00") == "yes"


def test_a_closure_is_known_even_where_the_hours_are_not() -> None:
    station = {"closures": [{"first": "2026-12-01", "last": "2026-12-01"}]}
    assert station_now(station, "2026-12-01T12:00") == "no"
    assert station_now(station, "2026-12-02T12:00") == "unknown"


def test_an_area_keeps_the_stations_hours_unless_it_has_its_own() -> None:
    areas = [
        {"id": "lounge"},
        {"id": "yard", "hours": "24/7"},
        {"id": "hall", "special_days": {"2026-12-02": "off"}},
    ]
    settings, openings = built(
        {"hours": "08:00-20:00", "closures": [{"first": "2026-12-01", "last": "2026-12-01"}], "areas": areas}
    )
    station = settings.stations[0]
    lounge, yard, hall = (openings(station, area) for area in station.areas)
    assert lounge is None
    assert yard is not None
    assert hall is not None
    assert yard.at(at("2026-12-02T03:00")).access == "open"
    assert yard.at(at("2026-12-01T12:00")).access == "closed"
    assert hall.at(at("2026-12-02T12:00")).access == "closed"
    assert hall.at(at("2026-12-03T12:00")).access == "open"


def test_the_choice_of_weekend_and_zone_belongs_to_the_station() -> None:
    station = {"hours": "Sa-Su 09:00-17:00", "weekend": "calendar", "timezone": "Asia/Urumqi"}
    assert station_now(station, "2026-02-14T17:30", calendar={"weekend": "rest_day"}) == "yes"


def test_hours_that_cannot_be_answered_for_are_unknown_and_told() -> None:
    settings, openings = built({"hours": "sunrise-sunset"})
    hours = openings(settings.stations[0], None)
    assert hours is not None
    assert hours.at(at("2026-12-01T12:00")).now == "unknown"
    assert "write clock times" in openings.problems["stations.yanshan"]


def test_twenty_thousand_stations_with_the_same_words_share_one_evaluator() -> None:
    settings, openings = built({"hours": "Mo-Fr 08:00-20:00; PH off"})
    first = settings.stations[0]
    made = {openings(first.model_copy(update={"id": f"s{number}"}), None) for number in range(20_000)}
    assert len(made) == 1
