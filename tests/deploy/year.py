"""A year of a station box, as lines of `yizhan export`: some hundred thousand messages of what a rest station has."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.model import Millis

STATION = "yanshan"
KINDS = {"seat": 24, "charger": 10, "climate": 4, "door": 2}
BOARD = "hall-counter"


def areas() -> list[dict[str, Any]]:
    things = [
        {"id": f"{kind}-{number:02}", "kind": kind, "ttl": 7_200, **({"type": "ebike"} if kind == "charger" else {})}
        for kind, count in KINDS.items()
        for number in range(1, count + 1)
    ]
    return [{"id": "hall", "resources": [*things, {"id": BOARD, "kind": "counter", "ttl": 7_200}]}]


def messages(until: Millis, days: int, a_day: int = 24, seed: int = 7) -> Iterator[str]:
    """In order of arrival, the last a few minutes before `until`: `a_day` for each device, each day."""
    chance = Random(seed)
    devices = [(kind, f"{kind}-{number:02}") for kind, count in KINDS.items() for number in range(1, count + 1)]
    every_ms = DAY_MS // a_day
    begin = until - days * DAY_MS - HOUR_MS
    for turn in range(days * a_day):
        at = begin + turn * every_ms
        for place, (kind, device) in enumerate(devices):
            moment = at + place * 1_000
            line = {
                "station": STATION, "device": device, "kind": "state", "boot": "y", "seq": turn + 1,
                "ts": moment, "received_at": moment + 300, "data": _said(kind, chance, turn),
            }  # fmt: skip
            yield json.dumps(line)


def _said(kind: str, chance: Random, turn: int) -> dict[str, Any]:
    if kind == "seat":
        return {"occupied": chance.random() < 0.4}
    if kind == "charger":
        charging = chance.random() < 0.5
        return {"status": "charging" if charging else "free", "power_w": 180.0 if charging else 0.0, "energy_wh": turn}
    if kind == "climate":
        return {"temperature_c": round(20 + chance.random() * 6, 1), "humidity": round(40 + chance.random() * 20)}
    return {"open": chance.random() < 0.3}
