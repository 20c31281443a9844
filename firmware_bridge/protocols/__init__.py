"""The protocols of a bus, one file each: a file here is a protocol. Only those that are configured are imported.

A file has `PROTOCOL`, a BusProtocol. To add one, copy `_template.py`; `python -m config.schema_json` afterwards tells
editors of it.
"""

from importlib import import_module

from config.modules import module_of, names_in
from config.schema.bridge import Bridge, BusSettings
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors, Rules
from firmware_bridge.protocols.base import BusProtocol, device_ids, devices_of
from gateway.model import Millis

__all__ = ["PROTOCOLS", "build", "device_ids", "introduce", "protocol_of", "silent_ms_of"]

PROTOCOLS = names_in("firmware_bridge/protocols")


def protocol_of(name: str) -> BusProtocol:
    """KeyError for a word that is no protocol."""
    if name not in PROTOCOLS:
        raise KeyError(name)
    protocol: BusProtocol = import_module(f"{__name__}.{module_of(name)}").PROTOCOL
    return protocol


def build(bus: BusSettings, doors: Doors) -> Talk:
    """The talk for one bus. NotConfiguredError, and ValueError of maps and keys."""
    return protocol_of(bus.protocol).talk(bus, doors)


def introduce(bus: BusSettings, rules: Rules, doors: Doors) -> None:
    """Tell the doors which devices this bus has, and by which rules."""
    for device in devices_of(bus):
        doors.know(device.device, rules, device.direction or bus.direction)


def silent_ms_of(bus: BusSettings, bridge: Bridge) -> Millis:
    """How long a device of this bus may say nothing before it is offline."""
    if bridge.silent_s:
        return round(bridge.silent_s * 1000)
    protocol = protocol_of(bus.protocol)
    if not protocol.polled:
        return protocol.silent_ms
    slowest_s = max((device.poll_s or bus.poll_s for device in bus.devices), default=bus.poll_s)
    return max(3_000, round(slowest_s * 3000))
