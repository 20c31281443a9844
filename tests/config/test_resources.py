"""What a resource inherits from its area, its station and its kind."""

from config.resources import values_of
from config.schema import Settings
from firmware_bridge.emulator.configured import resources_of
from gateway.core.plan import resource_of

SETTINGS = Settings.model_validate(
    {
        "kinds": {"seat": {"ttl_s": 90, "reporting": "on_change", "away_s": 600}},
        "stations": [
            {
                "id": "yanshan",
                "lifecycle": "planned",
                "areas": [
                    {
                        "id": "hall",
                        "capacity": 16,
                        "privacy": "coarse",
                        "resources": [
                            {"id": "quiet-room", "kind": "room"},
                            {"id": "booth", "kind": "room", "capacity": 2},
                            {"id": "lockers", "kind": "locker", "name": {"en": "Lockers"}},
                            {"id": "seat-01", "kind": "seat", "device": "mat-7", "ttl": 30},
                        ],
                    }
                ],
            }
        ],
    }
)
VALUES = {item.id: values_of(SETTINGS, station, area, item) for station, area, item in SETTINGS.resources()}


def test_a_room_that_names_no_capacity_has_that_of_its_area():
    assert VALUES["quiet-room"]["capacity"] == 16
    assert VALUES["booth"]["capacity"] == 2


def test_the_capacity_of_an_area_is_for_people_and_not_for_lockers():
    assert VALUES["lockers"]["capacity"] is None


def test_privacy_comes_from_the_area_and_the_rest_from_the_resource_then_its_kind():
    assert {values["privacy"] for values in VALUES.values()} == {"coarse"}
    seat = VALUES["seat-01"]
    assert (seat["ttl_ms"], seat["reporting"], seat["away_ms"]) == (30_000, "on_change", 600_000)
    assert seat["device"] == "mat-7"
    assert (seat["name"], VALUES["lockers"]["name"]) == ({}, {"en": "Lockers"})


def test_nothing_is_active_in_a_planned_station():
    assert {values["lifecycle"] for values in VALUES.values()} == {"planned"}


def test_the_emulator_and_the_gateway_see_the_same_resource():
    assert list(resources_of(SETTINGS)) == [resource_of(SETTINGS, *place) for place in SETTINGS.resources()]
