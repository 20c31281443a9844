"""What the bus of an operator's platform must say, told with file and line. Imports nothing of the protocols."""

from typing import Any
from urllib.parse import urlsplit

from config.checks import matching
from config.mistakes import KeyPath
from config.schema.base import is_loopback
from config.yaml_source import ConfigSource

NEEDED = {
    "ocpi": ("token_file", "country_code", "party_id"),
    "tcec": ("operator_id", "operator_secret_file", "data_secret_file", "data_secret_iv_file", "sig_secret_file"),
}
NUMBERED_BY = {"ocpi": ("evse", "connector"), "tcec": ("connector",)}
EXAMPLES = {"ocpi": "https://operator.example/ocpi/versions", "tcec": "https://operator.example/evcs/v1"}


def check_platform(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    """Adds to the source's mistakes. What has the wrong type is left to the models."""
    name = bus["protocol"]
    for key in (key for key in NEEDED[name] if not bus.get(key)):
        source.blame(path, f"{key} is missing for {name}", f"add {key}:")
    _address(source, (*path, "port"), bus.get("port"), f"write it like {EXAMPLES[name]}")
    _listener(source, path, bus)
    _devices(source, path, bus)


def _address(source: ConfigSource, path: KeyPath, text: object, mend: str) -> None:
    """The platform's: with TLS, unless it is on this machine."""
    if not isinstance(text, str):
        return
    try:
        address = urlsplit(text)
        sound = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        sound = False
    if not sound:
        source.blame(path, f"{text[:80]!r} is no address of a platform", mend)
    elif address.scheme == "http" and not is_loopback(address.hostname or ""):
        source.blame(path, "http:// would send secrets in clear", "write https://, or go by a proxy on this machine")


def _listener(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    text = bus.get("listen")
    if not isinstance(text, str):
        return
    try:
        address = urlsplit(text)
    except ValueError:
        return
    if address.scheme == "https":
        for key in (key for key in ("cert_file", "key_file") if not bus.get(key)):
            source.blame(
                path, f"{key} is missing for listen: https://", f"add {key}:, or listen on http:// behind loopback"
            )
    elif address.scheme == "http" and not is_loopback(address.hostname or ""):
        mend = "write https:// with cert_file and key_file, or listen on loopback behind a proxy"
        source.blame((*path, "listen"), "http:// would take secrets in clear", mend)


def _devices(source: ConfigSource, path: KeyPath, bus: dict[str, Any]) -> None:
    keys = NUMBERED_BY[bus["protocol"]]
    seen: dict[tuple[str, ...], KeyPath] = {}
    for here, device in matching(bus, "devices.*", path):
        if not isinstance(device, dict) or device.get(keys[0]) is None:
            continue
        place = tuple(str(device.get(key, 1)) for key in keys)
        if seen.setdefault(place, here) != here:
            source.blame(here, f"{keys[0]} {place[0]} has a device already", "write each once")
