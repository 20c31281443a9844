"""What a protocol is to the bridge before a byte is spoken, and what protocols ask of a bus's configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.mistakes import KeyPath
from config.schema.bridge import BusSettings, DeviceSettings
from config.yaml_source import ConfigSource
from firmware_bridge.devices.base import Talk
from firmware_bridge.door import Doors
from gateway.model import Millis

POLL_FASTEST_MS = 334
PUSH_SILENT_MS = 95_000  # our framing beats every 30 s, radars far faster


class NotConfiguredError(ValueError):
    """The bus lacks something; the text names its place in the configuration and the mend."""


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """How `yizhan bridge --probe` recognizes a protocol: at which speed, what to ask (empty: only listen), and how many
    answers `count` finds in what was heard. A question changes nothing at a device."""

    baud: int
    ask: bytes
    count: Callable[[bytes], int]
    parity: str = "none"


@dataclass(frozen=True, slots=True)
class BusProtocol:
    """`talk` makes its side of the conversation; it may raise NotConfiguredError, and ValueError of maps and keys.

    `names_devices`: its frames say whose they are, so a bus need not name its devices. `reads_cards`: it needs
    `card_key_file`. `polled`: devices speak when asked, so one is offline after three polls; else after `silent_ms`.
    `dials_in`: its devices dial in by WebSocket, many on one loop, and no talk is made. `asks_platform`: the platform
    of the devices' operator speaks for them, and no talk is made either. `device_keys` are what each of several devices
    must say; `check` tells what else is wrong with a bus. `questions` are for the probe, made when it asks.
    """

    talk: Callable[[BusSettings, Doors], Talk]
    names_devices: bool = False
    reads_cards: bool = False
    polled: bool = False
    silent_ms: Millis = PUSH_SILENT_MS
    dials_in: bool = False
    asks_platform: bool = False
    device_keys: tuple[str, ...] = ()
    check: Callable[[ConfigSource, KeyPath, dict[str, Any]], None] | None = None
    questions: Callable[[], tuple[ProbeQuestion, ...]] = tuple


def devices_of(bus: BusSettings) -> tuple[DeviceSettings, ...]:
    """The devices that the bus names."""
    return bus.devices or ((DeviceSettings(device=bus.device),) if bus.device else ())


def device_ids(bus: BusSettings) -> tuple[str, ...]:
    return tuple(device.device for device in devices_of(bus))


def only_device(bus: BusSettings) -> DeviceSettings:
    """The one device of a bus that can have no other."""
    devices = devices_of(bus)
    if len(devices) != 1:
        raise NotConfiguredError(f"bridge.buses.{bus.id}: {bus.protocol} speaks for one device: name it in `device`")
    return devices[0]


def poll_ms(bus: BusSettings, device: DeviceSettings) -> Millis:
    """How often the device is asked."""
    return max(POLL_FASTEST_MS, round((device.poll_s or bus.poll_s) * 1000))


def unit_of(bus: BusSettings, device: DeviceSettings) -> int:
    """Its address on the bus; 1 where it is alone and has none."""
    if device.unit is None and len(devices_of(bus)) == 1:
        return 1
    if device.unit is None:
        raise NotConfiguredError(f"bridge.buses.{bus.id}: {device.device} has no `unit`: write its address on the bus")
    return device.unit
