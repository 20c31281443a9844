"""A station as a Location of OCPI 2.2.1."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.feeds.shared.changes import Changes
from api.ocpi.hours import opening_times
from api.ocpi.locations import ChargingStation, location
from config.schema import Settings
from gateway.policy.hours.configured import Openings
from gateway.policy.hours.expression import Expression
from gateway.policy.hours.opening import Opening
from tests.api.conftest import MINUTE, NOON
from tests.api.documents import document, resource

SHANGHAI = ZoneInfo("Asia/Shanghai")
SETTINGS = Settings.model_validate(
    {
        "ocpi": {"country_code": "CN", "party_id": "YZN"},
        "stations": [
            {
                "id": "yanshan",
                "name": {"zh": "雁山驿站"},
                "region": ["广东", "江门", "鹤山"],
                "location": {"lat": 22.765, "lon": 112.964, "address": "雁山社区"},
                "hours": "09:00-21:00",
                "areas": [{"id": "yard"}],
            }
        ],
    }
)
STATION = SETTINGS.stations[0]
assert SETTINGS.ocpi is not None


def pile(name: str, sort: str = "ev", **more: Any) -> dict[str, Any]:
    return resource(name, "charger", until=NOON + MINUTE, **more) | {"type": sort}


def told(*points: dict[str, Any], changes: Changes | None = None, now: int = NOON) -> dict[str, Any] | None:
    changes = changes or Changes()
    shown = document("yanshan", list(points), [], NOON).shown
    of = ChargingStation(
        STATION, shown, "Asia/Shanghai", Openings(SETTINGS)(STATION, None),
        lambda key, facts: changes.since(key, repr(facts), now),
    )  # fmt: skip
    assert SETTINGS.ocpi is not None
    return location(of, SETTINGS.ocpi, now)


def test_a_location_has_what_the_standard_wants() -> None:
    place = told(pile("pile-01") | {"name": {"zh": "1 号桩"}})
    assert place is not None
    assert {key: place[key] for key in ("country_code", "party_id", "id", "publish", "name", "address", "city")} == {
        "country_code": "CN", "party_id": "YZN", "id": "yanshan", "publish": True, "name": "雁山驿站",
        "address": "雁山社区", "city": "鹤山",
    }  # fmt: skip
    assert place["country"] == "CHN"
    assert place["coordinates"] == {"latitude": "22.765000", "longitude": "112.964000"}
    assert re.fullmatch(r"-?[0-9]{1,3}\.[0-9]{5,7}", place["coordinates"]["longitude"])
    (evse,) = place["evses"]
    assert (evse["uid"], evse["status"], evse["physical_reference"]) == ("pile-01", "AVAILABLE", "1 号桩")
    (connector,) = evse["connectors"]
    assert {key: connector[key] for key in ("id", "standard", "format", "power_type", "max_voltage")} == {
        "id": "1", "standard": "GBT_AC", "format": "SOCKET", "power_type": "AC_1_PHASE", "max_voltage": 220,
    }  # fmt: skip
    assert place["last_updated"] == evse["last_updated"] == "2026-11-21T12:00:00Z"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "AVAILABLE"),
        ({"use": "occupied"}, "CHARGING"),
        ({"use": "reserved"}, "RESERVED"),
        ({"use": "blocked"}, "INOPERATIVE"),
        ({"use": "unknown"}, "UNKNOWN"),
        ({"health": "fault"}, "OUTOFORDER"),
        ({"health": "maintenance"}, "INOPERATIVE"),
        ({"access": "closed"}, "BLOCKED"),
        ({"access": "staff_only"}, "BLOCKED"),
        ({"access": "unknown"}, "UNKNOWN"),
        ({"evidence": "stale"}, "UNKNOWN"),
        ({"evidence": "offline"}, "UNKNOWN"),
        ({"evidence": "never"}, "UNKNOWN"),
        ({"evidence": "suspect"}, "UNKNOWN"),
        ({"evidence": "offline", "health": "fault"}, "OUTOFORDER"),
    ],
)
def test_a_status_says_no_more_than_the_document(more: dict[str, Any], status: str) -> None:
    place = told(pile("pile-01", **more))
    assert place is not None
    assert place["evses"][0]["status"] == status


def test_a_station_without_charging_points_is_none() -> None:
    assert told(resource("seat-01")) is None
    assert told(pile("phone-01", "phone")) is None


def test_a_change_of_one_point_dates_it_and_its_station() -> None:
    changes = Changes()
    told(pile("pile-01"), pile("pile-02"), changes=changes)
    later = told(pile("pile-01"), pile("pile-02", use="occupied"), changes=changes, now=NOON + MINUTE)
    assert later is not None
    assert [evse["last_updated"] for evse in later["evses"]] == ["2026-11-21T12:00:00Z", "2026-11-21T12:01:00Z"]
    assert later["last_updated"] == "2026-11-21T12:01:00Z"


def hours(text: str) -> dict[str, Any] | None:
    return opening_times(Opening(Expression(text), SHANGHAI, "none", "calendar"), NOON, SHANGHAI)


def test_hours_are_a_usual_week_and_the_days_that_differ() -> None:
    assert hours("24/7") == {"twentyfourseven": True}
    assert hours("24/7 unknown") is None
    opening = hours("Mo-Fr 09:00-17:00; 2026 Nov 25 10:00-12:00")
    assert opening is not None
    assert opening["regular_hours"] == [
        {"weekday": day, "period_begin": "09:00", "period_end": "17:00"} for day in range(1, 6)
    ]
    assert opening["exceptional_closings"] == [
        {"period_begin": "2026-11-24T16:00:00Z", "period_end": "2026-11-25T16:00:00Z"}
    ]
    assert opening["exceptional_openings"] == [
        {"period_begin": "2026-11-25T02:00:00Z", "period_end": "2026-11-25T04:00:00Z"}
    ]


def test_a_night_is_cut_at_midnight() -> None:
    opening = hours("22:00-02:00")
    assert opening is not None
    assert opening["regular_hours"][:2] == [
        {"weekday": 1, "period_begin": "00:00", "period_end": "02:00"},
        {"weekday": 1, "period_begin": "22:00", "period_end": "23:59"},
    ]
