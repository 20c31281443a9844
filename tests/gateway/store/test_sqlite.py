"""The SQLite journal where it is special: days, retention, room, damage, versions, backups."""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from gateway.model import Batch, Interval
from gateway.store import files
from gateway.store.backup import backup, restore
from gateway.store.base import StoreError
from gateway.store.days import day_files, finished
from gateway.store.files import connect
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, HOUR, NOON, TAKEN, batch, change, messages, refused

FIXTURES = Path(__file__).parents[2] / "vectors" / "store"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


def opened(folder, now=NOON, **options):
    return contextlib.closing(SqliteStore(folder, now, **{"ballast_mib": 0} | options))


def count(folder):
    reader = SqliteReader(folder)
    try:
        return [reading.seq for reading in reader.readings()]
    finally:
        reader.close()


def fill(folder, days=3, **options):
    with opened(folder, NOON, **options) as store:
        for day in range(days):
            now = NOON + day * DAY
            for n in range(20):
                store.commit(batch(day * 1000 + n * 10, 10, now), [change(now, TAKEN)], [], now)


def test_a_day_is_a_file_and_retention_is_unlinking_it(folder):
    fill(folder, days=5)
    assert [path.name for path in day_files(folder)] == [f"2026-05-{day}.day.db" for day in (29, 30, 31)] + [
        f"2026-06-0{day}.day.db" for day in (1, 2)
    ]
    with opened(folder, NOON + 4 * DAY, keep_days=2) as store:
        while store.tidy(NOON + 4 * DAY):
            pass
    assert [path.name for path in day_files(folder)] == ["2026-05-31.day.db", "2026-06-01.day.db", "2026-06-02.day.db"]
    assert not list(folder.glob("2026-05-29*"))


def test_a_clock_gone_wild_unlinks_nothing_that_is_young(folder):
    fill(folder, days=3)
    with opened(folder, NOON + 3 * DAY, keep_days=3) as store:
        while store.tidy(2_200_000_000_000):
            pass
    assert len(day_files(folder)) == 3


def test_days_that_are_over_get_small(folder):
    with opened(folder) as store:
        for n in range(150):
            store.commit(batch(n * 40, 40, NOON + n * 1000), [], [], NOON + n * 1000)
        store.commit(batch(0, 1, NOON + DAY), [], [], NOON + DAY)
        store.checkpoint(0, 400, b"")
        before = messages(store.batches(0))
        size = day_files(folder)[0].stat().st_size
        while store.tidy(NOON + DAY):
            pass
        assert day_files(folder)[0].stat().st_size < size / 2
        assert messages(store.batches(0)) == before


def test_nothing_that_a_checkpoint_does_not_cover_is_sealed(folder):
    with opened(folder) as store:
        for n in range(10):
            store.commit(batch(n * 20, 20, NOON), [], [], NOON)
        store.checkpoint(0, 4, b"")
        while store.tidy(NOON + 5 * HOUR):
            pass
        assert [number for number, _ in store.batches(0)] == [4, 5, 6, 7, 8, 9, 10]
        assert len(messages(store.batches(2))) == 8 * 20


def test_a_day_is_finished_when_a_checkpoint_covers_all_of_it_and_then_left_alone(folder):
    with opened(folder) as store:
        for n in range(5):
            store.commit(batch(n * 20, 20, NOON), [], [refused(NOON)], NOON)
        store.commit(batch(1, 1, NOON + DAY), [], [], NOON + DAY)
        store.checkpoint(0, 3, b"")
        for _ in range(5):
            store.tidy(NOON + DAY)
        first = day_files(folder)[0]
        assert not finished(first)
        store.checkpoint(0, 6, b"")
        while store.tidy(NOON + DAY):
            pass
        assert finished(first)
        assert len(list(store.rejected())) == 5
        stamp = first.stat().st_mtime_ns
    with opened(folder, NOON + DAY) as store:
        while store.tidy(NOON + DAY):
            pass
        assert first.stat().st_mtime_ns == stamp
        while store.tidy(NOON + 8 * DAY):
            pass
        assert list(store.rejected()) == []


