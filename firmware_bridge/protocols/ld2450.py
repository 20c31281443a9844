"""Radar LD2450: up to three targets with their places."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, only_device


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ld2450 import Ld2450

    return Ld2450(only_device(bus).device)


def questions() -> tuple[ProbeQuestion, ...]:
    from firmware_bridge.devices.ld2450 import scanner

    return (ProbeQuestion(256_000, b"", lambda heard: len(scanner().feed(heard))),)


PROTOCOL = BusProtocol(talk, questions=questions)
