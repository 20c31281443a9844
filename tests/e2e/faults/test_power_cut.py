"""A power cut at any moment: what was acknowledged is there. With fewer flushes it is not, or this proves nothing.

apsw records what SQLite writes and flushes; from the record, disks as they may look after a cut are built: what a file
had at its last flush is there, of later writes each 512-byte sector may be missing, and open truncations may be undone.
A deleted file counts as gone once anything is flushed after it: else the rollback journal of the first moment would
come back and empty the file, which journalling file systems do not do.
"""

# ruff: noqa: N802  the method names are apsw's

import contextlib
import random
import sqlite3
from importlib import resources

import apsw

from gateway.store.packing import pack_batch
from tests.gateway.store.world import NOON, batch

SECTOR = 512


class RecordingVFS(apsw.VFS):
    def __init__(self, record):
        self.record = record
        super().__init__("recording", "unix")

    def xOpen(self, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return RecordingFile(self.record, str(path).rsplit("/", 1)[-1], name, flags)

    def xDelete(self, name, sync):
        self.record.append(("delete", str(name).rsplit("/", 1)[-1], 0, b""))
        super().xDelete(name, sync)


class RecordingFile(apsw.VFSFile):
    def __init__(self, record, name, filename, flags):
        self.record, self.name = record, name
        super().__init__("unix", filename, flags)

    def xWrite(self, data, offset):
        self.record.append(("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size):
        self.record.append(("truncate", self.name, size, b""))
        super().xTruncate(size)

    def xSync(self, flags):
        self.record.append(("sync", self.name, 0, b""))
        super().xSync(flags)


def journal(folder, synchronous):
    """Write batches as the store does; the record, and after each commit how much of it there was and what is safe."""
    record, safe = [], [(0, 0)]
    vfs = RecordingVFS(record)
    db = apsw.Connection(str(folder / "day.db"), vfs="recording")
    db.execute("PRAGMA locking_mode=exclusive")  # the recorder has no shared memory
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"PRAGMA synchronous={synchronous}")
    db.execute("PRAGMA wal_autocheckpoint=40")
    db.execute(resources.files("gateway.store").joinpath("schema/day-1.sql").read_text())
    for number in range(1, 121):
        one = batch(number * 10, 10, NOON + number)
        with db:
            blob = pack_batch(one, [1] * 10)
            db.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (number, NOON, NOON + number, blob))
        safe.append((len(record), number))
    del vfs
    db.close()
    return record, safe


def disk_after(record, cut, chance):
    """Each file's content as it may be when the power goes after `cut` operations."""
    last_sync = {}
    for place, (what, name, _, _) in enumerate(record[:cut]):
        if what == "sync":
            last_sync[name] = place
    flushed_at = max(last_sync.values(), default=-1)
    files = {}
    for place, (what, name, number, data) in enumerate(record[:cut]):
        certain = place < last_sync.get(name, -1)
        content = files.setdefault(name, bytearray())
        if what == "delete" and (place < flushed_at or chance.random() < 0.5):
            del files[name]
        elif what == "truncate" and (certain or chance.random() < 0.5):
            del content[number:]
        elif what == "write":
            for start in range(0, len(data), SECTOR):
                if certain or chance.random() < 0.5:
                    put(content, number + start, data[start : start + SECTOR])
    return files


def put(content, offset, data):
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


def survivors(folder, files):
    """The batch ids that plain SQLite finds on such a disk."""
    for name in ("day.db", "day.db-wal", "day.db-journal"):
        (folder / name).unlink(missing_ok=True)
        if name in files:
            (folder / name).write_bytes(files[name])
    with contextlib.closing(sqlite3.connect(folder / "day.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'batch'").fetchone() is None:
            return set()
        return {row[0] for row in db.execute("SELECT id FROM batch")}


def cuts_that_lose(tmp_path, synchronous, cuts):
    (tmp_path / "live").mkdir()
    (tmp_path / "after").mkdir()
    record, safe = journal(tmp_path / "live", synchronous)
    chance, losses = random.Random(5), 0
    for _ in range(cuts):
        cut = chance.randrange(safe[1][0], len(record) + 1)
        acknowledged = max(number for at, number in safe if at <= cut)
        found = survivors(tmp_path / "after", disk_after(record, cut, chance))
        losses += not set(range(1, acknowledged + 1)) <= found
    return losses


def test_four_hundred_power_cuts_lose_nothing_acknowledged(tmp_path):
    assert cuts_that_lose(tmp_path, "FULL", 400) == 0


def test_with_fewer_flushes_they_do(tmp_path):
    assert cuts_that_lose(tmp_path, "NORMAL", 60) > 20
