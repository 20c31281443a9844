"""The demo's stations: invented rest stations at real places, as the configuration's `stations` section."""

import csv
from functools import cache
from importlib.resources import files
from math import cos, hypot, radians
from random import Random
from typing import Any, NamedTuple

from firmware_bridge.emulator.things import CHAINED

NO_DEVICE = "no_device"
"""A feature of what the emulator has no device for: people alone speak of it."""

Mapping = dict[str, Any]

MAX_STATIONS = 2_000

LANDMARKS = (
    ("社区", "Community"), ("公园", "Park"), ("市场", "Market"), ("地铁口", "Metro"), ("文体中心", "Culture Centre"),
    ("工业园", "Industrial Park"), ("广场", "Plaza"), ("图书馆", "Library"), ("创业园", "Start-up Park"),
    ("党群中心", "Service Centre"), ("口岸", "Harbour"), ("医院", "Hospital"),
)  # fmt: skip

ROOMS = (("dance", "舞蹈室", "Dance room", 20), ("music", "音乐室", "Music room", 12),
         ("calligraphy", "书法室", "Calligraphy room", 16))  # fmt: skip

YANSHAN: Mapping = {"id": "yanshan", "name": {"zh": "雁山社区爱心驿站", "en": "Yanshan rest station"}}


class Size(NamedTuple):
    """How many of each a station has. `full` ones also have rooms, massage, lockers and parking."""

    seats: int
    ebike: int
    ev: int
    phone: int
    full: bool


YANSHAN_SIZE = Size(seats=12, ebike=8, ev=2, phone=6, full=True)


def demo_stations(count: int = 4, seed: int = 0) -> list[Mapping]:
    """The `stations` section for `count` stations (1 to 2,000), the first always Yanshan; same seed, same stations.

    They stand where real charging stations of Shenzhen stand (data/README.md); beyond those, a street away from one.
    ValueError for a count out of range.
    """
    if not 1 <= count <= MAX_STATIONS:
        raise ValueError(f"{count} stations asked for; the demo has 1 to {MAX_STATIONS}")
    rng = Random(seed)  # noqa: S311
    stations: list[Mapping] = []
    names_taken: dict[str, int] = {}
    points = _rows("shenzhen_stations.csv")
    for index in range(count):
        row, lap = points[index % len(points)], index // len(points)
        lat, lon = round(float(row["lat"]) + 0.004 * lap, 4), round(float(row["lon"]) + 0.003 * lap, 4)
        if index == 0:
            place = _named(lat, lon, {}) | YANSHAN
            stations.append(place | {"hours": "24/7", "areas": _areas(YANSHAN_SIZE)})
            continue
        station = _named(lat, lon, names_taken)
        hours = "24/7" if index < 4 or rng.random() < 0.8 else "Mo-Su 07:00-23:00"
        stations.append(station | {"hours": hours, "areas": _areas(_size(rng))})
    return stations


def locked_station() -> Mapping:
    """A station that says it is always open, and whose door is chained: what the demo shows of a promise not kept."""
    yard = [
        _thing("door-main", "大门", "Main door", kind="door", features=[CHAINED]),
        _thing("aed", "自动除颤器", "AED", kind="safety", type="aed"),
    ]
    return {
        "id": "chained",
        "name": {"zh": "锁链驿站", "en": "Chained rest station"},
        "region": ["广东", "深圳", "南山"],
        "location": {"lat": 22.533, "lon": 113.93, "address": "南山区"},
        "hours": "24/7",
        "areas": [_area("hall", "门厅", "Hall", yard)],
    }


def shared_station() -> Mapping:
    """A tea house that lends its tables to couriers: no device at all, a caretaker and a code on the wall."""
    things = [
        _thing("microwave", "微波炉", "Microwave", kind="appliance", type="microwave", features=[NO_DEVICE]),
        _thing("water", "饮水机", "Drinking water", kind="appliance", type="water", features=[NO_DEVICE]),
        _thing("first-aid", "急救箱", "First-aid kit", kind="safety", type="first_aid", features=[NO_DEVICE]),
    ]
    return {
        "id": "teahouse",
        "name": {"zh": "老街茶馆（友好商户）", "en": "Old Street tea house"},
        "region": ["广东", "深圳", "罗湖"],
        "location": {"lat": 22.547, "lon": 114.119, "address": "罗湖区老街"},
        "hours": "24/7",
        "areas": [_area("hall", "大堂", "Hall", things)],
        "checks": [
            {"id": "kitchen", "of": ["microwave", "water"], "every": "day"}
            | {"ask": {"zh": "能加热、能接水吗？", "en": "Do both work?"}},
            {"id": "door", "every": "day", "entry": True, "ask": {"zh": "能进门吗？", "en": "Can one come in?"}},
            {
                "id": "kit",
                "of": ["first-aid"],
                "every": "week",
                "ask": {"zh": "急救箱齐全吗？", "en": "Is it complete?"},
            },
        ],
    }


