"""A station for search engines."""

import json
import re
from typing import Any

import pytest

from api.pages.json_ld import station_ld
from config.schema import StationSettings
from tests.api.conftest import House

FULL = {
    "id": "yanshan",
    "name": {"zh": "雁山驿站", "en": "Yanshan"},
    "region": ["广东", "江门"],
    "location": {"lat": 22.765, "lon": 112.964, "address": "雁山社区"},
    "hours": "Mo-Fr 09:00-12:00,14:00-18:00; Sa 10:00-12:00",
    "areas": [
        {
            "id": "hall",
            "resources": [
                {"id": "seat-01", "kind": "seat"},
                {"id": "pile-01", "kind": "charger", "type": "ebike"},
                {"id": "smoke", "kind": "hazard", "type": "smoke"},
            ],
        }
    ],
}


def told(**more: Any) -> dict[str, Any]:
    return station_ld(StationSettings.model_validate(FULL | more))


def test_a_station_has_name_place_hours_and_what_it_offers() -> None:
    place = told()
    assert (place["@type"], place["name"], place["alternateName"]) == ("CivicStructure", "雁山驿站", ["Yanshan"])
    assert place["geo"] == {"@type": "GeoCoordinates", "latitude": 22.765, "longitude": 112.964}
    assert place["openingHours"] == ["Mo-Fr 09:00-12:00", "Mo-Fr 14:00-18:00", "Sa 10:00-12:00"]
    assert [feature["name"] for feature in place["amenityFeature"]] == ["座位", "电动车充电"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ("24/7", ["Mo-Su 00:00-23:59"]),
        ("09:00-17:00", ["Mo-Su 09:00-17:00"]),
        ("Mo,We 09:00-17:00", ["Mo,We 09:00-17:00"]),
        ("Mo-Fr 09:00-17:00; PH off", None),
        (None, None),
    ],
)
def test_hours_that_it_has_no_words_for_are_left_out(hours: str | None, said: list[str] | None) -> None:
    assert told(hours=hours).get("openingHours") == said


@pytest.mark.parametrize("page", ["/m/yanshan", "/stations/yanshan"])
def test_it_stands_in_the_pages(house: House, page: str) -> None:
    text = house.get(page).text
    script = re.search(r'<script type="application/ld\+json">(.*?)</script>', text)
    assert script is not None
    assert json.loads(script[1])["name"] == "雁山社区爱心驿站"
    assert json.loads(script[1])["url"].endswith("/m/yanshan")
