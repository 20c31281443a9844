"""AP3000 e-bike piles, on a line or dialling in by TCP; each frame has its pile's number.

They beat every few minutes.
"""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, devices_of

SILENT_MS = 8 * 60_000


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ap3000 import Ap3000

    return Ap3000({device.address or "": device.device for device in devices_of(bus)})


PROTOCOL = BusProtocol(talk, names_devices=True, silent_ms=SILENT_MS)
