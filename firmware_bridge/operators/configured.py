"""From a bus's settings to the bus of an operator's platform."""

import threading
from pathlib import Path
from urllib.parse import urlsplit

from config.schema.bridge import BusSettings
from firmware_bridge.bus import Sink
from firmware_bridge.ocpp.tls import server_context
from firmware_bridge.operators.book import WordBook
from firmware_bridge.operators.bus import OperatorBus, OperatorRules, Platform
from firmware_bridge.operators.listener import ListenAddress
from firmware_bridge.operators.ocpi.configured import OcpiRoot, ocpi_of
from firmware_bridge.operators.ocpi.handshake import OcpiParty
from firmware_bridge.operators.web import AskError, Web

USUAL_POLL_S = 60.0


def operator_of(bus: BusSettings, folder: Path, sink: Sink, stop: threading.Event) -> OperatorBus:
    """`folder` holds what is to be remembered. ValueError for files that can't be used."""
    web = Web(bus.port, stop)
    root = OcpiRoot(bus, web)
    book = WordBook(keys_of(bus), bus.stale_s * 1000)
    poll_s = bus.poll_s if "poll_s" in bus.model_fields_set else USUAL_POLL_S
    rules = OperatorRules(bus.id, web.host, poll_s, listen_of(bus))
    running = OperatorBus(rules, _platform(bus, folder, root, web), book, sink, stop)
    root.listener = running.listener
    return running


def _platform(bus: BusSettings, folder: Path, root: OcpiRoot, web: Web) -> Platform:
    """Only what is configured is imported."""
    if bus.protocol == "ocpi":
        return ocpi_of(bus, folder, root, web)
    from firmware_bridge.operators.tcec.configured import tcec_of

    return tcec_of(bus, web)


def fault_of(bus: BusSettings) -> str | None:
    """What is wrong with the files that the bus names, with the mend; None where they can be used."""
    try:
        listen_of(bus)
        if bus.protocol == "ocpi":
            OcpiParty(bus, lambda: None).invitation()
        else:
            from firmware_bridge.operators.tcec.configured import party_of

            party_of(bus)
    except (ValueError, AskError) as error:
        return str(error)
    return None


def keys_of(bus: BusSettings) -> dict[str, list[str]]:
    """The devices by what the operator calls them: the EVSE's uid, or the ConnectorID."""
    devices: dict[str, list[str]] = {}
    for device in bus.devices:
        key = device.evse if bus.protocol == "ocpi" else device.connector
        devices.setdefault(str(key), []).append(device.device)
    return devices


def listen_of(bus: BusSettings) -> ListenAddress | None:
    """Where the operator may tell us changes; None where he can't."""
    if bus.listen is None:
        return None
    here = urlsplit(bus.listen)
    tls = None
    if here.scheme == "https":
        if bus.cert_file is None or bus.key_file is None:
            raise ValueError(f"bridge.buses.{bus.id}: listen: https:// needs cert_file and key_file")
        tls = server_context(bus.cert_file, bus.key_file, None)
    port = here.port if here.port is not None else (443 if here.scheme == "https" else 80)
    return ListenAddress(here.hostname or "", port, here.path.rstrip("/"), tls)
