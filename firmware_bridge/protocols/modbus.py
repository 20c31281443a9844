"""Modbus RTU: whatever has a register map (firmware_bridge/maps). Several units share the line."""

from config.schema.bridge import BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.frames.checks import crc16_modbus
from firmware_bridge.protocols.base import BusProtocol, NotConfiguredError, ProbeQuestion, devices_of, poll_ms, unit_of


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.modbus import ModbusSlave
    from firmware_bridge.devices.modbus_map import load_map
    from firmware_bridge.polled import Polled

    slaves, gap_ms = [], 0
    for device in devices_of(bus):
        if device.map is None:
            raise NotConfiguredError(f"bridge.buses.{bus.id}: {device.device} has no `map`: name its register map")
        registers = load_map(device.map)
        gap_ms = max(gap_ms, registers.gap_ms)
        slaves.append((ModbusSlave(device.device, unit_of(bus, device), registers), poll_ms(bus, device)))
    return Polled(slaves, bus.timeout_ms, gap_ms)


def questions() -> tuple[ProbeQuestion, ...]:
    """Reads one register of unit 1."""

    def count(heard: bytes) -> int:
        ends = range(5, len(heard) + 1)
        return any(heard[0] == 1 and heard[1] & 0x7F == 3 and crc16_modbus(heard[:end]) == 0 for end in ends)

    return (ProbeQuestion(9_600, bytes.fromhex("010300000001840A"), count),)


PROTOCOL = BusProtocol(talk, polled=True, device_keys=("unit", "map"), questions=questions)
