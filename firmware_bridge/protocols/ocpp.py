"""OCPP 1.6J, 2.0.1 and 2.1: piles dial in by WebSocket, `port: ws://…` or `wss://…`, each by its own name."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, NotConfiguredError

SILENT_MS = 300_000


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    raise NotConfiguredError(f"bridge.buses.{bus.id}: ocpp listens: write its port like ws://0.0.0.0:9000/ocpp")


PROTOCOL = BusProtocol(talk, silent_ms=SILENT_MS, device_keys=("charge_point",), dials_in=True)
