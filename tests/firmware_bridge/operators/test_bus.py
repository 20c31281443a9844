"""What ends a bus that asks an operator."""

import threading
from pathlib import Path

import pytest

from config.schema.bridge import BusSettings
from firmware_bridge.operators.configured import operator_of
from gateway.model import InvariantError
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.firmware_bridge.operators.rig import ocpi_settings
from tests.patience import PATIENCE_S
from tests.ports import free_port


def test_what_ends_the_process_ends_the_bus_though_its_listener_goes_on(
    tmp_path: Path, sink: SpoolSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, raised = threading.Event(), list[BaseException]()
    settings = ocpi_settings(tmp_path, f"http://127.0.0.1:{free_port()}/versions", ["a"])
    bus = operator_of(BusSettings.model_validate(settings), tmp_path, sink, stop)

    def broken() -> None:
        raise InvariantError("a promise of ours")

    def run() -> None:
        try:
            bus.run()
        except InvariantError as error:
            raised.append(error)

    monkeypatch.setattr(bus, "_turn", broken)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    try:
        assert not thread.is_alive()
        assert [str(error) for error in raised] == ["a promise of ours"]
    finally:
        stop.set()
