"""The demo's car park: a real bridge that virtual piles dial, and that asks the operators of others."""

import threading
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal

from config.schema.bridge import Bridge
from firmware_bridge.emulator.operators.park import POINTS, free_ports, open_operated, operated_buses
from firmware_bridge.emulator.stations import NO_DEVICE
from gateway.base.clock import now_ms
from gateway.commands import CommandKey
from gateway.mqtt import Broker

STATION = "carpark"
PILES: Mapping[str, Literal["1.6", "2.0.1"]] = {"CP001": "1.6", "CP002": "2.0.1"}
PLUGS = 2


def park_station() -> dict[str, Any]:
    """A car park whose piles speak OCPP: one 1.6, one 2.0.1. Others belong to operators, and one speaks YKC."""
    names = [(number, f"car-{number:02d}") for number in range(1, len(PILES) * PLUGS + 1)]
    plugs = [
        {"id": name, "name": {"zh": f"{number} 号枪", "en": f"Connector {number}"}, "kind": "charger", "type": "ev",
         "features": [NO_DEVICE]}
        for number, name in names
    ]  # fmt: skip
    others = [
        {"id": name, "name": {"zh": zh, "en": en}, "kind": "charger", "type": "ev", "features": [NO_DEVICE]}
        for name, zh, en in POINTS
    ]
    return {
        "id": STATION,
        "name": {"zh": "充电停车场驿站", "en": "Car park with charging piles"},
        "region": ["广东", "深圳", "南山"],
        "location": {"lat": 22.541, "lon": 113.94, "address": "南山区"},
        "hours": "24/7",
        "areas": [{"id": "bays", "name": {"zh": "充电车位", "en": "Charging bays"}, "resources": plugs + others}],
    }


def bridge_section(folder: Path) -> dict[str, object]:
    """The `bridge:` of the demo, on a port of loopback that is free now."""
    (port,) = free_ports(1)
    devices = [
        {"device": f"car-{PLUGS * index + connector:02d}", "charge_point": name, "connector": connector}
        for index, name in enumerate(PILES)
        for connector in range(1, PLUGS + 1)
    ]
    bus = {"id": "piles", "port": f"ws://127.0.0.1:{port}/ocpp", "protocol": "ocpp", "devices": devices}
    return {
        "station": STATION,
        "id": "box-1",
        "spool": {"path": folder / "spool"},
        "buses": [bus, *operated_buses(folder / "operators")],
    }


def open_park(
    bridge: Bridge, broker: Broker, zone: tzinfo, key: CommandKey, stop: threading.Event, speed: float, seed: int
) -> list[threading.Thread]:
    """Bridge and piles on threads of their own, until `stop`; join them afterwards."""
    from firmware_bridge.emulator.ocpp.line import PileThread  # only now: the pages come first
    from firmware_bridge.emulator.ocpp.pile import VirtualPile
    from firmware_bridge.ocpp.reply import utc
    from firmware_bridge.runtime import run

    others = open_operated(bridge, stop, speed, seed)
    box = threading.Thread(
        target=run, args=(bridge, broker, f"yizhan-{bridge.station}-{bridge.id}", zone, stop, key), name="bridge"
    )
    box.start()
    piles = [
        PileThread(
            VirtualPile(name, PLUGS, lambda: utc(now_ms()), version=version, seed=seed, speed=speed),
            bridge.buses[0].port,
            stop,
        )
        for name, version in PILES.items()
    ]
    for pile in piles:
        pile.start()
    return [box, *piles, *others]