def test_quarantine_is_bounded_by_rows_and_by_bytes_and_by_days(folder):
    with opened(folder, quarantine_rows=50, quarantine_mib=1) as store:
        for n in range(10):
            store.commit(Batch(), [], [refused(NOON, b"%d" % (n * 10 + k)) for k in range(10)], NOON)
        assert [int(message.payload) for message in store.rejected()] == list(range(50, 100))
    with opened(folder, quarantine_rows=5_000, quarantine_mib=1) as store:
        for n in range(20):
            store.commit(Batch(), [], [refused(NOON, bytes([n]) * 16_000) for _ in range(10)], NOON)
        kept = [len(message.payload) for message in store.rejected()]
        assert 900_000 < sum(kept) <= 1 << 20
        store.commit(batch(1, 1, NOON + 9 * DAY), [], [], NOON + 9 * DAY)
        while store.tidy(NOON + 9 * DAY):
            pass
        assert list(store.rejected()) == []


def test_a_newer_schema_is_refused_and_left_alone(folder):
    fill(folder)
    with contextlib.closing(sqlite3.connect(folder / "yizhan.db")) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match=r"newer yizhan \(schema 99.*install that version again, or restore a backup"):
        SqliteStore(folder, NOON)
    with contextlib.closing(sqlite3.connect(folder / "yizhan.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.sql")), ids=lambda path: path.stem)
def test_files_of_every_former_version_are_taken_over(tmp_path, path):
    """`vectors/store/{schema}-{version}.sql`: a dump of a file as that version left it."""
    schema = path.stem.split("-")[0]
    file = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.executescript(path.read_text())
        before = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables(db)}
    with contextlib.closing(connect(file, schema)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (files.SCHEMAS[schema],)
        assert {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in before} == before


def test_there_is_a_fixture_of_every_version():
    have = {path.stem for path in FIXTURES.glob("*.sql")}
    assert have == {f"{schema}-{n}" for schema, last in files.SCHEMAS.items() for n in range(1, last + 1)}


def test_what_the_first_version_stored_is_still_read(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "2026-05-29.day.db")) as db:
        db.executescript((FIXTURES / "day-1.sql").read_text())
    assert count(tmp_path) == [1, 2, 3, 4, 5, 6]
    reader = SqliteReader(tmp_path)
    assert len(reader.history("yanshan", "seat-01", NOON, NOON + HOUR)) == 1
    reader.close()


def tables(db):
    return [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


# ---- one writer ----


def test_a_second_writer_is_refused_with_the_mend(folder):
    with opened(folder), pytest.raises(StoreError, match="belongs to another yizhan that is running"):
        SqliteStore(folder, NOON)
    SqliteStore(folder, NOON).close()


# ---- room ----


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(mount)], check=False).returncode:
        pytest.skip("mounting needs root")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_is_told_costs_nothing_and_passes(small_disk):
    folder = small_disk / "data"
    noise = random.Random(1)
    with opened(folder, ballast_mib=1) as store:
        stored, trouble = 0, None
        while trouble is None:
            filling = batch(stored, 1, NOON)
            filling.payloads[0] = b'{"seq":%d,"x":"%s"}' % (stored, noise.randbytes(3_000).hex().encode())
            try:
                store.commit(filling, [], [], NOON)
                stored += 1
            except StoreError as error:
                trouble = error
        assert trouble.full
        assert not (folder / "ballast").exists()
        assert count(folder) == list(range(stored))
        with pytest.raises(StoreError):
            store.commit(filling, [], [], NOON)
        subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
        store.commit(filling, [], [], NOON)
        assert count(folder) == list(range(stored + 1))
        while store.tidy(NOON):
            pass
        assert (folder / "ballast").stat().st_size == 1 << 20


