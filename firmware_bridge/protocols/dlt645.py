"""DL/T 645 electricity meters. Several share the line, each by its address of 12 digits."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, NotConfiguredError, ProbeQuestion, devices_of, poll_ms


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.dlt645 import ANYBODY, PolledMeter
    from firmware_bridge.polled import Polled

    devices = devices_of(bus)
    if len(devices) > 1 and not all(device.address for device in devices):
        raise NotConfiguredError(f"bridge.buses.{bus.id}: each of several meters needs its `address` of 12 digits")
    meters = [(PolledMeter(device.device, device.address or ANYBODY), poll_ms(bus, device)) for device in devices]
    return Polled(meters, max(bus.timeout_ms, 600), 50)


def questions() -> tuple[ProbeQuestion, ...]:
    """Asks whoever is there for its address, with even parity as the standard has it, then with none."""
    from firmware_bridge.devices.dlt645 import ANYBODY, READ_ADDRESS, WAKE, build, scanner

    who = WAKE + build(ANYBODY, READ_ADDRESS)

    def count(heard: bytes) -> int:
        return len(scanner().feed(heard))

    return ProbeQuestion(2_400, who, count, "even"), ProbeQuestion(2_400, who, count)


PROTOCOL = BusProtocol(talk, polled=True, questions=questions)
