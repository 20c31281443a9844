"""Another configuration: what can't be made leaves the piles that are there where they are."""

import threading
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.schema.bridge import Bridge
from firmware_bridge.buses import Buses
from firmware_bridge.calls import CallDesk
from firmware_bridge.door import Doors, Rules
from firmware_bridge.ocpp.central import OcppBus
from firmware_bridge.presence import Presence
from tests.firmware_bridge.ocpp.rig import TWO, SpoolSink, dial
from tests.patience import until


class BoxSink(SpoolSink):
    """What buses stand on besides."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.presence, self.doors = Presence(), Doors(Rules())


def bridge(folder: Path, **bus: Any) -> Bridge:
    settings = {"id": "piles", "port": "ws://127.0.0.1:0/ocpp", "protocol": "ocpp", "devices": TWO} | bus
    return Bridge.model_validate({"station": "s1", "spool": {"path": folder / "kept"}, "buses": [settings]})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"port": "wss://127.0.0.1:0/ocpp", "cert_file": "none.pem", "key_file": "none.key"}, "can't be used together"),
        ({"authorize": "list"}, "needs bridge.allow_list_file"),
        ({"upstream": "ws://127.0.0.1:9/x", "relay_key_file": "short.key"}, "needs 32"),
        ({"upstream": "wss://127.0.0.1:9/x", "relay_key_file": "right.key", "upstream_ca_file": "none.pem"},
         "upstream_ca_file .* can't be used"),
    ],
)  # fmt: skip
def test_a_reload_that_can_not_be_made_leaves_the_piles_connected(
    tmp_path: Path, change: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, digits in (("none.pem", "no certificate"), ("none.key", "none"), ("short.key", "ab"),
                         ("right.key", "ab" * 32)):  # fmt: skip
        path = tmp_path / name
        path.write_text(digits)
        path.chmod(0o600)
    sink, stop = BoxSink(tmp_path), threading.Event()
    desk = CallDesk("s1", "box", lambda: b"k" * 64, lambda: None, sink.told.append)
    buses = Buses(sink, desk, ZoneInfo("Asia/Shanghai"), stop)
    try:
        buses.begin(bridge(tmp_path))
        running = buses._running[0].runner
        assert isinstance(running, OcppBus)
        host, port = until(lambda: running.bound, "listening")
        with dial(f"ws://{host}:{port}/ocpp") as pile:
            pile.call("Heartbeat", {})
            with pytest.raises(ValueError, match=told):
                buses.follow(bridge(tmp_path, **change))
            assert "currentTime" in pile.call("Heartbeat", {})  # the same connection
            assert desk._there["CP001"]
    finally:
        stop.set()
        buses.end()
        sink.spool.close()
