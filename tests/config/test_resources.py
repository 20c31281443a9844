"""What a resource inherits from its area, its station and its kind."""

from api.commands.doctor import promises
from config.kinds import SPECS
from config.resources import BATTERY_TTL_S, unpromised, values_of
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
                            {"id": "door-1", "kind": "door", "power": "battery"},
                            {"id": "door-2", "kind": "door"},
                            {
                                "id": "door-3",
                                "kind": "door",
                                "power": "battery",
                                "ttl": 40_000,
                                "reporting": "periodic",
                            },
                            {"id": "aed", "kind": "safety", "type": "aed", "power": "battery"},
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


def test_a_battery_is_held_to_what_it_can_promise_and_the_mains_to_its_kind():
    promised = {name: (values["ttl_ms"], values["reporting"]) for name, values in VALUES.items()}
    assert promised["door-1"] == (BATTERY_TTL_S * 1000, "on_change")
    assert promised["door-2"] == (SPECS["door"].ttl_s * 1000, "periodic")
    assert promised["door-3"] == (40_000_000, "periodic"), "the resource's own word comes first"
    assert promised["aed"] == (max(BATTERY_TTL_S, SPECS["safety"].ttl_s) * 1000, "on_change")


def test_radio_sensors_that_are_held_to_a_kinds_minutes_are_named():
    uplink = {"dialect": "chirpstack", "topic": "application/A/device/1/event/up"}
    plug = {"dialect": "tasmota", "topic": "tele/plug"}
    items = [
        {"id": "s1", "kind": "seat", "source": uplink},
        {"id": "s2", "kind": "seat", "power": "battery", "source": uplink},
        {"id": "s3", "kind": "seat", "ttl": 7200, "source": uplink},
        {"id": "s4", "kind": "charger", "type": "ev", "source": plug},
        {"id": "s5", "kind": "safety", "type": "aed", "source": uplink},
    ]
    stations = [{"id": "yanshan", "areas": [{"id": "hall", "resources": items}]}]
    assert unpromised(Settings.model_validate({"stations": stations})) == ["yanshan/s1"]
    assert not unpromised(SETTINGS)
    (finding,) = promises(Settings.model_validate({"stations": stations}))
    assert (finding.mark, finding.text.partition(":")[0]) == ("warn", "yanshan/s1")


def test_nothing_is_active_in_a_planned_station():
    assert {values["lifecycle"] for values in VALUES.values()} == {"planned"}


def test_the_emulator_and_the_gateway_see_the_same_resource():
    assert list(resources_of(SETTINGS)) == [resource_of(SETTINGS, *place) for place in SETTINGS.resources()]
