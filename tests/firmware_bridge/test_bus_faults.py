"""Any function between a wire and the spool fails: the bus lives, and what the device was told is stored once."""

import logging
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.rig import bus
from tests.firmware_bridge.test_bus import Board, Spooled
from tests.gateway.faults import ERRORS, Fault
from tests.patience import until

FRAMES = 6
ROOMS = (
    "firmware_bridge/bus.py", "firmware_bridge/port.py", "firmware_bridge/door.py", "firmware_bridge/presence.py",
    "firmware_bridge/spool.py", "firmware_bridge/frames/", "firmware_bridge/devices/",
)  # fmt: skip
CALLS = 150  # the first is of the container itself


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware_bridge.bus.REOPEN_S", 0.01)


def check(folder: Path, seed: int) -> str:
    dice = random.Random(seed)
    folder = folder / str(seed)
    folder.mkdir()
    board, sink = Board("seat-01", limit=FRAMES), Spooled(folder)
    fault = Fault(ROOMS, dice.randint(2, CALLS), dice.choice(ERRORS))
    threading.settrace(fault)  # the bus's thread has it, and this one not
    with bus(folder, board, "yizhan", baud=115200, sink=sink):
        until(lambda: len(board.confirmed) == FRAMES)
    assert sink.stored("seat-01") == list(range(1, FRAMES + 1)), (seed, fault.raised)
    sink.spool.close()
    return fault.raised


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    yield
    threading.settrace(None)


def test_a_fault_on_a_bus_loses_and_doubles_no_frame(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, seed) for seed in range(8)}) > 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_thousand_faults_on_a_bus_lose_and_double_no_frame(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    assert len({check(tmp_path, seed) for seed in range(1_000, 2_000)}) > 20
