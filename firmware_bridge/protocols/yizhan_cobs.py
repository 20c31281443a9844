"""Our own framing, level 2: binary packets (docs/framing.md). One board on the line."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.frames.packet import POLL, Packet, PacketReader, seal
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, devices_of, only_device


def talk(bus: BusSettings, doors: Doors) -> Talk:
    from firmware_bridge.devices.yizhan import YizhanPackets

    return YizhanPackets(only_device(bus).device if devices_of(bus) else None, doors)


def questions() -> tuple[ProbeQuestion, ...]:
    return (ProbeQuestion(115_200, seal(Packet(POLL, 0)), lambda heard: len(PacketReader().feed(heard))),)


PROTOCOL = BusProtocol(talk, names_devices=True, questions=questions)
