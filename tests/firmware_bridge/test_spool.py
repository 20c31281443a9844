"""What is in the spool is on disk, leaves when it is covered, and makes room by the rules."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import FILE, SpoolError

MIB = 1 << 20


def state(device: str, n: int = 0) -> Heard:
    return Heard((DeviceReading(device, {"people": n}),), (device,))


def event(device: str) -> Heard:
    return Heard((DeviceReading(device, {}, "help"),), (device,))


def test_numbers_go_on_over_a_restart_and_the_boot_stays(tmp_path: Path) -> None:
    first = Spool(tmp_path, MIB)
    first.put([state("a", 1), state("b", 2), state("a", 3)], 10)
    boot = first.boot
    first.close()
    again = Spool(tmp_path, MIB)
    again.put([state("a", 4)], 20)
    assert again.boot == boot
    assert [(row.seq, row.ts, row.signals["people"]) for row in again.after("a", 0, 9)] == [
        (1, 10, 1),
        (2, 10, 3),
        (3, 20, 4),
    ]
    assert again.devices() == {"a": (1, 3), "b": (1, 1)}
    again.close()


def test_only_what_the_watermark_covers_leaves(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    spool.put([state("a", n) for n in range(5)], 0)
    assert spool.cover("a", "another boot", 5) == 0
    assert spool.cover("a", spool.boot, 3) == 3
    assert spool.oldest("a") == 4
    assert spool.cover("a", spool.boot, 99) == 2
    assert spool.oldest("a") is None
    spool.put([state("a")], 0)
    assert spool.oldest("a") == 6
    spool.close()


def test_a_frame_told_twice_is_stored_once_even_over_a_restart(tmp_path: Path) -> None:
    frame = Heard((DeviceReading("a", {"occupied": True}),), ("a",), b"ack", wire=("a", b"7/BEEF"))
    spool = Spool(tmp_path, MIB)
    spool.put([frame], 0)
    spool.close()
    spool = Spool(tmp_path, MIB)
    assert spool.put([frame], 1) == ()
    assert len(spool.after("a", 0, 9)) == 1
    spool.put([Heard(frame.readings, ("a",), b"ack", wire=("a", b"8/BEEF"))], 2)
    assert len(spool.after("a", 0, 9)) == 2
    spool.close()


def test_a_full_spool_drops_the_oldest_telemetry_and_counts_it_but_never_an_event(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 50_000)
    for at in range(0, 600, 10):
        spool.put([event("a"), *(state("a", people) for people in range(9))], at)
    held = spool.after("a", 0, 10_000)
    events = [row.seq for row in held if row.event]
    states = [row.seq for row in held if not row.event]
    assert len(events) == 60
    assert states == [seq for seq in range(states[0], 601) if (seq - 1) % 10]
    assert spool.lost() == {"a": 600 - len(held)}
    assert spool.dropped == 600 - len(held)
    spool.close()


def test_events_alone_may_go_beyond_the_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1_000)
    for at in range(50):
        spool.put([event("a")], at)
    assert len(spool.after("a", 0, 99)) == 50
    spool.close()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(0, 12)), max_size=40))
def test_what_is_held_is_always_what_was_put_less_what_is_covered(steps: list[tuple[str, bool, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), MIB)
        spool._db.execute("PRAGMA synchronous=OFF")  # this is about counting
        put, covered = {"a": 0, "b": 0}, {"a": 0, "b": 0}
        for device, is_put, number in steps:
            if is_put:
                spool.put([state(device, number)], 0)
                put[device] += 1
            else:
                upto = min(number, put[device])
                spool.cover(device, spool.boot, upto)
                covered[device] = max(covered[device], upto)
        for device in "ab":
            wanted = list(range(covered[device] + 1, put[device] + 1))
            assert [row.seq for row in spool.after(device, 0, 99)] == wanted
        spool.close()


def test_a_disk_that_refuses_stores_nothing_and_the_numbers_stay_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    spool.put([state("a")], 0)
    spool._db.execute("PRAGMA max_page_count=1")
    spool._db.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON held BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(SpoolError, match="disk full"):
        spool.put([state("a"), state("new")], 1)
    spool._db.execute("DROP TRIGGER full")
    spool._db.execute("PRAGMA max_page_count=100000")
    spool.put([state("a"), state("new")], 2)
    assert [row.seq for row in spool.after("a", 0, 9)] == [1, 2]
    assert [row.seq for row in spool.after("new", 0, 9)] == [1]
    spool.close()


def test_room_that_can_not_be_made_costs_nothing_that_was_put_and_is_made_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, 2_000)
    spool._db.execute(
        "CREATE TEMP TRIGGER stuck BEFORE UPDATE OF lost ON device BEGIN SELECT RAISE(ABORT, 'stuck'); END"
    )
    for at in range(40):
        spool.put([state("a", at)], at)
    assert [row.seq for row in spool.after("a", 0, 99)] == list(range(1, 41))
    assert spool.lost() == {}
    assert caplog.text.count("old readings can't be dropped: stuck") == 1
    spool._db.execute("DROP TRIGGER stuck")
    spool.put([state("a")], 40)
    held = len(spool.after("a", 0, 99))
    assert held < 20
    assert spool.lost() == {"a": 41 - held}
    spool.close()


def test_a_reading_that_can_not_be_written_as_json_costs_its_own_commit_only(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    with pytest.raises(TypeError):
        spool.put([state("a"), state("b"), Heard((DeviceReading("a", {"people": object()}),), ("a",))], 0)  # type: ignore[dict-item]
    spool.put([state("b", 7)], 1)
    assert spool.devices() == {"b": (1, 1)}
    spool.close()


def test_threads_put_at_once_and_no_number_is_given_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    threads = [threading.Thread(target=lambda: [spool.put([state("a")], 0) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.seq for row in spool.after("a", 0, 999)] == list(range(1, 101))
    spool.close()


def test_what_put_has_returned_for_survives_kill_9(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.firmware_bridge.test_spool import state\n"
        "from firmware_bridge.spool import Spool\nspool = Spool(Path(sys.argv[1]), 1 << 20)\nn = 0\n"
        "while True:\n    n += 1\n    spool.put([state('a', n)], n)\n    print(n, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(40)]
    os.kill(child.pid, signal.SIGKILL)
    told += [int(line) for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    child.wait()
    assert (tmp_path / FILE).exists()
    spool = Spool(tmp_path, MIB)
    held = [row.signals["people"] for row in spool.after("a", 0, 100_000)]
    spool.close()
    assert set(told) <= set(held)
    assert held == list(range(1, len(held) + 1))


@pytest.mark.parametrize("where", [0, 5_000])
def test_a_damaged_spool_is_put_aside_and_a_new_boot_begins(tmp_path: Path, where: int) -> None:
    spool = Spool(tmp_path, MIB)
    spool.put([state("a", n) for n in range(500)], 0)
    boot = spool.boot
    spool.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(where)
        file.write(b"\xa5" * 9_000)
    again = Spool(tmp_path, MIB)
    again.put([state("a")], 1)
    assert again.boot != boot
    assert [row.seq for row in again.after("a", 0, 9)] == [1]
    again.close()
    assert list(tmp_path.glob("*.damaged-*"))


def test_a_nonce_is_good_once_also_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    assert spool.first_use("abcdefgh", 100, 0)
    assert not spool.first_use("abcdefgh", 100, 1)
    spool.close()
    spool = Spool(tmp_path, MIB)
    assert not spool.first_use("abcdefgh", 100, 50)
    assert spool.first_use("abcdefgh", 300, 200)  # long expired: forgotten, and its command with it
    spool.close()
