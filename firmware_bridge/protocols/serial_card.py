"""Card readers that write a line, or STX … ETX, for each card."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, only_device


def talk(bus: BusSettings, doors: Doors) -> Talk:
    from firmware_bridge.devices.readers import CardReader

    device = only_device(bus).device
    return CardReader(device, doors[device])


PROTOCOL = BusProtocol(talk, reads_cards=True)
