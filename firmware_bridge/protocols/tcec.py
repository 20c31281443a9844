"""T/CEC 102 (中电联互联互通): the platform of who owns the piles is asked, and may tell changes. `port` is its base."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.operators.checks import check_platform
from firmware_bridge.protocols.base import BusProtocol, NotConfiguredError

SILENT_MS = 300_000


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    raise NotConfiguredError(f"bridge.buses.{bus.id}: tcec asks a platform: write its port like https://HOST/evcs/v1")


PROTOCOL = BusProtocol(talk, silent_ms=SILENT_MS, device_keys=("connector",), asks_platform=True, check=check_platform)
