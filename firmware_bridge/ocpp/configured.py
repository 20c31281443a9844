"""From a bus's settings to its central system."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from config.files import read_secret
from config.schema.bridge import Bridge, BusSettings, DeviceSettings
from firmware_bridge.bus import Sink
from firmware_bridge.calls import CallDesk
from firmware_bridge.cards import KEY_BYTES, Cards, read_allow_list, read_key
from firmware_bridge.ocpp.central import CentralRules, OcppBus
from firmware_bridge.ocpp.handshake import DoorRules
from firmware_bridge.ocpp.pile import ChargePoint, Plug
from firmware_bridge.ocpp.relay.desk import RelayRules, RelayStore
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


def central_of(
    bus: BusSettings,
    bridge: Bridge,
    cards: Cards | None,
    sink: Sink,
    store: PileStore,
    calls: CallDesk,
    stop: threading.Event,
) -> OcppBus:
    """With staff's calls joined to it. ValueError for files that can't be used."""
    allowed = None
    if bus.authorize == "list":
        if bridge.allow_list_file is None or cards is None:
            raise ValueError(f"bridge.buses.{bus.id}: authorize: list needs bridge.allow_list_file and card_key_file")
        allowed = read_allow_list(bridge.allow_list_file)
    piles = piles_of(bus)
    rules = replace(rules_of(bus), relay=_relay_of(bus, store))
    central = OcppBus(rules, piles, TokenDesk(cards, allowed, calls.key), sink, stop)
    switchboard = Switchboard(central, piles, store, calls, StaffMeans(calls.key, store.open_charge))
    central.on_presence, central.on_tick = switchboard.presence, switchboard.tick
    return central


def piles_of(bus: BusSettings) -> dict[str, ChargePoint]:
    """The charge points of a bus, each with its connectors."""
    plugs: dict[str, list[Plug]] = defaultdict(list)
    for device in bus.devices:
        evse = int(device.evse) if device.evse is not None else None
        plugs[device.charge_point or ""].append(Plug(device.device, evse, int(device.connector)))
    return {name: ChargePoint(name, tuple(found)) for name, found in plugs.items()}


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
    return CentralRules(bus.id, address.hostname or "", address.port or 0, door, tls)


def _relay_of(bus: BusSettings, store: RelayStore) -> RelayRules | None:
    """ValueError for files that can't be used; SpoolError."""
    if bus.upstream is None:
        return None
    if bus.relay_key_file is None:
        raise ValueError(f"bridge.buses.{bus.id}: upstream needs relay_key_file")
    key = read_key(bus.relay_key_file)
    if len(key) < KEY_BYTES:
        raise ValueError(
            f"{bus.relay_key_file} has {len(key)} bytes and needs {KEY_BYTES}: openssl rand -hex 32 > FILE"
        )
    tls = client_context(bus.upstream_ca_file) if bus.upstream.startswith("wss://") else None
    return RelayRules(
        bus.upstream, tls, Seal(key), store.relayed_before(now_ms()), store.relay_next, bus.allow_calls
    )  # fmt: skip


def _password(device: DeviceSettings) -> Callable[[], str]:
    path = device.password_file
    return lambda: read_secret(path, "password_file") if path is not None else ""
