"""What a bus must say for its protocol, told with file and line beside every other mistake of a configuration."""

from typing import Any

from config.checks import matching
from config.mistakes import KeyPath
from config.yaml_source import ConfigSource
from firmware_bridge.ocpp.checks import check_piles
from firmware_bridge.protocols import PROTOCOLS, protocol_of
from firmware_bridge.protocols.base import BusProtocol


def check(source: ConfigSource) -> None:
    """Adds to the source's mistakes. Protocols that nobody knows are left to the models."""
    for path, bridge in matching(source.data, "bridge"):
        buses = [
            (here, bus, protocol_of(bus["protocol"]))
            for here, bus in matching(bridge, "buses.*", path)
            if isinstance(bus, dict) and bus.get("protocol") in PROTOCOLS
        ]
        for here, bus, protocol in buses:
            _devices(source, here, bus, protocol)
            if protocol.dials_in:
                check_piles(source, here, bus, bridge)
            if protocol.check is not None:
                protocol.check(source, here, bus)
        readers = {bus["protocol"] for _, bus, protocol in buses if protocol.reads_cards}
        if readers and not bridge.get("card_key_file"):
            source.blame(path, f"card_key_file is missing for {', '.join(sorted(readers))}", "add card_key_file:")


def _devices(source: ConfigSource, path: KeyPath, bus: dict[str, Any], protocol: BusProtocol) -> None:
    if not protocol.names_devices and not bus.get("device") and not bus.get("devices"):
        source.blame(path, "names no device", "add device:, or devices: where several share the bus")
    for here, device in matching(bus, "devices.*", path):
        missing = [key for key in protocol.device_keys if isinstance(device, dict) and device.get(key) is None]
        for key in missing:
            source.blame(here, f"{key} is missing for a {bus['protocol']} device", f"add {key}:")
