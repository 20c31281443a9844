"""YKC (云快充) 1.5 and 1.6: piles dial in by TCP, `port: tcp://0.0.0.0:8767`, each by its number of 14 digits.

They beat every ten seconds.
"""

import re
from typing import Any

from config.checks import matching
from config.mistakes import KeyPath
from config.schema.bridge import BusSettings
from config.yaml_source import ConfigSource
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from firmware_bridge.protocols.base import BusProtocol, NotConfiguredError, devices_of

SILENT_MS = 45_000
DIGITS = 14


def talk(bus: BusSettings, _doors: Doors) -> Talk:
    from firmware_bridge.devices.ykc import Ykc

    places: dict[tuple[str, int], str] = {}
    for device in devices_of(bus):
        number, connector = (device.address or "").zfill(DIGITS), str(device.connector)
        where = f"bridge.buses.{bus.id}: {device.device}"
        if len(number) != DIGITS or not (number.isascii() and number.isdigit()):
            raise NotConfiguredError(f"{where}: address is the pile's number, up to {DIGITS} digits")
        if not (connector.isascii() and connector.isdigit() and 1 <= int(connector) <= 99):
            raise NotConfiguredError(f"{where}: connector is the number of a gun, 1 to 99")
        if places.setdefault((number, int(connector)), device.device) != device.device:
            raise NotConfiguredError(f"{where}: gun {connector} of {number} has a device already")
    return Ykc(places)


def check(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    """The same, told with file and line."""
    port = bus.get("port")
    if isinstance(port, str) and not re.fullmatch(r"tcp://[^/\s]+:[0-9]{1,5}", port):
        source.blame((*path, "port"), f"{port[:80]!r} is no address for piles to dial", "write tcp://0.0.0.0:8767")
    seen: dict[tuple[str, str], KeyPath] = {}
    for here, device in matching(bus, "devices.*", path):
        if not isinstance(device, dict) or device.get("address") is None:
            continue
        number, gun = str(device["address"]).zfill(DIGITS), str(device.get("connector", 1))
        if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", number):
            source.blame((*here, "address"), f"{number[:20]!r} is no pile's number", f"write up to {DIGITS} digits")
        if not re.fullmatch("0?[1-9]|[1-9][0-9]", gun):
            source.blame((*here, "connector"), f"{gun[:20]!r} is no number of a gun", "write a number from 1 to 99")
        if seen.setdefault((number, gun), here) != here:
            source.blame(here, f"gun {gun} of {number} has a device already", "write each once")


PROTOCOL = BusProtocol(talk, silent_ms=SILENT_MS, device_keys=("address",), check=check)
