"""Radar LD2410: one or several people before it."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, only_device


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ld2410 import Ld2410

    return Ld2410(only_device(bus).device)


def questions() -> tuple[ProbeQuestion, ...]:
    from firmware_bridge.devices.ld2410 import scanner

    return (ProbeQuestion(256_000, b"", lambda heard: len(scanner().feed(heard))),)


PROTOCOL = BusProtocol(talk, questions=questions)
