"""From a bus's settings to its central system."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from config.files import read_secret
from config.schema.bridge import BusSettings, DeviceSettings
from firmware_bridge.bus import Sink
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import KEY_BYTES, AllowList, Cards, read_key
from firmware_bridge.ocpp.central import CentralRules, OcppBus
from firmware_bridge.ocpp.handshake import DoorRules
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.relay.desk import RelayMeans, RelayRules, RelayStore
from firmware_bridge.ocpp.relay.seal import Seal
from firmware_bridge.ocpp.schemas import SUBPROTOCOLS
from firmware_bridge.ocpp.service import ServiceStore
from firmware_bridge.ocpp.staff import StaffMeans
from firmware_bridge.ocpp.switchboard import Switchboard
from firmware_bridge.ocpp.tls import client_context, server_context
from firmware_bridge.ocpp.tokens import TokenDesk
from gateway.base.clock import now_ms


class PileStore(ServiceStore, RelayStore, Protocol):
    """The spool."""


@dataclass(frozen=True, slots=True)
class CentralParts:
    """What the files say that a bus names: with these it can be made, whatever becomes of the files."""

    bus: BusSettings
    rules: CentralRules
    cards: Cards | None
    allowed: AllowList | None
    relay: RelayMeans | None


def parts_of(bus: BusSettings, cards: Cards | None, allowed: AllowList | None) -> CentralParts:
    """`cards` and `allowed`: those of the box. ValueError for files that can't be used."""
    if bus.authorize == "list" and (allowed is None or cards is None):
        raise ValueError(f"bridge.buses.{bus.id}: authorize: list needs bridge.allow_list_file and card_key_file")
    return CentralParts(bus, rules_of(bus), cards, allowed if bus.authorize == "list" else None, _relay_of(bus))


def central_of(parts: CentralParts, sink: Sink, store: PileStore, calls: CallDesk, stop: threading.Event) -> OcppBus:
    """With staff's calls joined to it. SpoolError."""
    piles, rules = piles_of(parts.bus), parts.rules
    if parts.relay is not None:
        before = store.relayed_before(now_ms())
        rules = replace(rules, relay=RelayRules(parts.relay, before, store.relay_next))
    central = OcppBus(rules, piles, TokenDesk(parts.cards, parts.allowed, calls.key), sink, stop)
    switchboard = Switchboard(central, piles, store, calls, StaffMeans(calls.key, store.open_charge))
    central.on_presence, central.on_tick = switchboard.presence, switchboard.tick
    return central


def piles_of(bus: BusSettings) -> dict[str, ChargePoint]:
    """The charge points of a bus, each with its connectors."""
    plugs: dict[str, list[Plug]] = defaultdict(list)
    for device in bus.devices:
        evse = int(device.evse) if device.evse is not None else None
        plugs[device.charge_point or ""].append(Plug(device.device, evse, int(device.connector)))
    return {name: ChargePoint(name, tuple(connectors)) for name, connectors in plugs.items()}


def rules_of(bus: BusSettings) -> CentralRules:
    address = urlsplit(bus.port)
    tls = None
    if address.scheme == "wss":
        if bus.cert_file is None or bus.key_file is None:
            raise ValueError(f"bridge.buses.{bus.id}: wss:// needs cert_file and key_file")
        tls = server_context(bus.cert_file, bus.key_file, bus.client_ca_file)
    door = DoorRules(
        address.path.rstrip("/"),
        frozenset(device.charge_point or "" for device in bus.devices),
        {device.charge_point or "": _password(device) for device in bus.devices if device.password_file is not None},
        tuple(SUBPROTOCOLS),
        bus.client_ca_file is not None,
        bus.allow_unauthenticated or bus.on_loopback,
    )
    return CentralRules(bus.id, address.hostname or "", address.port or 0, door, tls, bus.heartbeat_s)


def _relay_of(bus: BusSettings) -> RelayMeans | None:
    """ValueError for files that can't be used."""
    if bus.upstream is None:
        return None
    if bus.relay_key_file is None:
        raise ValueError(f"bridge.buses.{bus.id}: upstream needs relay_key_file")
    read = partial(_relay_key, bus.relay_key_file)
    tls = client_context(bus.upstream_ca_file) if bus.upstream.startswith("wss://") else None
    return RelayMeans(bus.upstream, tls, Seal(read(), read), bus.allow_calls)


def _relay_key(path: Path) -> bytes:
    """ValueError."""
    key = read_key(path)
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path} has {len(key)} bytes and needs {KEY_BYTES}: openssl rand -hex 32 > FILE")
    return key


def _password(device: DeviceSettings) -> Callable[[], str]:
    path = device.password_file
    return lambda: read_secret(path, "password_file") if path is not None else ""
