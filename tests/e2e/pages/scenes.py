"""Stations as a script: what the availability documents say in each situation that a page must bear.

A unit is one letter: y free, n in use, u silent, f fault, m maintenance, c closed.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import cos, sin
from random import Random
from typing import Any

TTL_MS = 180_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Thing:
    id: str
    kind: str
    type: str | None
    state: str = "y"
    name: dict[str, str] | None = None
    programme: dict[str, Any] | None = None


@dataclass(frozen=True)
class Scene:
    """`areas` maps an area (id, Chinese, English) to its things. `age_ms` is how old the values are.

    `forecast` is when the next of a kind will be free: about, from and to, in minutes from when the document is made.
    """

    id: str
    zh: str = "雁山社区爱心驿站"
    en: str = "Yanshan rest station"
    areas: tuple[tuple[str, str, str, tuple[Thing, ...]], ...] = ()
    open: str = "yes"
    open_until_ms: int | None = None
    age_ms: int = 8_000
    lat: float = 22.765
    lon: float = 112.964
    region: tuple[str, ...] = ("广东", "江门", "鹤山")
    extra: dict[str, Any] = field(default_factory=dict)
    forecast: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    instruments: tuple[
        dict[str, Any], ...
    ] = ()  # of the first area: kind, type, alarm, values, and evidence if not live


def row(kind: str, kind_type: str | None, stem: str, states: str) -> tuple[Thing, ...]:
    return tuple(Thing(f"{stem}-{i:02d}", kind, kind_type, state) for i, state in enumerate(states, 1))


def house(
    name: str,
    seat: str = "ynyynnyynyny",
    ebike: str = "nynnynny",
    ev: str = "nn",
    phone: str = "yynyyy",
    things: str = "yynyyy",
    rooms: str = "nyn",
    activity_ms: int = HOUR_MS,
    **more: Any,
) -> Scene:
    """The station of the drawings: twelve seats, three sorts of piles, three rooms, six things."""
    microwave, water, massage, aed, door, kit = tuple(things)
    dance, music, brush = tuple(rooms)

    def room(key: str, zh: str, en: str, state: str, title: str) -> tuple[str, str, str, tuple[Thing, ...]]:
        busy = {"now": {"title": {"zh": title}, "until_ms": activity_ms}} if state == "n" else None
        free = {"next": {"title": {"zh": "合唱团", "en": "Choir"}, "from_ms": 4 * HOUR_MS}} if state == "y" else None
        return (key, zh, en, (Thing(key, "room", None, state, programme=busy or free),))

    lounge = (
        *row("seat", None, "seat", seat),
        *row("charger", "phone", "phone", phone),
        Thing("microwave", "appliance", "microwave", microwave),
        Thing("water", "appliance", "water", water),
        Thing("massage", "appliance", "massage", massage),
    )
    yard = (
        *row("charger", "ebike", "pile", ebike),
        *row("charger", "ev", "ev", ev),
        Thing("door-main", "door", None, door),
    )
    hall = (Thing("aed", "safety", "aed", aed), Thing("kit", "safety", "first_aid", kit))
    areas = (
        ("lounge", "休息区", "Lounge", lounge),
        ("yard", "院子", "Yard", yard),
        ("hall", "门厅", "Hall", hall),
        room("dance", "舞蹈室", "Dance room", dance, "少儿舞蹈"),
        room("music", "音乐室", "Music room", music, "合唱"),
        room("brush", "书画室", "Calligraphy", brush, "书画课"),
    )
    return Scene(name, areas=areas, **more)


def of(name: str, areas: tuple[tuple[Thing, ...], ...], **more: Any) -> Scene:
    return Scene(
        name, areas=tuple((f"a{i}", f"{i} 区", f"Area {i}", things) for i, things in enumerate(areas, 1)), **more
    )


WAITS = {
    "seat": (24, 11.5, 47),
    "charger:ebike": (52, 4, 83),
    "charger:ev": (130, 66, 247),
    "charger:phone": (13, 0, 28),
    "appliance:massage": (6, 2, 11),
}


AIR = (
    {
        "id": "air",
        "kind": "climate",
        "values": {"temperature_c": 22.54, "humidity_pct": 48, "co2_ppm": 612, "pm25_ugm3": 9},
    },
    {"id": "old-air", "kind": "climate", "evidence": "stale", "values": {}},
    {"id": "gate", "kind": "counter"},
)
SMOKE = {
    "id": "smoke",
    "kind": "hazard",
    "type": "smoke",
    "alarm": True,
    "name": {"zh": "灶台上方", "en": "Over the stove"},
}
LEAK = {"id": "leak", "kind": "hazard", "type": "leak", "alarm": True}


def _named(kind: str, sort: str | None, names: str, states: str) -> tuple[Thing, ...]:
    pairs = enumerate(zip(names.split(), states, strict=True), 1)
    return tuple(Thing(f"{kind}-{i}", kind, sort, state, {"zh": name}) for i, (name, state) in pairs)


TWELVE = (
    Thing("aed", "safety", "aed", "y"),
    Thing("kit", "safety", "first_aid", "u"),
    *row("appliance", "microwave", "oven", "ynf"),
    *row("appliance", "water", "water", "yy"),
    *_named("appliance", "other", "洗衣机 烘干机 咖啡机 自动售货机", "ynuy"),
    Thing("massage", "appliance", "massage", "n"),
)


def scenes() -> dict[str, Scene]:
    sixty = "ynyynnyynynyunynyynnynyuynnyfnyynynnyynyyynnynnyynuyncyynynn"
    normal = house("yanshan")
    made = [
        normal,
        house("half", "ynuynnuunyun", "nyuunyun", "uu", "yynyyy", "uyfuyy", "nun"),
        house("silent", "u" * 12, "u" * 8, "uu", "u" * 6, "u" * 6, "uuu", age_ms=900_000),
        house("closed", "c" * 12, "nynnynny", "ny", "c" * 6, "ccccyc", "ccc", open="no", open_until_ms=18 * HOUR_MS),
        house("brief", activity_ms=4_000),
        house("air", instruments=AIR),
        house("smoke", instruments=(*AIR, SMOKE)),
        house("flooded", instruments=(SMOKE | {"alarm": False, "values": {"test": True}}, LEAK)),
        house("burns", instruments=(SMOKE, LEAK, SMOKE | {"id": "gas", "type": "gas"})),
        house("plan", "ynuynnyunyfn"),
        house("full", "n" * 12, "n" * 8, "nn", "n" * 6, "nnnyyy", "nnn", forecast=WAITS),
        house("soon", "n" * 12, "nnnn", "un", "nnnf", forecast=dict.fromkeys(WAITS, (0.02, 0.01, 0.1))),
        house("seats60", sixty, "ynynyynnynynyynnnnyy", "ynyn", "yynyyyynnyyn"),
        of(
            "chargers",
            (row("charger", "ebike", "pile", "ynnyfnyynnuy"), row("charger", "ev", "ev", "nyyn")),
            zh="北门充电棚",
            en="North gate charging shed",
        ),
        of("onlyseats", (row("seat", None, "seat", "yynnyn"),), zh="桥头歇脚点", en="Bridge stop"),
        of(
            "rooms",
            (
                tuple(
                    Thing(f"room-{i}", "room", None, "ynu"[i % 3], {"zh": f"活动室 {i}", "en": f"Room {i}"})
                    for i in range(1, 15)
                ),
            ),
            zh="文化活动中心",
            en="Community hall",
        ),
        of(
            "mixed",
            (
                (
                    *row("seat", None, "seat", "ynyn"),
                    *row("charger", "ebike", "pile", "yn"),
                    *row("charger", "ev", "ev", "y"),
                    *row("charger", "phone", "phone", "yny"),
                    *row("locker", None, "locker", "y"),
                    *row("parking", None, "bay", "y"),
                    Thing("door-1", "door", None),
                    Thing("aed", "safety", "aed", "f"),
                ),
            ),
            zh="深圳市南山区粤海街道科技园社区党群服务中心爱心驿站（二期）",
            en="Yuehai subdistrict Science Park community service centre rest station, phase two",
        ),
        of("two", (row("seat", None, "seat", "yn"),), zh="桥头歇脚点", en="Bridge stop"),
        of("forty", (row("seat", None, "seat", "ynyynfynun" * 4),), zh="大食堂", en="Canteen"),
        of("forty-and-piles", (row("seat", None, "seat", "ynyynfynun" * 4), row("charger", "ebike", "pile", "yfnn"))),
        of("five-rooms", (_named("room", None, "舞蹈室 音乐室 书画室 阅览室 多功能厅", "ynynu"),)),
        of("appliances", (TWELVE,), zh="便民服务点", en="Service point"),
        of("seats-and-twelve", (row("seat", None, "seat", "ynyynn"), TWELVE)),
        house("repair", "m" * 12, "m" * 8, "mm", "m" * 6, "m" * 6, "mmm"),
        house("faults", "yfyynnyynyny", "nffnynfy", "ff"),
        of(
            "ten",
            (
                *(
                    row(*columns)
                    for columns in (("seat", None, "seat", "nnnnynnn"), ("charger", "ebike", "pile", "unny"))
                ),
                *(row(*columns) for columns in (("charger", "phone", "phone", "yn"), ("locker", None, "locker", "y"))),
                TWELVE[:10],
            ),
        ),
        of("empty", (), zh="筹建中的驿站", en="Station to come"),
    ]
    return {scene.id: scene for scene in made}


def crowd(count: int, parts: int = 5) -> dict[str, Scene]:
    """Many small stations in so many regions (five, or ten), from one fixed seed, some of them in trouble."""
    chance = Random(20261121)
    regions = ("城东片区", "城西片区", "南部片区", "北部片区", "西南片区")
    centres = ((22.770, 113.050), (22.775, 112.860), (22.672, 112.985), (22.850, 112.960), (22.668, 112.800))
    made = {}
    for i in range(count):
        where, busy = i % 5, 0.3 + 0.55 * chance.random()
        seats = "".join("n" if chance.random() < busy else "y" for _ in range(chance.choice((8, 10, 12, 16))))
        piles = "".join("n" if chance.random() < busy else "y" for _ in range(chance.choice((4, 6, 8))))
        cars, phones = "yn"[: chance.choice((0, 0, 2))], "yyny"[: chance.choice((3, 4))]
        trouble = {3: "u", 7: "c", 22: "f", 31: "half"}.get(i % 43)
        if trouble in ("u", "c"):
            seats, piles, cars, phones = (trouble * len(states) for states in (seats, piles, cars, phones))
        elif trouble == "half":
            seats = seats[:3] + "u" * (len(seats) - 3)
        things = (
            *row("seat", None, "seat", seats),
            *row("charger", "ebike", "pile", piles),
            *row("charger", "ev", "ev", cars),
            *row("charger", "phone", "phone", phones),
            *((Thing("aed", "safety", "aed", "f"),) if trouble == "f" else ()),
        )
        angle, far = chance.random() * 6.283, chance.random() ** 0.5 * 0.035
        shut = trouble == "c"
        scene = of(f"s{i:04d}", (things,), zh=_name(i), en=f"Station {i + 1}")
        made[scene.id] = replace(
            scene,
            lat=centres[where][0] + sin(angle) * far,
            lon=centres[where][1] + cos(angle) * far * 1.6,
            region=("广东", "江门", regions[where] if i % parts < 5 else f"{regions[where]}外"),
            age_ms=5_000 + int(chance.random() * 30_000),
            open="no" if shut else "yes",
            open_until_ms=HOUR_MS * 9 if shut else None,
        )
    return made


def _name(i: int) -> str:
    return f"{'雁中文越楼坡汇南新东'[i % 10]}{'山华塘冲源洞鹤升桥田'[(i // 10 + i) % 10]}{i // 100 or ''}驿站"


_SEAT = '<rect data-resource="seat-{:02d}" x="{}" y="{}" width="22" height="30" rx="9"/>'
PLAN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 180" onload="alert(1)"><script>alert(2)</script>'
    '<rect x="4" y="4" width="192" height="172"/><path d="M4 120h70M110 120h86"/>'
    '<text x="16" y="168" font-size="10">院子</text>'
    + "".join(_SEAT.format(i, 16 + (i - 1) % 6 * 29, 20 + (i - 1) // 6 * 48) for i in range(1, 13))
    + "</svg>"
)

AXES = {
    "y": ("yes", [], "ok", "open", "free", "live"),
    "n": ("no", ["occupied"], "ok", "open", "occupied", "live"),
    "u": ("unknown", ["stale"], "ok", "open", "occupied", "stale"),
    "f": ("no", ["fault"], "fault", "open", "free", "live"),
    "m": ("no", ["maintenance"], "maintenance", "open", "free", "live"),
    "c": ("no", ["closed"], "ok", "closed", "free", "live"),
}


def stamp(ms: int | None) -> str | None:
    return (
        None
        if ms is None
        else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def document(scene: Scene, now_ms: int, ttl_ms: int = TTL_MS, whole: bool = True) -> dict[str, Any]:
    """The availability document of the contract, section 4, for a scene at a moment."""
    observed = now_ms - min(scene.age_ms, ttl_ms // 4)
    areas: list[dict[str, Any]] = [
        {
            "id": key,
            "name": {"zh": zh, "en": en},
            "resources": [_resource(thing, now_ms, observed, ttl_ms) for thing in things],
            "instruments": [_instrument(told, observed, ttl_ms) for told in scene.instruments] if at == 0 else [],
        }
        for at, (key, zh, en, things) in enumerate(scene.areas)
    ]
    resources = [resource for area in areas for resource in area["resources"]]
    live = [resource["valid_until"] for resource in resources if resource["evidence"] == "live"]
    until = None if scene.open_until_ms is None else now_ms + scene.open_until_ms
    return {
        "station": scene.id, "name": {"zh": scene.zh, "en": scene.en}, "as_of": stamp(now_ms),
        "valid_until": min(live) if live else stamp(now_ms),
        "open": {"now": scene.open, "until": stamp(until)},
        "summary": [_with_forecast(line, scene, now_ms) for line in _summary(resources)],
        **({"areas": areas} if whole else {}), **scene.extra,
    }  # fmt: skip


def _with_forecast(line: dict[str, Any], scene: Scene, now_ms: int) -> dict[str, Any]:
    """As the gateway does it: a forecast only where all of the kind is taken for certain."""
    told = scene.forecast.get(":".join(filter(None, (line["kind"], line["type"]))))
    if told is None or line["usable_max"]:
        return line
    times = (stamp(now_ms + int(minutes * 60_000)) for minutes in told)
    return line | {"next_free": dict(zip(("at", "from", "to"), times, strict=True))}


def _instrument(told: dict[str, Any], observed: int, ttl_ms: int) -> dict[str, Any]:
    usual = {"type": None, "health": "ok", "evidence": "live", "by": "sensor", "alarm": None, "values": {}}
    return usual | told | {"observed_at": stamp(observed), "valid_until": stamp(observed + ttl_ms)}


def _resource(thing: Thing, now_ms: int, observed: int, ttl_ms: int) -> dict[str, Any]:
    usable, because, health, access, use, evidence = AXES[thing.state]
    seen = now_ms - 24 * 60_000 if thing.state == "u" else observed
    resource: dict[str, Any] = {
        "id": thing.id, "kind": thing.kind, "type": thing.type, "usable": usable, "because": because,
        "lifecycle": "active", "health": health, "access": access, "use": use, "evidence": evidence,
        "observed_at": stamp(seen), "valid_until": stamp(seen + ttl_ms), "since": stamp(seen - 600_000),
    }  # fmt: skip
    if thing.name:
        resource["name"] = thing.name
    if thing.kind in ("locker", "parking"):
        resource |= {"free": 5, "total": 12}
    if thing.programme:
        resource["programme"] = {
            slot: {
                "title": entry["title"],
                **{key[:-3]: stamp(now_ms + value) for key, value in entry.items() if key.endswith("_ms")},
            }
            for slot, entry in thing.programme.items()
        }
    return resource


def _summary(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines: dict[tuple[str, str | None], dict[str, Any]] = {}
    for resource in resources:
        key = (resource["kind"], resource["type"])
        units = 12 if resource["kind"] in ("locker", "parking") else 1
        line = lines.setdefault(key, {"kind": key[0], "type": key[1], "total": 0, "usable_min": 0, "usable_max": 0})
        line["total"] += units
        line["usable_min"] += (5 if units > 1 else 1) if resource["usable"] == "yes" else 0
        line["usable_max"] += (5 if units > 1 else 1) if resource["usable"] != "no" else 0
    return list(lines.values())