def _size(rng: Random) -> Size:
    return Size(rng.choice((8, 10, 12, 16)), rng.choice((4, 6, 8, 8, 10)), rng.choice((0, 0, 2, 2, 4)),
                rng.choice((4, 6, 6, 8)), rng.random() < 0.4)  # fmt: skip


@cache
def _rows(name: str) -> list[dict[str, str]]:
    text = (files(__package__) / "data" / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _named(lat: float, lon: float, names_taken: dict[str, int]) -> Mapping:
    """Identity, name, region and location, after the nearest neighbourhood."""
    place = min(
        _rows("shenzhen_places.csv"),
        key=lambda row: hypot(float(row["lat"]) - lat, (float(row["lon"]) - lon) * cos(radians(lat))),
    )
    number = names_taken[place["en"]] = names_taken.get(place["en"], 0) + 1
    lap, which = divmod(number - 1, len(LANDMARKS))
    zh, en = LANDMARKS[which]
    slug = place["en"].lower().replace("'", "")
    return {
        "id": slug if number == 1 else f"{slug}-{number}",
        "name": {
            "zh": f"{place['zh']}{zh}{f'第{lap + 1}' if lap else ''}驿站",
            "en": f"{place['en']} {en}{f' {lap + 1}' if lap else ''} rest station",
        },
        "region": ["广东", "深圳", place["district_zh"]],
        "location": {"lat": lat, "lon": lon, "address": f"{place['district_zh']}区{place['zh']}{zh}"},
    }


def _many(prefix: str, count: int, **fields: object) -> list[Mapping]:
    return [{"id": f"{prefix}-{number:02d}", **fields} for number in range(1, count + 1)]


def _areas(size: Size) -> list[Mapping]:
    lounge = [
        *_many("seat", size.seats, kind="seat"),
        *_many("phone", size.phone, kind="charger", type="phone"),
        _thing("microwave", "微波炉", "Microwave", kind="appliance", type="microwave"),
        _thing("water", "饮水机", "Drinking water", kind="appliance", type="water"),
    ]
    yard = [*_many("pile", size.ebike, kind="charger", type="ebike"), *_many("ev", size.ev, kind="charger", type="ev")]
    hall = [
        _thing("door-main", "大门", "Main door", kind="door", features=["reader"]),
        _thing("aed", "自动除颤器", "AED", kind="safety", type="aed"),
        _thing("first-aid", "急救箱", "First-aid kit", kind="safety", type="first_aid"),
    ]
    areas = [
        _area("lounge", "休息区", "Lounge", lounge),
        _area("yard", "充电区", "Yard", yard),
        _area("hall", "门厅", "Hall", hall),
    ]
    if size.full:
        lounge += [
            _thing("smoke", "烟雾报警", "Smoke detector", kind="hazard", type="smoke"),
            _thing("climate", "室内环境", "Climate", kind="climate"),
            _thing("medicine", "常用药品", "Medicine", kind="supply", type="medicine"),
        ]
        hall.append(_thing("counter", "客流计数", "People counter", kind="counter"))
        lounge.append(_thing("massage", "按摩椅", "Massage chair", kind="appliance", type="massage"))
        yard.append(_thing("parking", "停车位", "Parking", kind="parking", capacity=2 * size.ebike))
        hall.append(_thing("lockers", "储物柜", "Lockers", kind="locker", capacity=2 * size.seats))
        rooms = [_thing(id_, zh, en, kind="room", capacity=people) for id_, zh, en, people in ROOMS]
        areas.append(_area("rooms", "活动室", "Rooms", rooms))
    return areas


def _area(id_: str, zh: str, en: str, resources: list[Mapping]) -> Mapping:
    return {"id": id_, "name": {"zh": zh, "en": en}, "resources": resources}


def _thing(id_: str, zh: str, en: str, **fields: object) -> Mapping:
    return {"id": id_, "name": {"zh": zh, "en": en}, **fields}
