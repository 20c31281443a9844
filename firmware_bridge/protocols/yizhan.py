"""Our own framing, level 1: lines of JSON with a check (docs/framing.md). Several devices may share the line."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.frames.line import LineReader, seal
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, device_ids


def talk(bus: BusSettings, doors: Doors) -> Talk:
    from firmware_bridge.devices.yizhan import YizhanLines

    return YizhanLines(frozenset(device_ids(bus)), doors)


def questions() -> tuple[ProbeQuestion, ...]:
    return (ProbeQuestion(115_200, seal(b'{"v":1,"poll":1}'), lambda heard: len(LineReader().feed(heard))),)


PROTOCOL = BusProtocol(talk, names_devices=True, questions=questions)
