"""From a bus's settings to the bus of an operator's platform."""

import threading
from pathlib import Path
from urllib.parse import urlsplit

from config.schema.bridge import BusSettings
from firmware_bridge.bus import Sink
from firmware_bridge.ocpp.tls import server_context
from firmware_bridge.operators.book import WordBook
from firmware_bridge.operators.bus import OperatorBus, OperatorRules
from firmware_bridge.operators.listener import ListenAddress
from firmware_bridge.operators.ocpi.configured import OcpiRoot, keys_of, ocpi_of
from firmware_bridge.operators.web import Web

USUAL_POLL_S = 60.0


def operator_of(bus: BusSettings, folder: Path, sink: Sink, stop: threading.Event) -> OperatorBus:
    """`folder` holds what is to be remembered. ValueError for files that can't be used."""
    web = Web(bus.port, stop)
    root = OcpiRoot(bus, web)
    book = WordBook(keys_of(bus), bus.stale_s * 1000)
    poll_s = bus.poll_s if "poll_s" in bus.model_fields_set else USUAL_POLL_S
    rules = OperatorRules(bus.id, web.host, poll_s, listen_of(bus))
    running = OperatorBus(rules, ocpi_of(bus, folder, root, web, stop), book, sink, stop)
    root.listener = running.listener
    return running


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
