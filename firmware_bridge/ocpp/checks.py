"""What a bus of piles must say, told with file and line. Imports nothing of the protocol itself."""

from typing import Any
from urllib.parse import urlsplit

from config.checks import matching
from config.mistakes import KeyPath
from config.schema.base import is_loopback
from config.yaml_source import ConfigSource


def check_piles(source: ConfigSource, path: KeyPath, bus: dict[str, Any], bridge: dict[str, Any]) -> None:
    """Adds to the source's mistakes. What has the wrong type is left to the models."""
    address = _address(source, path, bus)
    if address is None:
        return
    scheme, host = address
    if scheme == "wss":
        for key in ("cert_file", "key_file"):
            if not bus.get(key):
                source.blame(path, f"{key} is missing for wss://", f"add {key}:, or listen on ws:// behind loopback")
    if scheme == "ws" and bus.get("client_ca_file"):
        source.blame((*path, "client_ca_file"), "needs TLS", "write the port as wss://")
    if bus.get("authorize") == "list":
        for key in ("allow_list_file", "card_key_file"):
            if not bridge.get(key):
                source.blame((*path, "authorize"), f"list needs bridge.{key}", f"add {key}: to bridge:")
    _relay(source, path, bus)
    _passwords(source, path, bus, open_to_all=bool(bus.get("allow_unauthenticated")) or is_loopback(host))
    _connectors(source, path, bus)


def _address(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> tuple[str, str] | None:
    """(ws or wss, host); None where it is neither."""
    text, mend = bus.get("port"), "write it like ws://127.0.0.1:9000/ocpp or wss://0.0.0.0:9000/ocpp"
    if not isinstance(text, str):
        return None
    try:
        address = urlsplit(text)
        sound = address.scheme in ("ws", "wss") and bool(address.hostname) and address.port is not None
    except ValueError:
        sound = False
    if not sound:
        source.blame((*path, "port"), f"{text!r} is no address for piles to dial", mend)
        return None
    return address.scheme, address.hostname or ""


def _relay(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    """What an operator's address needs, and what needs one."""
    upstream = bus.get("upstream")
    if upstream is None:
        for key in ("upstream_ca_file", "relay_key_file", "allow_calls"):
            if bus.get(key):
                source.blame((*path, key), "is given without upstream", "add upstream: with the operator's address")
        return
    if not isinstance(upstream, str):
        return
    try:
        address = urlsplit(upstream)
        sound = address.scheme in ("ws", "wss") and bool(address.hostname) and not (address.query or address.fragment)
        sound = sound and address.username is None and address.port != 0
    except ValueError:
        sound = False
    if not sound:
        source.blame((*path, "upstream"), "is no address of a central system", "write it like wss://host/ocpp")
    elif address.scheme == "ws" and bus.get("upstream_ca_file"):
        source.blame((*path, "upstream_ca_file"), "needs TLS", "write upstream as wss://")
    if not bus.get("relay_key_file"):
        source.blame(path, "relay_key_file is missing for upstream", "openssl rand -hex 32 > FILE, and chmod 600 FILE")


def _passwords(source: ConfigSource, path: KeyPath, bus: dict[str, Any], *, open_to_all: bool) -> None:
    """One for each charge point, unless it need none."""
    first: dict[str, KeyPath] = {}
    names: dict[str, KeyPath] = {}
    for here, device in matching(bus, "devices.*", path):
        if not isinstance(device, dict) or not isinstance(name := device.get("charge_point"), str):
            continue
        names.setdefault(name, here)
        if device.get("password_file") and first.setdefault(name, here) != here:
            source.blame((*here, "password_file"), f"{name} has one already", "write it once for each charge point")
    if open_to_all or bus.get("client_ca_file"):
        return
    for name, here in names.items():
        if name not in first:
            source.blame(
                here,
                f"{name} has no password, and other machines can dial this port",
                "add password_file:, or allow_unauthenticated: true to the bus",
            )


def _connectors(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    seen: dict[tuple[object, ...], KeyPath] = {}
    for here, device in matching(bus, "devices.*", path):
        if not isinstance(device, dict):
            continue
        for key in ("connector", "evse"):
            number = device.get(key, 1)
            text = str(number) if isinstance(number, int | str) and not isinstance(number, bool) else "1"
            if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= 1000):
                source.blame((*here, key), f"{text[:20]!r} is no number of a pile's", "write a number from 1 to 1000")
        plug = (device.get("charge_point"), device.get("evse"), device.get("connector", 1))
        if seen.setdefault(plug, here) != here:
            source.blame(here, f"connector {plug[2]} of {plug[0]} has a device already", "give it another connector:")
