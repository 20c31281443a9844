"""From settings to running buses: our own address, files that can't be used, the demo's operators."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.commands.doctor_buses import serial_ports
from config.schema import Settings
from config.schema.bridge import Bridge
from firmware_bridge.buses import Buses
from firmware_bridge.calls import CallDesk
from firmware_bridge.door import Doors, Rules
from firmware_bridge.emulator.ocpp.park import bridge_section
from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator
from firmware_bridge.emulator.operators.park import POINTS, open_operated
from firmware_bridge.emulator.operators.world import OperatedPlugs
from firmware_bridge.presence import Presence
from gateway.base.clock import now_ms
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.firmware_bridge.operators.rig import OCPI_TOKEN, asking, ocpi_settings, status, tcec_settings
from tests.patience import until
from tests.ports import free_port


def test_the_operator_is_told_the_address_by_which_he_is_reached(tmp_path: Path, sink: SpoolSink) -> None:
    operator = VirtualOcpiOperator(OperatedPlugs(["E1"], now_ms(), speed=0), now_ms, OCPI_TOKEN)
    operator.start()
    port = free_port()
    try:
        settings = ocpi_settings(tmp_path, operator.versions_url, ["E1"], listen=f"http://0.0.0.0:{port}/ocpi")
        with asking(tmp_path, sink, settings):
            until(lambda: status(sink, "pile-E1") == "Available", "a word")
        assert operator.partner is not None
        assert operator.partner["url"] == f"http://127.0.0.1:{port}/ocpi/versions"
    finally:
        operator.end()


def findings(bus: dict[str, Any]) -> list[tuple[str, str]]:
    settings = Settings.model_validate({"bridge": {"station": "s", "buses": [bus]}, "stations": [{"id": "s"}]})
    return [(line.mark, line.text) for line in serial_ports(settings)]


def test_the_doctor_names_a_secret_that_can_not_be_used(tmp_path: Path) -> None:
    ocpi = ocpi_settings(tmp_path, "https://operator.example/ocpi/versions", ["E1"])
    tcec = tcec_settings(tmp_path, "https://operator.example/evcs/v1", ["C1"])
    well = [("ok", "operator.example is asked; the bridge's log tells whether it answers")]
    assert findings(ocpi) == findings(tcec) == well
    (tmp_path / "token").write_text("")
    (tmp_path / "data_secret_iv_file").write_text("too short")
    assert findings(ocpi)[0][0] == findings(tcec)[0][0] == "fail"
    assert "token_file" in findings(ocpi)[0][1]
    assert findings(tcec)[0][1].startswith("bridge.buses.op.data_secret_iv_file: AES-128 needs 16")


class _Sink(SpoolSink):
    """What buses stand on besides."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.presence, self.doors = Presence(), Doors(Rules())


def test_a_reload_with_a_certificate_that_is_none_changes_nothing(tmp_path: Path) -> None:
    sink, stop = _Sink(tmp_path / "spool"), threading.Event()
    desk = CallDesk("s", "box", lambda: b"k" * 64, lambda: None, sink.told.append)
    operator = VirtualOcpiOperator(OperatedPlugs(["E1"], now_ms(), speed=0), now_ms, OCPI_TOKEN)
    operator.start()
    (tmp_path / "pem").write_text("no certificate")
    settings = ocpi_settings(tmp_path, operator.versions_url, ["E1"])
    broken = settings | {
        "id": "other", "listen": "https://127.0.0.1:9443/ocpi", "cert_file": str(tmp_path / "pem"),
        "key_file": str(tmp_path / "pem"),
    }  # fmt: skip

    def bridge(*buses: dict[str, Any]) -> Bridge:
        return Bridge.model_validate({"station": "s", "spool": {"path": tmp_path / "kept"}, "buses": buses})

    buses = Buses(sink, desk, ZoneInfo("Asia/Shanghai"), stop)
    try:
        buses.begin(bridge(settings))
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        with pytest.raises(ValueError, match="can't be used together"):
            buses.follow(bridge(settings, broken))
        operator.plugs.set("E1", "Charging", now_ms())
        until(lambda: status(sink, "pile-E1") == "Charging", "the bus goes on")
    finally:
        stop.set()
        buses.end()
        operator.end()
        sink.spool.close()


def test_the_operators_of_the_demo_are_understood(tmp_path: Path, sink: SpoolSink) -> None:
    section = bridge_section(tmp_path)
    again = bridge_section(tmp_path)
    bridge, stop = Bridge.model_validate(section), threading.Event()
    assert [bus["id"] for bus in again["buses"]] == [bus.id for bus in bridge.buses]  # type: ignore[attr-defined]
    with ExitStack() as running:
        threads = open_operated(bridge, stop, 60.0, 1)
        try:
            for bus in (bus for bus in bridge.buses if bus.protocol in ("ocpi", "tcec")):
                running.enter_context(asking(tmp_path / bus.id, sink, bus.model_dump(exclude_unset=True)))
            until(lambda: status(sink, POINTS[0][0]) and status(sink, POINTS[1][0]), "both operators")
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
