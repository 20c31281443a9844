"""A disk that remembers: what the store did to its files, and how those may look after the power was cut.

The real `SqliteStore` runs with apsw's SQLite under it, whose file layer can be listened to. From the record, disks as
they may look after a cut are built: what a file had at its last flush is there, of later writes each 512-byte sector
may be missing, and open truncations may be undone. New names and deletions are in the file system's own journal: they
are certain once anything was flushed after them. Else the rollback journal of the first moment would come back and
empty the file, which journalling file systems do not do.
"""

# ruff: noqa: N802  the method names are apsw's

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Step:
    """`what` (open, write, truncate, flush, delete, rename) was done to `file`, which then had this name."""

    what: str
    file: int
    name: str
    number: int = 0  # where it was written, or what was left
    data: bytes = b""
    to: str = ""


@dataclass
class Record:
    steps: list[Step] = field(default_factory=list)
    _files: dict[str, int] = field(default_factory=dict)

    def add(self, what, name, number=0, data=b"", to=""):
        file = self._files.setdefault(name, len(self.steps))
        self.steps.append(Step(what, file, name, number, data, to))
        if what in ("delete", "rename"):
            del self._files[name]
        if what == "rename":
            self._files[to] = file

    def disk_after(self, cut, chance=None):
        """Each file's content when the power goes after `cut` steps; without `chance`, when the process is killed."""
        steps = self.steps[:cut]
        last_flush = {step.file: place for place, step in enumerate(steps) if step.what == "flush"}
        flushed_at = max(last_flush.values(), default=-1)
        contents, names = {}, {}

        def happened(certain):
            return certain or chance is None or chance.random() < 0.5

        for place, step in enumerate(steps):
            certain = place < last_flush.get(step.file, -1)
            if step.file not in contents:
                names[step.name], contents[step.file] = step.file, bytearray()
            if step.what == "write":
                for start in range(0, len(step.data), SECTOR):
                    if happened(certain):
                        put(contents[step.file], step.number + start, step.data[start : start + SECTOR])
            elif step.what == "truncate" and happened(certain):
                del contents[step.file][step.number :]
            elif step.what in ("delete", "rename") and happened(place < flushed_at):
                del names[step.name]
                if step.what == "rename":
                    names[step.to] = step.file
        return {name: bytes(contents[file]) for name, file in names.items()}


def put(content, offset, data):
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


class RecordingVFS(apsw.VFS):
    def __init__(self, record):
        self.record = record
        super().__init__("recording", "unix")

    def xOpen(self, name, flags):
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return RecordingFile(self.record, Path(path).name, name, flags)

    def xDelete(self, name, sync):
        super().xDelete(name, sync)
        self.record.add("delete", Path(name).name)


class RecordingFile(apsw.VFSFile):
    def __init__(self, record, name, filename, flags):
        self.record, self.name = record, name
        super().__init__("unix", filename, flags)
        record.add("open", name)

    def xWrite(self, data, offset):
        self.record.add("write", self.name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size):
        self.record.add("truncate", self.name, size)
        super().xTruncate(size)

    def xSync(self, flags):
        super().xSync(flags)
        self.record.add("flush", self.name)


class Recorded:
    """What the store uses of `sqlite3.Connection`."""

    def __init__(self, path, checkpoint_pages):
        self._db = apsw.Connection(str(path), vfs="recording")
        self.execute("PRAGMA locking_mode=exclusive")  # the recorder has no shared memory
        self.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")

    def execute(self, sql, values=()):
        return self._db.execute(sql, values)

    @property
    def in_transaction(self):
        return not self._db.getautocommit()

    def executemany(self, sql, rows):
        return self._db.executemany(sql, rows)

    def executescript(self, sql):
        return self._db.execute(sql)

    def close(self):
        self._db.close()


def recorded(monkeypatch, checkpoint_pages=40):
    """From now on what the store writes is recorded; connections that only read are the usual ones.

    SQLite copies its log into the file every `checkpoint_pages` (1,000 in the product), so that cuts fall there too.
    """
    record = Record()
    vfs, plain = RecordingVFS(record), sqlite3.connect

    def connect(path, *, uri=False, **options):
        assert vfs is not None  # it lives as long as what it serves
        return plain(path, uri=uri, **options) if uri else Recorded(path, checkpoint_pages)

    def listen(name, words):
        real = getattr(os, name)

        def told(*values, **options):
            words_of_it = words(*values)
            real(*values, **options)
            record.add(*words_of_it[:2], **words_of_it[2])

        monkeypatch.setattr(os, name, told)

    monkeypatch.setattr(sqlite3, "connect", connect)
    listen("rename", lambda old, new: ("rename", Path(old).name, {"to": Path(new).name}))
    listen("unlink", lambda path: ("delete", Path(path).name, {}))
    for name in ("fsync", "fdatasync"):
        listen(name, lambda handle: ("flush", Path(f"/proc/self/fd/{handle}").readlink().name, {}))
    return record
