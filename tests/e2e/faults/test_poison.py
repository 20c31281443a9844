"""A message that ends the process, whatever of it, is found by the starts after it and costs itself."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.mqtt import Broker
from gateway.runtime.starts import GUILTY, PLAIN, read
from gateway.store.alerts_reader import AlertReader
from tests.conftest import KEEPING
from tests.e2e.faults.box import ROOT, Box, Devices
from tests.patience import until

# The judgement itself is tested in tests/gateway/runtime/test_starts.py.
pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.slow]
ENDS = PLAIN + GUILTY
Rig = tuple[Box, Devices]


@pytest.fixture
def rig(tmp_path: Path, mosquitto_of: Callable[..., Any]) -> Iterator[Rig]:
    mosquitto = mosquitto_of(*KEEPING)
    box = Box(
        tmp_path, f"mqtt://127.0.0.1:{mosquitto.port}", 4, gateway={"snapshot_interval_s": 3600},
    )  # fmt: skip
    devices = Devices(Broker("127.0.0.1", mosquitto.port), 4)
    until(lambda: devices.session.poll(0.05) or devices.session.subscribed)
    yield box, devices
    box.kill()
    devices.close()


def say(devices: Devices, count: int) -> None:
    for number in range(count):
        devices.tell(f"seat-{number % 4}")


def supervised(box: Box, devices: Devices) -> int:
    """Start it whenever it has ended, until all that was said is covered; how often it ended."""
    ends = 0

    def covered() -> bool:
        nonlocal ends
        devices.listen(0.05)
        assert box.process is not None
        if box.process.poll() is not None:
            ends += 1
            assert ends <= ENDS, box.log_text()
            box.start()
        return not devices.waiting

    until(covered)
    return ends


def quarantine(box: Box) -> list[str]:
    out = subprocess.run(
        [sys.executable, "-m", "api.cli", "export", "--config", str(box.config), "--quarantine"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return out.stdout.splitlines()


def is_told(box: Box) -> None:
    """By the log, doctor and an alert."""
    reader = AlertReader(box.data)
    until(lambda: [alert.station for alert in reader.alerts("open") if alert.kind == "internal_error"] == ["yanshan"])
    reader.close()
    out = subprocess.run(
        [sys.executable, "-m", "api.cli", "doctor", "--config", str(box.config)],
        cwd=ROOT, capture_output=True, check=False, text=True,
    ).stdout  # fmt: skip
    assert "! starts: 1 messages of yanshan ended the process and are set aside unseen" in out
    assert f"a message of yanshan was under way at {GUILTY} ends of the process" in box.log_text()


@pytest.mark.parametrize(
    ("how", "where"),
    [
        ("segfault", "handled"),
        ("kill", "stored"),
        ("invariant", "handled"),
    ],
)
def test_a_message_that_ends_the_process_is_set_aside_and_all_others_are_kept(rig: Rig, how: str, where: str) -> None:
    box, devices = rig
    box.module, box.words = "tests.e2e.faults.poisoned", (how, where)
    box.start()
    until(lambda: "connected to" in box.log_text())
    say(devices, 20)
    devices.tell("seat-1", firmware="poison")
    say(devices, 20)
    assert supervised(box, devices) == ENDS
    is_told(box)
    assert box.stop() == 0
    stored = box.readings()
    assert devices.sent - set(stored) == {("seat-1", "boot-0", 6)}
    assert len(stored) == len(set(stored)) == 40
    (line,) = quarantine(box)
    assert "internal_error" in line
    history = read(box.data)
    assert history is not None
    assert history.early == 0


def test_a_stored_message_that_ends_every_start_is_set_aside(rig: Rig) -> None:
    box, devices = rig
    box.start()
    until(lambda: "connected to" in box.log_text())
    say(devices, 20)
    devices.tell("seat-1", firmware="poison")
    say(devices, 20)
    assert supervised(box, devices) == 0
    box.kill()
    box.module, box.words = "tests.e2e.faults.poisoned", ("segfault", "handled")
    box.start()
    devices.tell("seat-2")
    assert supervised(box, devices) in (ENDS, ENDS - 1)  # the start that was killed above had not settled
    is_told(box)
    assert box.stop() == 0
    stored = box.readings()
    assert set(stored) == devices.sent
    assert len(quarantine(box)) == 1
