"""What can still be read of a damaged file, copied into a new one."""

import contextlib
import logging
import sqlite3  # noqa: TID251
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from gateway.store.files import READ_ERRORS, as_store_error, new_file, read_only, transaction

log = logging.getLogger(__name__)


def salvage(
    damaged: Path, into: Path, schema: str, names: Path | None = None, known: Mapping[bytes, int] = MappingProxyType({})
) -> int:
    """Copy every readable row of every table; returns how many.

    `names`: an older day that knows most names too; `known`: those with their numbers of whoever wrote to the file.

    Tables with row numbers are halved until the unreadable rows stand alone, others are read from both ends.
    StoreError when there is no room for the copy: nothing is there then, and it can be done again.
    """
    saved = 0
    with new_file(into, schema) as target, contextlib.closing(read_only(damaged)) as source:
        try:
            tables = source.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY rowid"
            ).fetchall()
        except READ_ERRORS as error:
            log.error("%s: nothing can be read: %s", damaged.name, error)
            tables = []
        for table, sql in tables:
            try:
                saved += _copy_table(source, target, table, sql)
            except READ_ERRORS as error:
                _raise_if_full(error, into)
                log.error("%s: table %s can't be taken over: %s", damaged.name, table, error)
        if known:
            rows = [(number, text.decode()) for text, number in known.items()]
            with transaction(target):
                target.executemany("INSERT OR IGNORE INTO name (id, text) VALUES (?, ?)", rows)
        if names is not None:
            _borrow_names(names, target)
    log.error("%s: %d rows salvaged into %s", damaged.name, saved, into.name)
    return saved


def _raise_if_full(error: Exception, into: Path) -> None:
    """There is nothing wrong with a table that the disk has no room for."""
    store_error = as_store_error(error, into)
    if store_error.full:
        raise store_error from error


def _copy_table(source: sqlite3.Connection, target: sqlite3.Connection, table: str, sql: str) -> int:
    if target.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is None:
        target.execute(sql)
    known = _columns(target, table)
    names = [name for name in _columns(source, table) if name in known]  # the file may be of an older version
    columns = ", ".join(names)
    insert = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    whole = "WITHOUT ROWID" in sql.upper()
    rows = _both_ends(source, table, columns) if whole else _halves(source, table, columns)
    with transaction(target):
        return sum(target.execute(insert, row).rowcount for row in rows)


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]


def _halves(source: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    try:
        low, high = source.execute(f"SELECT min(rowid), max(rowid) FROM {table}").fetchone()  # noqa: S608
    except READ_ERRORS:
        yield from _both_ends(source, table, columns)
        return
    spans = [(low, high)] if low is not None else []
    query = f"SELECT {columns} FROM {table} WHERE rowid BETWEEN ? AND ?"  # noqa: S608
    while spans:
        first, last = spans.pop()
        try:
            yield from source.execute(query, (first, last)).fetchall()
        except READ_ERRORS:
            middle = (first + last) // 2
            if first < last:
                spans += [(first, middle), (middle + 1, last)]


def _both_ends(source: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    for order in ("", " ORDER BY 1 DESC"):
        with contextlib.suppress(*READ_ERRORS):
            yield from source.execute(f"SELECT {columns} FROM {table}{order}")  # noqa: S608


def _borrow_names(names: Path, target: sqlite3.Connection) -> None:
    """A day takes over its predecessor's names with their numbers, so that one knows what the other has lost."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(read_only(names)) as source, transaction(target):
        for row in source.execute("SELECT id, text FROM name").fetchall():
            target.execute("INSERT OR IGNORE INTO name (id, text) VALUES (?, ?)", row)
