"""The demo's stations."""

import pytest

from config.schema import Settings
from firmware_bridge.emulator.configured import town_of
from firmware_bridge.emulator.stations import MAX_STATIONS, demo_stations, locked_station, shared_station


def test_the_first_station_is_yanshan_with_everything():
    yanshan = demo_stations(1)[0]
    assert (yanshan["id"], yanshan["name"]["zh"]) == ("yanshan", "雁山社区爱心驿站")
    resources = [resource for area in yanshan["areas"] for resource in area["resources"]]
    assert {resource["kind"] for resource in resources} == {
        "seat", "room", "charger", "door", "appliance", "locker", "parking", "safety", "supply", "hazard", "climate",
        "counter",
    }  # fmt: skip
    assert sum(resource["kind"] == "seat" for resource in resources) == 12


def test_two_thousand_stations_have_ids_names_and_places_of_their_own():
    stations = demo_stations(MAX_STATIONS)
    assert len(stations) == MAX_STATIONS
    assert len({station["id"] for station in stations}) == MAX_STATIONS
    for lang in ("zh", "en"):
        assert len({station["name"][lang] for station in stations}) == MAX_STATIONS
    assert len({(station["location"]["lat"], station["location"]["lon"]) for station in stations}) == MAX_STATIONS
    assert all(22.4 < station["location"]["lat"] < 22.9 for station in stations)


def test_the_configuration_accepts_them():
    settings = Settings.model_validate({"stations": demo_stations(30)})
    assert len({(station.id, item.id) for station, _, item in settings.resources()}) > 30 * 20


def test_a_bigger_network_begins_with_the_smaller_one():
    assert demo_stations(20)[:8] == demo_stations(8)
    assert demo_stations(8, seed=1) != demo_stations(8, seed=2)


@pytest.mark.parametrize("count", [0, MAX_STATIONS + 1])
def test_a_count_out_of_range_is_refused(count):
    with pytest.raises(ValueError, match="1 to 2000"):
        demo_stations(count)


def test_the_chained_station_promises_to_be_open_and_its_door_never_opens() -> None:
    settings = Settings.model_validate({"stations": [locked_station()], "timezone": "Asia/Shanghai"})
    assert settings.stations[0].hours == "24/7"
    town = town_of(settings, 1_780_279_200_000, speed=60)
    said: list[bytes] = []
    for minute in range(60):
        for publish in town.step(1_780_279_200_000 + minute * 60_000):
            if publish.topic.endswith("door-main/state"):
                said.append(publish.payload)
            assert not publish.topic.endswith("door-main/event"), "nobody holds a card to it"
    assert said
    assert all(b'"open":false' in text.replace(b" ", b"") for text in said)


def test_the_tea_house_has_no_device_and_what_is_in_it_is_checked_by_people() -> None:
    settings = Settings.model_validate({"stations": [shared_station(), *demo_stations(1)]})
    town = town_of(settings, 1_780_279_200_000)
    assert list(town.worlds) == ["yanshan"]
    checked = {name for check in settings.stations[0].checks for name in check.of}
    assert checked == {resource.id for area in settings.stations[0].areas for resource in area.resources}
