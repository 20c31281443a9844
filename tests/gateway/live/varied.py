"""A station with something of every sort that a document can show, lived through a morning and an evening."""

from collections.abc import Iterator
from typing import Any, cast

from gateway.history.first_free import FirstFree
from gateway.history.forecast import Forecast, Remaining
from gateway.live import document
from gateway.live.station_document import Document
from gateway.policy.activities import Activity, Agenda
from tests.gateway.live.house import HOUR, MINUTE, START, House

AREAS: list[dict[str, Any]] = [
    {
        "id": "lounge",
        "name": {"zh": "大厅", "en": "Lounge"},
        "resources": [
            {"id": "seat-1", "kind": "seat", "name": {"zh": "窗边“一号”", "en": "Window \"1\""}},
            {"id": "seat-2", "kind": "seat"},
            {"id": "seat-3", "kind": "seat", "override": {"status": "maintenance"}},
            {"id": "seat-4", "kind": "seat", "lifecycle": "planned"},
            {"id": "seat-5", "kind": "seat", "lifecycle": "removed", "name": {"zh": "旧座"}},
            {"id": "door", "kind": "door"},
            {"id": "aed", "kind": "safety", "type": "aed"},
        ],
    },
    {
        "id": "room",
        "name": {"zh": "活动室"},
        "capacity": 12,
        "hours": "Mo-Su 08:00-20:30",
        "resources": [
            {"id": "hall", "kind": "room"},
            {"id": "nook", "kind": "room", "privacy": "coarse", "capacity": 6},
        ],
    },
    {
        "id": "yard",
        "resources": [
            {"id": "pile-1", "kind": "charger", "type": "ebike"},
            {"id": "pile-2", "kind": "charger", "type": "ebike"},
            {"id": "car-1", "kind": "charger", "type": "ev"},
            {"id": "bank-1", "kind": "locker", "capacity": 20},
            {"id": "bank-2", "kind": "locker"},
            {"id": "lot", "kind": "parking", "capacity": 8},
            {"id": "oven", "kind": "appliance", "type": "microwave"},
        ],
    },
]  # fmt: skip
STATION: dict[str, Any] = {
    "name": {"zh": "雁山驿站", "en": "Yanshan"},
    "region": ["广东", "江门", "鹤山"],
    "location": {"lat": 22.765, "lon": 112.9, "address": "人民路 1 号"},
    "hours": "Mo-Su 06:00-22:00",
}


class _Told:
    """A forecast that always says the same."""

    def remaining(self, _start: object, _now: int) -> Remaining:
        return Remaining(5 * MINUTE, 12 * MINUTE + 345, 40 * MINUTE)


def varied() -> House:
    """At 10 in the morning of a Monday, with a calendar; nobody has spoken yet."""
    house = House(areas=AREAS, **STATION)
    agenda = Agenda(
        [
            Activity(START - HOUR, START + 2 * HOUR, "chess", "象棋", reserves=True),
            Activity(START + 3 * HOUR, START + 4 * HOUR, "closed", "", reserves=False),
        ]
    )
    house.live.programme("yanshan", "room", agenda, house.now)
    told = cast("Forecast", _Told()), cast("FirstFree", _Told())
    house.live.stations["yanshan"].forecasts = {("charger", "ebike"): told, ("seat", None): told}
    return house


def lived(house: House) -> Iterator[Document]:
    """Its documents from before anybody spoke until long after all are silent."""
    yield made(house)
    house.now += 123
    house.say("seat-1", occupied=True)
    house.say("seat-2", occupied=False)
    house.say("door", occupied=False)
    house.say("aed", ready=True)
    house.say("hall", people=3)
    house.say("nook", people=4)
    house.say("bank-1", free=7, total=18)
    house.say("bank-2", free=2)
    house.say("lot", free=0)
    house.say("oven", power_w=900)
    house.say("pile-1", status="Charging")
    house.say("car-1", status="Available")
    yield made(house)
    house.wait(20_000)
    house.say("seat-2", occupied=True)
    house.say("pile-2", status="Charging", power_w=120)
    house.say("car-1", status="Faulted", error="GroundFailure")
    house.send("yz/yanshan/seat-1/state", "{")
    yield made(house)
    house.wait(2 * MINUTE)
    house.say("hall", people=0)
    house.send("yz/yanshan/door/availability", {"online": False})
    yield made(house)
    house.wait(2 * HOUR)
    house.say("seat-1", occupied=False)
    yield made(house)
    house.wait(12 * HOUR)
    house.say("seat-2", occupied=False)
    yield made(house)


def made(house: House) -> Document:
    return document(house.live.stations["yanshan"], house.now)
