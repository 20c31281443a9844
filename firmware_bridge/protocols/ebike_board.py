"""Boards that switch and meter the sockets of an e-bike pile."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, ProbeQuestion, only_device, poll_ms


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ebike_board import EbikeBoard
    from firmware_bridge.polled import Polled

    device = only_device(bus)
    return Polled([(EbikeBoard(device.device), poll_ms(bus, device))], bus.timeout_ms, 50)


def questions() -> tuple[ProbeQuestion, ...]:
    from firmware_bridge.devices.ebike_board import PORT_STATES, REQUEST, build, scanner

    states = build(REQUEST, PORT_STATES, b"000001", b"\0")
    return (ProbeQuestion(9_600, states, lambda heard: len(scanner().feed(heard))),)


PROTOCOL = BusProtocol(talk, polled=True, questions=questions)
