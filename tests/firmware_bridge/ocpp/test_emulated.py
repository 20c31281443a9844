"""Virtual piles of both versions against the real central system, in a world that runs fast."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_bridge.calls import CallAnswer, Ordered
from firmware_bridge.emulator.ocpp.line import PileThread
from firmware_bridge.emulator.ocpp.pile import PileVersion, VirtualPile
from firmware_bridge.ocpp.central import OcppBus
from firmware_bridge.ocpp.reply import utc
from gateway.base.clock import now_ms
from tests.firmware_bridge.ocpp.rig import SpoolSink, central
from tests.patience import until


@contextmanager
def running(address: str, version: PileVersion, speed: float) -> Iterator[VirtualPile]:
    stop = threading.Event()
    pile = VirtualPile("CP001", 2, lambda: utc(now_ms()), version=version, speed=speed)
    thread = PileThread(pile, address, stop)
    thread.start()
    try:
        yield pile
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def ask(bus: OcppBus, sink: SpoolSink, **order: object) -> CallAnswer:
    """Through the desk, as a command would."""
    heard: list[CallAnswer] = []
    (caller,) = sink.desk._callers
    caller.carry_out(Ordered(**order), heard.append)  # type: ignore[arg-type]
    until(lambda: heard, "the answer")
    return heard[0]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_fast_day_of_a_virtual_pile_is_told_in_the_words_of_the_product(tmp_path: Path, version: PileVersion) -> None:
    with central(tmp_path) as (_, sink, address), running(address, version, 2_000):
        until(lambda: len(sink.transactions("pile-1")) > 2 and len(sink.transactions("pile-2")) > 2, "cars come and go")
        for device in ("pile-1", "pile-2"):
            started = [charge["transaction"] for charge in sink.transactions(device, "started")]
            ended = [charge["transaction"] for charge in sink.transactions(device)]
            assert len(started) == len(set(started))
            assert ended == started[: len(ended)]
            for told in sink.transactions(device):
                assert told["energy_wh"] == told["meter_stop"] - told["meter_start"] >= 0
            statuses = {reading.signals["status"] for reading in sink.held(device) if "status" in reading.signals}
            assert statuses >= {"Available", "Charging"}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_staff_start_and_stop_reset_and_take_out_of_service(tmp_path: Path, version: PileVersion) -> None:
    with central(tmp_path) as (bus, sink, address), running(address, version, 0.001):
        until(lambda: sink.signals("pile-2").get("status") == "Available", "it is there")
        for deed in ("reset", "unlock"):
            assert ask(bus, sink, do=deed, device="pile-2")["result"]["status"] in ("Accepted", "Unlocked")
        assert ask(bus, sink, do="stop", device="pile-2")["trouble"] == "senseless"
        assert ask(bus, sink, do="start", device="pile-2") == {"result": {"status": "Accepted"}}
        until(lambda: sink.signals("pile-2")["status"] == "Charging", "it charges")
        until(lambda: sink.spool.open_charge("pile-2"), "its transaction is kept")
        assert ask(bus, sink, do="stop", device="pile-2") == {"result": {"status": "Accepted"}}
        until(lambda: sink.transactions("pile-2"), "it has ended")
        until_ms = now_ms() + 3_600_000
        assert ask(bus, sink, do="out_of_service", device="pile-1", until=until_ms)["result"]["status"] == "Accepted"
        until(lambda: sink.signals("pile-1")["status"] == "Unavailable", "it is out of service")
        assert sink.spool.out_of_service() == {"pile-1": until_ms}
        assert ask(bus, sink, do="in_service", device="pile-1")["result"]["status"] == "Accepted"
        until(lambda: sink.signals("pile-1")["status"] == "Available", "it serves again")
        assert sink.spool.out_of_service() == {}


def test_a_pile_that_was_away_is_taken_out_when_it_is_back_and_put_back_in_time(tmp_path: Path) -> None:
    with central(tmp_path) as (bus, sink, address):
        soon = now_ms() + 4_000
        assert ask(bus, sink, do="out_of_service", device="pile-1", until=soon)["trouble"] == "not_connected"
        with running(address, "1.6", 0.001):
            until(lambda: sink.signals("pile-1").get("status") == "Unavailable", "it is told")
            until(lambda: sink.signals("pile-1")["status"] == "Available", "and told that it may serve again")
            until(lambda: sink.spool.out_of_service() == {}, "its answer strikes it off")
