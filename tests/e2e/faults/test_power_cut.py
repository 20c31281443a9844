"""A power cut or a kill at any moment: what the store acknowledged is there, and it starts. With fewer flushes a cut
loses, or this would prove nothing.

The journal is the product's own class over two days: commits, checkpoints of the live state, sealing, midnight, an end
and a start. What it left is opened by the same class with the usual SQLite.
"""

import json
import random
import tempfile
from pathlib import Path

import pytest

from gateway.store.sqlite import SD_CARD_SYNC_MS, SqliteStore
from tests.e2e.faults.disk import recorded
from tests.gateway.store.world import DAY, HOUR, NOON, TAKEN, batch, change, messages, refused

COMMITS_A_DAY = 40


def two_days(folder, monkeypatch, profile, step_ms=1):
    """Work the store; the record, and after each commit how long it was, which seq is safe, and the time."""
    with monkeypatch.context() as patch:
        record, safe = recorded(patch), [(0, 0, NOON)]
        seq = 0
        for begin in (NOON, NOON + DAY):
            store = SqliteStore(folder, begin, profile=profile, ballast_mib=0)
            for number in range(1, COMMITS_A_DAY + 1):
                now = begin + number * step_ms
                changes = [change(now, TAKEN)] if number % 5 == 0 else []
                rejected = [refused(now)] if number % 7 == 0 else []
                upto = store.commit(batch(seq + 1, 5, now), changes, rejected, now)
                seq += 5
                safe.append((len(record.steps), seq, now))
                if number % 10 == 0:
                    store.checkpoint(0, upto, b"the live state after batch %d" % upto)
            while store.tidy(begin + 3 * HOUR):
                pass
            store.close()
        return record, safe


@pytest.fixture
def memory():
    """A folder in memory where there is one: the disk is ours, so nobody need wait for the real one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def stored_on(memory):
    """What a start finds on such a disk: the highest seq up to which nothing is missing."""
    folder = memory / "after"
    folder.mkdir()

    def start(files, now):
        for path in folder.iterdir():
            path.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        store = SqliteStore(folder, now, ballast_mib=0)
        try:
            assert store.damaged == []
            assert all(upto <= store.last_id for _, upto, _ in store.checkpoints())
            seqs = [json.loads(payload)["seq"] for _, payload, _, _ in messages(store.batches(0))]
            assert seqs == list(range(1, len(seqs) + 1))
            store.commit(batch(len(seqs) + 1, 1, now), [], [], now)
            return len(seqs)
        finally:
            store.close()

    return start


def losses(record, safe, stored_on, cuts, chance, allowed_ms=0):
    """How many cuts lost something that was acknowledged longer ago than `allowed_ms`."""
    lost = 0
    for cut in cuts:
        last = max(now for at, _, now in safe if at <= cut)
        acknowledged = max(seq for at, seq, now in safe if at <= cut and now <= max(last - allowed_ms, NOON))
        lost += stored_on(record.disk_after(cut, chance), NOON + DAY) < acknowledged
    return lost


@pytest.mark.slow
def test_four_hundred_power_cuts_lose_nothing_acknowledged(memory, monkeypatch, stored_on):
    record, safe = two_days(memory / "live", monkeypatch, "safe")
    chance = random.Random(5)
    cuts = [chance.randrange(len(record.steps) + 1) for _ in range(400)]
    assert losses(record, safe, stored_on, cuts, chance) == 0


@pytest.mark.slow
def test_with_fewer_flushes_they_do(memory, monkeypatch, stored_on):
    record, safe = two_days(memory / "live", monkeypatch, "sd_card")
    chance = random.Random(5)
    cuts = [chance.randrange(safe[1][0], len(record.steps) + 1) for _ in range(60)]
    assert losses(record, safe, stored_on, cuts, chance) > 20


@pytest.mark.slow
def test_an_sd_card_loses_no_more_than_its_profile_says(memory, monkeypatch, stored_on):
    record, safe = two_days(memory / "live", monkeypatch, "sd_card", step_ms=900)
    chance = random.Random(6)
    cuts = [chance.randrange(len(record.steps) + 1) for _ in range(100)]
    assert losses(record, safe, stored_on, cuts, chance, allowed_ms=SD_CARD_SYNC_MS) == 0
    assert losses(record, safe, stored_on, cuts, chance, allowed_ms=0) > 20


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_kill_between_two_steps_of_the_first_moments_and_of_midnight_loses_nothing(
    memory, monkeypatch, stored_on, every
):
    """Between any two, and in haste between every ninth pair."""
    record, safe = two_days(memory / "live", monkeypatch, "safe")
    midnight = safe[COMMITS_A_DAY][0]
    moments = [*range(safe[2][0]), *range(midnight, safe[COMMITS_A_DAY + 2][0])]
    assert losses(record, safe, stored_on, moments[::every], None) == 0
