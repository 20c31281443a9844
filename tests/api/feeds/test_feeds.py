"""The feeds over HTTP: their forms, what is asked of them, and when they changed."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from icalendar import Calendar

from api.geo import distance_m, to_bd09, to_gcj02
from api.times import rfc3339
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, line, resource

HERE = (22.765, 112.964)


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    yield from serving(folder, public_url="https://stations.example")


def show(house: House, *, free: bool = True, at: int = NOON, **more: object) -> None:
    seat = resource("seat-01", use="free" if free else "occupied", until=at + 5 * MINUTE)
    aed = resource("aed", "safety", until=at + 5 * MINUTE) | {"type": "aed"}
    summary = [line("seat", 1, int(free), int(free)), line("safety", 1, 1, 1, "aed")]
    house.view.put(document("yanshan", [seat, aed], summary, at, **more))


def geojson(house: House, query: str = "") -> dict[str, dict[str, object]]:
    answer = house.get(f"/feeds/stations.geojson{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/geo+json")
    return {feature["id"]: feature for feature in json.loads(answer.content)["features"]}


def test_every_station_is_a_point_with_its_row(house: House) -> None:
    show(house)
    features = geojson(house)
    assert list(features) == ["yanshan", "shaping", "nowhere"]
    assert features["yanshan"]["geometry"] == {"type": "Point", "coordinates": [112.964, 22.765]}
    assert features["nowhere"]["geometry"] is None
    row = features["yanshan"]["properties"]
    assert isinstance(row, dict)
    assert row["code"] == "yanshan"
    assert row["name_zh"] == "雁山社区爱心驿站"
    assert row["facilities"] == "seat;safety:aed"
    assert row["counts"][0] == {"facility": "seat", "total": 1, "usable_min": 1, "usable_max": 1}
    assert row["aed"] == "ready"
    assert row["hours_zh"] == "不详"
    assert row["url"] == "https://stations.example/m/yanshan"


def test_an_unheard_station_promises_nothing(house: House) -> None:
    row = geojson(house)["shaping"]["properties"]
    assert isinstance(row, dict)
    assert row["open"] == "unknown"
    assert row["counts"] == [{"facility": "locker", "total": 20, "usable_min": 0, "usable_max": 20}]
    assert row["aed"] == "none"


@pytest.mark.parametrize(("crs", "shifted"), [("gcj02", to_gcj02), ("bd09", to_bd09)])
def test_a_chinese_map_gets_its_own_coordinates(house: House, crs: str, shifted: object) -> None:
    geometry = geojson(house, f"?crs={crs}")["yanshan"]["geometry"]
    assert isinstance(geometry, dict)
    lon, lat = geometry["coordinates"]
    assert callable(shifted)
    assert distance_m((lat, lon), shifted(HERE)) < 0.1


def test_a_query_that_nobody_can_take_is_told(house: House) -> None:
    assert house.get("/feeds/stations.geojson?crs=mars").status_code == 422
    answer = house.get("/feeds/stations.csv?since=yesterday")
    assert (answer.status_code, "since" in answer.text) == (422, True)
    assert house.get("/feeds/stations.csv?since=9999-99-99T00:00:00Z").status_code == 422


def test_since_leaves_out_what_did_not_change(house: House) -> None:
    show(house)
    geojson(house)
    house.clock.now = NOON + 20 * MINUTE
    show(house, free=False, at=house.clock.now)
    later = rfc3339(NOON + 10 * MINUTE)
    assert list(geojson(house, f"?since={later}")) == ["yanshan"]
    row = geojson(house)["yanshan"]["properties"]
    assert isinstance(row, dict)
    assert row["changed_at"] == rfc3339(NOON + 20 * MINUTE)
    house.clock.now = NOON + 21 * MINUTE
    show(house, free=False, at=house.clock.now)
    row = geojson(house)["yanshan"]["properties"]
    assert isinstance(row, dict)
    assert row["changed_at"] == rfc3339(NOON + 20 * MINUTE), "a value that is only confirmed is no change"


def test_the_table_has_a_row_a_station_and_opens_in_a_chinese_spreadsheet(house: House) -> None:
    show(house)
    answer = house.get("/feeds/stations.csv")
    assert answer.content.startswith("\ufeff".encode())
    rows = {row["code"]: row for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))}
    assert rows["yanshan"]["counts"] == "seat=1..1/1;safety:aed=1..1/1"
    assert (rows["yanshan"]["lat"], rows["yanshan"]["lon"], rows["yanshan"]["crs"]) == ("22.765", "112.964", "wgs84")
    assert rows["nowhere"]["lat"] == ""


def test_with_a_language_the_table_is_for_people(house: House) -> None:
    show(house)
    text = house.get("/feeds/stations.csv?lang=zh").content.decode()
    assert text.startswith("\ufeff编号,中文名,英文名,地区,地址,纬度,经度,坐标系")
    (row,) = [
        table_row
        for table_row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        if table_row["编号"] == "yanshan"
    ]
    assert row["AED"] == "就绪"
    assert row["现在开放"] in ("是", "否", "未知")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["截至（当地时间）"])


@pytest.mark.parametrize(
    ("more", "said"),
    [({"access": "closed"}, "closed"), ({"health": "fault"}, "not_ready"), ({"evidence": "offline"}, "unknown")],
)
def test_a_defibrillator_behind_a_closed_door_is_not_said_to_be_broken(
    house: House, more: dict[str, str], said: str
) -> None:
    aed = resource("aed", "safety", until=NOON + MINUTE, **more) | {"type": "aed"}
    house.view.put(document("yanshan", [aed], [], NOON))
    row = geojson(house)["yanshan"]["properties"]
    assert isinstance(row, dict)
    assert row["aed"] == said


def test_nothing_is_told_after_its_time(house: House) -> None:
    show(house)
    house.clock.now = NOON + 5 * MINUTE
    row = geojson(house)["yanshan"]["properties"]
    assert isinstance(row, dict)
    assert row["counts"][0] == {"facility": "seat", "total": 1, "usable_min": 0, "usable_max": 1}
    assert row["aed"] == "unknown"


def test_a_community_space_says_open_only_where_it_is_known(house: House) -> None:
    show(house, open={"now": "yes", "until": None, "proof": "proved"})
    space = house.get("/feeds/spaceapi/yanshan.json").json()
    assert space["api_compatibility"] == ["14", "15"]
    assert space["state"] == {"open": True, "message": "open (proved)"}
    assert space["location"]["lat"] == 22.765
    show(house, open={"now": "yes", "until": None, "proof": "contradicted"})
    assert "open" not in house.get("/feeds/spaceapi/yanshan.json").json()["state"]
    assert "open" not in house.get("/feeds/spaceapi/shaping.json").json()["state"]
    assert house.get("/feeds/spaceapi/none.json").status_code == 404


def test_live_gauges_are_sensors_of_the_space(house: House) -> None:
    gauge = {
        "id": "air", "kind": "climate", "type": None, "health": "ok", "evidence": "live", "by": "sensor", "alarm": None,
        "values": {"temperature_c": 21.5, "co2_ppm": 640}, "observed_at": rfc3339(NOON),
        "valid_until": rfc3339(NOON + MINUTE),
    }  # fmt: skip
    show(house, areas=[{"id": "hall", "name": {"zh": "大厅"}, "resources": [], "instruments": [gauge]}])
    sensors = house.get("/feeds/spaceapi/yanshan.json").json()["sensors"]
    assert sensors["temperature"] == [{"value": 21.5, "unit": "°C", "location": "大厅"}]
    assert sensors["carbondioxide"][0]["value"] == 640
    house.clock.now = NOON + MINUTE
    assert "sensors" not in house.get("/feeds/spaceapi/yanshan.json").json()


def test_a_calendar_of_a_station_and_of_an_area(house: House) -> None:
    show(house)
    answer = house.get("/feeds/yanshan.ics")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/calendar")
    assert str(Calendar.from_ical(answer.content)["x-wr-calname"]) == "雁山社区爱心驿站"
    assert house.get("/feeds/yanshan/lounge.ics").status_code == 200
    assert house.get("/feeds/yanshan/attic.ics").status_code == 404
    assert house.get("/feeds/none.ics").status_code == 404
