"""A full disk, a polite end, a thread that dies, a clock that jumps, a flood of nonsense: the whole process."""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.mqtt import Broker, Session
from tests.e2e.faults.box import ROOT, Box, Devices
from tests.patience import promptly, until

pytestmark = [pytest.mark.e2e, pytest.mark.broker]


@pytest.fixture
def box_of(tmp_path, mosquitto_of):
    """Start a box and its devices; everything ends with the test."""
    ends = []

    def start(seats=3, folder=tmp_path, **store):
        mosquitto = mosquitto_of()
        box = Box(folder, f"mqtt://127.0.0.1:{mosquitto.port}", seats, **store)
        devices = Devices(Broker("127.0.0.1", mosquitto.port), seats)
        ends.extend([box.kill, devices.close])
        box.start()
        return box, devices

    yield start
    for end in ends:
        end()


@pytest.fixture
def small_disk(tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(mount)], check=False).returncode:
        pytest.skip("mounting needs root")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def connected(box, devices):
    """The gateway listens: what is sent from now on arrives."""
    devices.tell("seat-0")
    devices.settle(60, again_s=0.5)


def fill(disk):
    """No byte is left, and none of the ballast's once it is given up."""
    with contextlib.suppress(OSError), (disk / "hog").open("ab") as file:  # the box may take the last bytes
        file.write(bytes(shutil.disk_usage(disk).free))


def until_full(box, devices, disk):
    """Devices speak on; the box has given up its ballast and stores no more."""
    for number in devices.publish(10_000, 300):
        if number % 50 == 0:
            fill(disk)
        if "nothing is acknowledged until it works again" in box.log_text():
            return


def test_a_full_disk_stops_nothing_but_the_acknowledgements_and_passes_by_itself(small_disk, box_of):
    box, devices = box_of(folder=small_disk)
    connected(box, devices)
    until_full(box, devices, small_disk)
    assert devices.waiting > 0
    assert box.process.poll() is None
    devices.listen(0.2)
    (small_disk / "hog").unlink()
    devices.settle(60, again_s=5)
    assert "store: works again" in box.log_text()
    assert box.stop() == 0
    stored = box.readings()
    assert set(stored) == devices.sent
    assert len(stored) == len(devices.sent)


def test_sigterm_ends_within_five_seconds_and_everything_covered_is_there(box_of):
    box, devices = box_of()
    connected(box, devices)
    for _ in devices.publish(300, 600):
        pass
    begin = time.monotonic()
    assert box.stop() == 0
    assert promptly(begin, 5)
    covered = {message for message in devices.sent if message[2] not in devices._held[message[0]]}
    assert covered <= set(box.readings())
    box.start()
    connected(box, devices)
    assert box.stop() == 0
    assert sorted(box.readings()) == sorted(devices.sent)


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [1, 100])
def test_an_overload_counts_readings_without_number_or_time_exactly(small_disk, box_of, kinds):
    """The broker marks all that it sent as sent again: what had come to us, and what we had left unread."""
    box, devices = box_of(folder=small_disk, gateway={"inbox_max_messages": 200})
    connected(box, devices)
    readings = [json.dumps({"occupied": True, "note": f"{kind} {'x' * 2_000}"}).encode() for kind in range(kinds)]
    until_full(box, devices, small_disk)
    box.process.send_signal(signal.SIGSTOP)
    confirmed = set()  # of what was said before, too
    devices.session.on_published = confirmed.add
    said = {devices.session.publish("yz/yanshan/seat-1/state", readings[number % kinds]) for number in range(1_000)}
    until(lambda: devices.listen(0.01) or said <= confirmed)
    box.process.send_signal(signal.SIGCONT)
    until(lambda: "leaving the broker" in box.log_text(), what="the overload being told")
    (small_disk / "hog").unlink()
    devices.tell("seat-0")
    devices.settle(60)
    assert box.stop() == 0
    assert len([row for row in box.exported() if row["boot"] is None]) == 1_000


@pytest.mark.slow
def test_sigterm_on_a_full_disk_ends_in_time_and_what_was_not_stored_comes_again(small_disk, box_of):
    box, devices = box_of(folder=small_disk)
    connected(box, devices)
    until_full(box, devices, small_disk)
    devices.listen(0.2)
    covered = {message for message in devices.sent if message[2] not in devices._held[message[0]]}
    assert box.stop(5.0) == 0
    (small_disk / "hog").unlink()
    stored = box.readings()
    assert covered <= set(stored) < devices.sent
    box.start()
    devices.settle(60, again_s=5)
    assert box.stop() == 0
    stored = box.readings()
    assert sorted(stored) == sorted(devices.sent)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("thread", "patch"),
    [
        ("intake", "import gateway.core.pipeline as m; m.Pipeline.tick = lambda *a: sys.exit(3)"),
        ("writer", "import gateway.store.sqlite as m; m.SqliteStore.tidy = lambda *a: sys.exit(3)"),
    ],
)
def test_a_thread_that_dies_ends_the_process_with_its_name_in_the_last_line(tmp_path, mosquitto_of, thread, patch):
    box = Box(tmp_path, f"mqtt://127.0.0.1:{mosquitto_of().port}", 1)
    code = f"import sys, api.cli; {patch}; sys.exit(api.cli.main(['gateway', '--config', {str(box.config)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert thread in done.stderr.decode().strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "messages", [20_000, pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_a_flood_of_nonsense_is_kept_aside_without_growth(box_of, messages):
    box, devices = box_of()
    connected(box, devices)
    chance = random.Random(7)
    publisher = Session(Broker("127.0.0.1", devices.session.broker.port), "vandal", keep=False)
    until(lambda: publisher.poll(0.02) or publisher.connected)
    confirmed = []
    publisher.on_published = confirmed.append
    early = 0
    for number in range(messages):
        publisher.publish(chance.choice(TOPICS), nonsense(chance))
        while number - len(confirmed) > 400:
            publisher.poll(0.01)
        if number == messages // 4:
            early = memory_kib(box)
    until(lambda: publisher.poll(0.02) or len(confirmed) == messages)
    publisher.close()
    connected(box, devices)
    assert memory_kib(box) < early + 60_000
    assert box.stop() == 0
    assert {("seat-0", "boot-0", seq) for seq in (1, 2)} <= set(box.readings())
    assert "Traceback" not in box.log_text()


TOPICS = [
    "yz/yanshan/seat-1/state",
    "yz/yanshan/seat-1/event",
    "yz/yanshan/seat-1/availability",
    "yz/a/b/state",
    "yz/x",
]
SEEDS = [b'{"occupied":true,"boot":"b","seq":1}', b'{"type":"card"}', b"offline", b'{"x":' + b"[" * 400, b"\xff\xfe"]


def nonsense(chance):
    """A good message with a few bytes changed, or noise."""
    body = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(1, 5)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body) if chance.random() < 0.9 else chance.randbytes(chance.randrange(60))


def memory_kib(box):
    status = Path(f"/proc/{box.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
