"""A disk that remembers: what the store did to its files, and how those may look after the power was cut.

The real `SqliteStore` runs with apsw's SQLite under it, whose file layer can be listened to. From the record, disks as
they may look after a cut are built: what a file had at its last flush is there, of later writes each 512-byte sector
may be missing, and open truncations may be undone. New names and deletions are in the file system's own journal: they
are certain once anything was flushed after them. Else the rollback journal of the first moment would come back and
empty the file, which journalling file systems do not do.
"""

# ruff: noqa: N802  the method names are apsw's

import os
import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

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

    def add(self, what: str, name: str, number: int = 0, data: bytes = b"", to: str = "") -> None:
        file = self._files.setdefault(name, len(self.steps))
        self.steps.append(Step(what, file, name, number, data, to))
        if what in ("delete", "rename"):
            del self._files[name]
        if what == "rename":
            self._files[to] = file

    def disk_after(self, cut: int, chance: random.Random | None = None) -> dict[str, bytes]:
        """Each file's content when the power goes after `cut` steps; without `chance`, when the process is killed."""
        steps = self.steps[:cut]
        last_flush = {step.file: place for place, step in enumerate(steps) if step.what == "flush"}
        flushed_at = max(last_flush.values(), default=-1)
        contents: dict[int, bytearray] = {}
        names: dict[str, int] = {}

        def happened(certain: bool) -> bool:
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


def put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


class RecordingVFS(apsw.VFS):
    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__("recording", "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return RecordingFile(self.record, Path(path or "").name, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:
        super().xDelete(name, sync)
        self.record.add("delete", Path(name).name)


class RecordingFile(apsw.VFSFile):
    def __init__(self, record: Record, name: str, filename: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self.record, self.name = record, name
        super().__init__("unix", filename, flags)
        record.add("open", name)

    def xWrite(self, data: Any, offset: int) -> None:
        self.record.add("write", self.name, offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.record.add("truncate", self.name, size)
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self.record.add("flush", self.name)


class Recorded:
    """What the store uses of `sqlite3.Connection`."""

    def __init__(self, path: str | Path, checkpoint_pages: int) -> None:
        self._db = apsw.Connection(str(path), vfs="recording")
        self.execute("PRAGMA locking_mode=exclusive")  # the recorder has no shared memory
        self.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")

    def execute(self, sql: str, values: Any = ()) -> apsw.Cursor:
        return self._db.execute(sql, values)

    @property
    def in_transaction(self) -> bool:
        return not self._db.getautocommit()

    def executemany(self, sql: str, rows: Iterable[Any]) -> apsw.Cursor:
        return self._db.executemany(sql, rows)

    def executescript(self, sql: str) -> apsw.Cursor:
        return self._db.execute(sql)

    def close(self) -> None:
        self._db.close()


def recorded(monkeypatch: pytest.MonkeyPatch, checkpoint_pages: int = 40) -> Record:
    """From now on what the store writes is recorded; connections that only read are the usual ones.

    SQLite copies its log into the file every `checkpoint_pages` (1,000 in the product), so that cuts fall there too.
    """
    record = Record()
    vfs, plain = RecordingVFS(record), sqlite3.connect

    def connect(path: str | Path, *, uri: bool = False, **options: Any) -> Any:
        assert vfs is not None  # it lives as long as what it serves
        return plain(path, uri=uri, **options) if uri else Recorded(path, checkpoint_pages)

    def listen(name: str, words: Callable[..., tuple[str, str, dict[str, Any]]]) -> None:
        real = getattr(os, name)

        def told(*values: Any, **options: Any) -> None:
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
