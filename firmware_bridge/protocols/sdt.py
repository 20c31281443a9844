"""Readers of identity cards that speak SDT (SAM_V): whether somebody's card lies there, never whose."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, only_device, poll_ms


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.sdt import IdReader
    from firmware_bridge.polled import Polled

    device = only_device(bus)
    return Polled([(IdReader(device.device), poll_ms(bus, device))], max(bus.timeout_ms, 2_000), 50)


def questions() -> tuple[ProbeQuestion, ...]:
    from firmware_bridge.devices.sdt import FIND, is_reply, scanner

    return (ProbeQuestion(115_200, FIND, lambda heard: sum(map(is_reply, scanner().feed(heard)))),)


PROTOCOL = BusProtocol(talk, polled=True, questions=questions)
