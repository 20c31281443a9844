"""Every protocol of a bus: one line each. Only the asked-for one is imported, with the library it needs."""

from collections.abc import Callable

from config.schema.bridge import Bus, Device
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors, Rules

POLL_FASTEST_MS = 334


class NotConfiguredError(ValueError):
    """The bus lacks something; the text names its place in the configuration and the mend."""


def build(bus: Bus, doors: Doors) -> Talk:
    """The talk for one bus. NotConfiguredError, and ValueError of maps and keys."""
    return _TALKS[bus.protocol](bus, doors)


def introduce(bus: Bus, rules: Rules, doors: Doors) -> None:
    """Tell the doors which devices this bus has, and by which rules."""
    for one in _devices(bus):
        doors.know(one.device, rules, one.direction or bus.direction)


def uses_cards(protocol: str) -> bool:
    return protocol in ("wiegand", "serial-card", "osdp")


def device_ids(bus: Bus) -> tuple[str, ...]:
    return tuple(one.device for one in _devices(bus))


def _devices(bus: Bus) -> tuple[Device, ...]:
    return bus.devices or ((Device(device=bus.device),) if bus.device else ())


def _one(bus: Bus) -> str:
    devices = _devices(bus)
    if len(devices) != 1:
        raise NotConfiguredError(f"bridge.buses.{bus.id}: {bus.protocol} speaks for one device: name it in `device`")
    return devices[0].device


def _poll_ms(bus: Bus, device: Device) -> int:
    return max(POLL_FASTEST_MS, round((device.poll_s or bus.poll_s) * 1000))


def _unit(bus: Bus, device: Device) -> int:
    if device.unit is None and len(_devices(bus)) == 1:
        return 1
    if device.unit is None:
        raise NotConfiguredError(f"bridge.buses.{bus.id}: {device.device} has no `unit`: write its address on the bus")
    return device.unit


def _yizhan(bus: Bus, doors: Doors) -> Talk:
    from firmware_bridge.devices.yizhan import YizhanLines

    return YizhanLines(frozenset(device_ids(bus)), doors)


def _yizhan_cobs(bus: Bus, doors: Doors) -> Talk:
    from firmware_bridge.devices.yizhan import YizhanPackets

    return YizhanPackets(_one(bus) if _devices(bus) else None, doors)


def _ld2410(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ld2410 import Ld2410

    return Ld2410(_one(bus))


def _ld2450(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ld2450 import Ld2450

    return Ld2450(_one(bus))


def _modbus(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.modbus import ModbusSlave
    from firmware_bridge.devices.modbus_map import load_map
    from firmware_bridge.polled import Polled

    slaves, gap_ms = [], 0
    for device in _devices(bus):
        if device.map is None:
            raise NotConfiguredError(f"bridge.buses.{bus.id}: {device.device} has no `map`: name its register map")
        found = load_map(device.map)
        gap_ms = max(gap_ms, found.gap_ms)
        slaves.append((ModbusSlave(device.device, _unit(bus, device), found), _poll_ms(bus, device)))
    return Polled(slaves, bus.timeout_ms, gap_ms)


def _dlt645(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.dlt645 import ANYBODY, Meter
    from firmware_bridge.polled import Polled

    devices = _devices(bus)
    if len(devices) > 1 and not all(one.address for one in devices):
        raise NotConfiguredError(f"bridge.buses.{bus.id}: each of several meters needs its `address` of 12 digits")
    meters = [(Meter(one.device, one.address or ANYBODY), _poll_ms(bus, one)) for one in devices]
    return Polled(meters, max(bus.timeout_ms, 600), 50)


def _osdp(bus: Bus, doors: Doors) -> Talk:
    from firmware_bridge.cards import read_key
    from firmware_bridge.devices.osdp import Osdp, Reader

    return Osdp(
        [
            Reader(one.device, _unit(bus, one), read_key(one.key_file) if one.key_file else None)
            for one in _devices(bus)
        ],
        doors,
    )


def _cards(bus: Bus, doors: Doors) -> Talk:
    from firmware_bridge.devices.readers import CardReader

    device = _one(bus)
    return CardReader(device, doors[device])


def _sdt(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.sdt import IdReader
    from firmware_bridge.polled import Polled

    device = (_devices(bus) or (Device(device=_one(bus)),))[0]
    return Polled([(IdReader(_one(bus)), _poll_ms(bus, device))], max(bus.timeout_ms, 2_000), 50)


def _ebike_board(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ebike_board import EbikeBoard
    from firmware_bridge.polled import Polled

    return Polled([(EbikeBoard(_one(bus)), _poll_ms(bus, _devices(bus)[0]))], bus.timeout_ms, 50)


def _ap3000(bus: Bus, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ap3000 import Ap3000

    return Ap3000({one.address or "": one.device for one in _devices(bus)})


_TALKS: dict[str, Callable[[Bus, Doors], Talk]] = {
    "yizhan": _yizhan,
    "yizhan-cobs": _yizhan_cobs,
    "ld2410": _ld2410,
    "ld2450": _ld2450,
    "modbus": _modbus,
    "dlt645": _dlt645,
    "osdp": _osdp,
    "wiegand": _cards,
    "serial-card": _cards,
    "sdt": _sdt,
    "ebike-board": _ebike_board,
    "ap3000": _ap3000,
}