def test_the_ballast_gives_room_for_what_matters(small_disk):
    folder = small_disk / "data"
    with opened(folder, ballast_mib=1) as store:
        (small_disk / "somebody").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        store.commit(batch(1, 1, NOON), [], [], NOON)
        assert not (folder / "ballast").exists()


def test_the_log_stays_bounded_beside_a_slow_reader(folder, monkeypatch):
    monkeypatch.setattr("gateway.store.sqlite.WAL_MOST", 100_000)
    with opened(folder) as store:
        reader = SqliteReader(folder)
        for n in range(60):
            store.commit(batch(n * 50, 50, NOON), [], [refused(NOON, os.urandom(9_000))], NOON)
        log_file = Path(f"{day_files(folder)[0]}-wal")
        assert log_file.stat().st_size > 100_000
        while store.tidy(NOON):
            pass
        assert log_file.stat().st_size == 0
        reader.close()


def test_the_sd_card_profile_flushes_its_log_every_five_seconds(folder, monkeypatch):
    flushed = []
    monkeypatch.setattr("gateway.store.sqlite.os.fdatasync", flushed.append)
    with opened(folder, profile="sd_card") as store:
        assert store.core.execute("PRAGMA synchronous").fetchone() == (1,)
        for second in range(21):
            store.commit(batch(second, 1, NOON), [], [], NOON + second * 1_000)
    assert len(flushed) == 4
    with opened(folder) as store:
        assert store.core.execute("PRAGMA synchronous").fetchone() == (2,)


# ---- damage ----


def scribble(path, chance, size=512):
    """Overwrite a random sector, as a dying card does."""
    with path.open("r+b") as file:
        file.seek(chance.randrange(0, path.stat().st_size))
        file.write(chance.randbytes(size))


def test_a_damaged_day_is_moved_aside_and_what_can_be_read_is_kept(folder):
    fill(folder, days=2)
    newest = day_files(folder)[-1]
    with newest.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xff" * 4096)
    with opened(folder, NOON + DAY) as store:
        assert [path.name.startswith(newest.name + ".damaged-") for path in store.damaged] == [True]
        number = store.commit(batch(5000, 1, NOON + DAY), [], [], NOON + DAY)
        assert number == max(number for number, _ in store.batches(0))
    assert 5000 in count(folder)
    assert len(count(folder)) > 200


def test_a_file_that_breaks_while_we_write_is_replaced_and_intake_goes_on(folder):
    with opened(folder) as store:
        store.commit(batch(1, 5, NOON), [], [], NOON)
        store._day.checkpoint()
        store._day._db.execute("PRAGMA shrink_memory")
        path = day_files(folder)[0]
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        for n in range(3):
            store.commit(batch(100 + n, 1, NOON), [change(NOON, TAKEN)], [], NOON)
        assert store.damaged
    assert count(folder)[-3:] == [100, 101, 102]


def test_a_damaged_row_costs_only_itself(folder):
    fill(folder, days=1)
    with contextlib.closing(sqlite3.connect(day_files(folder)[0])) as db, db:
        db.execute("UPDATE batch SET blob = zeroblob(30) WHERE id = 7")
    with opened(folder) as store:
        store.checkpoint(0, 20, b"")
        assert len(messages(store.batches(0))) == 190
        while store.tidy(NOON + 5 * HOUR):
            pass
        assert len(messages(store.batches(0))) == 190
    assert len(count(folder)) == 190


def test_a_lost_core_file_is_made_anew_with_the_tables_of_others(folder):
    with opened(folder) as store:
        store.core.execute("CREATE TABLE later (id TEXT PRIMARY KEY) WITHOUT ROWID")
        store.core.execute("INSERT INTO later VALUES ('a1')")
        for part in range(40):
            store.checkpoint(part, 1, os.urandom(3_000))
    path = folder / "yizhan.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 2 * 4096)
        file.write(b"\xff" * 8192)
    with opened(folder) as store:
        assert len(store.damaged) == 1
        assert store.core.execute("SELECT * FROM later").fetchall() == [("a1",)]
        assert 30 <= len(list(store.checkpoints())) < 41


