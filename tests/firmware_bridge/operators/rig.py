"""A bus that asks a made-up operator over real sockets, over a real spool."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from config.schema.bridge import BusSettings
from firmware_bridge.operators.bus import OperatorBus
from firmware_bridge.operators.configured import operator_of
from firmware_bridge.operators.tcec.envelope import TcecKeys
from firmware_bridge.operators.tcec.line import TcecParty
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


PARTY = TcecParty("395815801", "operator-secret", TcecKeys(b"1234567890abcdef", b"fedcba0987654321", b"sig-secret"))


def tcec_settings(folder: Path, port: str, connectors: Sequence[str], **more: Any) -> dict[str, Any]:
    """Connector `x` is the device `pile-x`."""
    secrets = {
        "operator_secret_file": PARTY.operator_secret, "data_secret_file": PARTY.keys.data_secret.decode(),
        "data_secret_iv_file": PARTY.keys.data_iv.decode(), "sig_secret_file": PARTY.keys.sig_secret.decode(),
    }  # fmt: skip
    for name, text in secrets.items():
        if not (folder / name).exists():
            (folder / name).write_text(text + "\n")
    files = {name: str(folder / name) for name in secrets}
    return files | {
        "id": "op", "port": port, "protocol": "tcec", "operator_id": PARTY.operator_id, "poll_s": 0.2,
        "listen": f"http://127.0.0.1:{free_port()}/evcs/v1",
        "devices": [{"device": f"pile-{name}", "connector": name} for name in connectors],
    } | more  # fmt: skip


def status(sink: SpoolSink, device: str) -> Any:
    return sink.signals(device).get("status")
