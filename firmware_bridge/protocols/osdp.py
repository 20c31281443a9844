"""OSDP v2 card readers on RS-485. Several share the line, each by its `unit`."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, devices_of, unit_of


def talk(bus: BusSettings, doors: Doors) -> Talk:
    from firmware_bridge.cards import read_key
    from firmware_bridge.devices.osdp import Osdp, OsdpUnit

    readers = [
        OsdpUnit(device.device, unit_of(bus, device), read_key(device.key_file) if device.key_file else None)
        for device in devices_of(bus)
    ]
    return Osdp(readers, doors)


def questions() -> tuple[ProbeQuestion, ...]:
    """Polls whoever listens to the broadcast address."""
    from firmware_bridge.devices.osdp_frames import build, is_reply, scanner

    return (ProbeQuestion(9_600, build(0x7F, 0x60), lambda heard: sum(map(is_reply, scanner().feed(heard)))),)


PROTOCOL = BusProtocol(talk, reads_cards=True, polled=True, questions=questions)