def survives(folder, chance, seed_folder):
    """Scribble over one file, open, write, read."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(seed_folder, folder)
    scribble(chance.choice([*day_files(folder), folder / "yizhan.db"]), chance, chance.choice([16, 512, 4096]))
    with opened(folder, NOON + 2 * DAY) as store:
        list(store.checkpoints())
        list(store.rejected())
        list(store.batches(0))
        store.checkpoint(0, store.commit(batch(9000, 3, NOON + 2 * DAY), [], [], NOON + 2 * DAY), b"")
        for _ in range(50):
            if not store.tidy(NOON + 2 * DAY + 3 * HOUR):
                break
    assert {9000, 9001, 9002} <= set(count(folder))


@pytest.mark.parametrize("runs", [6, pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(600)])])
def test_random_damage_anywhere_never_stops_a_start(tmp_path, folder, runs):
    fill(tmp_path / "seed", days=3)
    chance = random.Random(3)
    for _ in range(runs):
        survives(folder, chance, tmp_path / "seed")


# ---- backups ----


def test_a_backup_taken_while_writing_starts_and_holds_what_its_checkpoint_covers(folder, tmp_path):
    with opened(folder) as store:
        number = store.commit(batch(1, 50, NOON), [change(NOON, TAKEN)], [], NOON)
        store.checkpoint(0, number, b"state")
        assert {path.name for path in backup(folder, tmp_path / "copy")} >= {"yizhan.db", "2026-05-29.day.db"}
        store.commit(batch(51, 50, NOON), [], [], NOON)
    restore(tmp_path / "copy", tmp_path / "again")
    with opened(tmp_path / "again") as store:
        assert list(store.checkpoints()) == [(0, number, b"state")]
        assert store.commit(batch(51, 1, NOON), [], [], NOON) == number + 1
    assert count(tmp_path / "again") == list(range(1, 52))
    reader = SqliteReader(tmp_path / "again")
    assert reader.history("yanshan", "seat-01", NOON, NOON + 1) == [Interval(NOON, NOON + 1, TAKEN)]
    reader.close()


def test_a_second_backup_copies_only_what_changed(folder, tmp_path):
    fill(folder, days=3)
    old = 1_780_000_000
    for path in folder.iterdir():
        os.utime(path, (old, old))
    backup(folder, tmp_path / "copy")
    with opened(folder, NOON + 2 * DAY) as store:
        store.commit(batch(1, 1, NOON + 2 * DAY), [], [], NOON + 2 * DAY)
        assert [path.name for path in backup(folder, tmp_path / "copy")] == ["2026-05-31.day.db"]


def test_restoring_needs_a_sound_backup_and_an_empty_place(folder, tmp_path):
    fill(folder, days=1)
    copy = tmp_path / "copy"
    backup(folder, copy)
    with pytest.raises(StoreError, match="already holds a store"):
        restore(copy, folder)
    with pytest.raises(StoreError, match="holds no backup"):
        restore(tmp_path, tmp_path / "new")
    with pytest.raises(StoreError, match="holds no store"):
        backup(tmp_path / "nowhere", copy)
    (copy / "2026-05-29.day.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="damaged: take an older backup"):
        restore(copy, tmp_path / "new")
    assert not list((tmp_path / "new").glob("*.db"))


def test_a_backup_that_fails_leaves_the_older_one(folder, small_disk):
    fill(folder, days=1)
    backup(folder, small_disk / "copy")
    before = {path: path.read_bytes() for path in (small_disk / "copy").iterdir()}
    with opened(folder) as store:
        store.commit(Batch(), [], [refused(NOON, os.urandom(16_000)) for _ in range(400)], NOON)
        with pytest.raises(StoreError):
            backup(folder, small_disk / "copy")
    assert {path: path.read_bytes() for path in (small_disk / "copy").glob("*.day.db")} == {
        path: content for path, content in before.items() if path.name.endswith(".day.db")
    }
