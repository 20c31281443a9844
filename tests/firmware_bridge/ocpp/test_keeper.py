"""What piles say is stored in common commits, and answered only then: whatever the disk or a fault of ours does."""

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.devices.base import Heard
from firmware_bridge.ocpp import keeper as keeper_in
from firmware_bridge.spool_file import SpoolError
from gateway.model import InvariantError
from tests.firmware_bridge.ocpp.rig import central, dial
from tests.patience import until

STATUS = {"connectorId": 1, "errorCode": "NoError"}


def test_a_full_disk_holds_the_answer_up_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_in, "STORE_AGAIN_S", 0.05)
    with central(tmp_path) as (_, sink, address), dial(address) as pile:
        put, full = sink.spool.put, threading.Event()
        full.set()

        def maybe(heard: Any, now: int) -> Any:
            if full.is_set():
                raise SpoolError("no space left")
            return put(heard, now)

        monkeypatch.setattr(sink.spool, "put", maybe)
        pile.say('[2,"a","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging"}]')
        with pytest.raises(TimeoutError):
            pile.line.recv(0.5)
        full.clear()
        assert pile.next() == [3, "a", {}]
        assert sink.signals("pile-1")["status"] == "Charging"


def test_a_fault_of_ours_over_one_message_costs_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with central(tmp_path) as (_, sink, address), dial(address) as pile:
        put = sink.spool.put

        def fails(heard: list[Heard], now: int) -> Any:
            if any(reading.signals.get("error") == "OtherError" for frame in heard for reading in frame.readings):
                raise KeyError("a fault of ours")
            return put(heard, now)

        monkeypatch.setattr(sink.spool, "put", fails)
        answer = pile.asked("StatusNotification", STATUS | {"status": "Faulted", "errorCode": "OtherError"})
        assert answer[:3] == [4, answer[1], "InternalError"]
        pile.call("StatusNotification", STATUS | {"status": "Available"})
        assert sink.signals("pile-1")["status"] == "Available"


def test_a_broken_promise_ends_the_bus_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: ended.append(told.exc_value))
    with central(tmp_path) as (_, sink, address), contextlib.suppress(Exception), dial(address) as pile:

        def breaks(_heard: Any, _now: int) -> Any:
            raise InvariantError("a promise of ours")

        monkeypatch.setattr(sink.spool, "put", breaks)
        pile.say('[2,"a","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging"}]')
        until(lambda: ended, "the thread has ended")
    assert isinstance(ended[0], InvariantError)
