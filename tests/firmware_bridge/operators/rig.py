"""A bus that asks a made-up operator over real sockets, over a real spool."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from config.schema.bridge import BusSettings
from firmware_bridge.operators.bus import OperatorBus
from firmware_bridge.operators.configured import operator_of
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.patience import until
from tests.ports import free_port

OCPI_TOKEN = "token-A-of-the-operator"


@contextlib.contextmanager
def asking(folder: Path, sink: SpoolSink, settings: dict[str, Any]) -> Iterator[OperatorBus]:
    """The bus, running."""
    stop = threading.Event()
    running = operator_of(BusSettings.model_validate(settings), folder, sink, stop)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        if running.listener is not None:
            until(lambda: running.listener and running.listener.bound, "listening")
        yield running
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def ocpi_settings(folder: Path, port: str, uids: Sequence[str], **more: Any) -> dict[str, Any]:
    """EVSE `x` is the device `pile-x`."""
    token = folder / "token"
    if not token.exists():
        token.write_text(OCPI_TOKEN + "\n")
    return {
        "id": "op", "port": port, "protocol": "ocpi", "token_file": str(token), "country_code": "CN",
        "party_id": "YZN", "listen": f"http://127.0.0.1:{free_port()}/ocpi", "poll_s": 0.2,
        "devices": [{"device": f"pile-{uid}", "evse": uid} for uid in uids],
    } | more  # fmt: skip


def status(sink: SpoolSink, device: str) -> Any:
    return sink.signals(device).get("status")
