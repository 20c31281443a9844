"""The audit trail in the core file: a chain of lines, lengthened in the transaction of what they tell."""

import sqlite3  # noqa: TID251
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.base.chain import chained
from gateway.model import Millis
from gateway.store.days import CORE
from gateway.store.files import read_only, store_errors
from gateway.store.jobs import KeepAudit


@dataclass(frozen=True, slots=True)
class ChainState:
    """`before`: the last line that went with age (0: none did); `began`: the first that got its digest when it was
    written; `head`: the last."""

    before: int
    before_digest: str
    began: int
    head: int
    head_digest: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line as it is stored. `digest` None: it is older than the chain, which has not begun yet."""

    id: int
    at: Millis
    who: str
    what: str
    target: str
    detail: str | None
    digest: str | None

    def follows(self, previous: str) -> bool:
        """Whether its digest is that of a line behind the digest `previous`."""
        return self.digest == chained(previous, self.id, self.at, self.who, self.what, self.target, self.detail)


def keep_line(db: sqlite3.Connection, job: KeepAudit) -> None:
    """Add the line behind the last one. Inside a transaction."""
    state = _state(db) or _begun(db)
    number = state.head + 1
    digest = chained(state.head_digest, number, job.at, job.who, job.what, job.target, job.detail)
    db.execute(
        "INSERT INTO audit (id, at, who, what, target, detail, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, job.at, job.who, job.what, job.target, job.detail, digest),
    )
    db.execute("UPDATE audit_chain SET head = ?, head_digest = ?", (number, digest))


def forget_lines(db: sqlite3.Connection, before: Millis) -> None:
    """The oldest lines go, up to the first that is not from before that time. Inside a transaction."""
    state = _state(db)
    if state is None:
        db.execute("DELETE FROM audit WHERE at < ?", (before,))
        return
    (first_kept,) = db.execute("SELECT min(id) FROM audit WHERE at >= ?", (before,)).fetchone()
    last = db.execute(
        "SELECT id, digest FROM audit WHERE id < ? ORDER BY id DESC LIMIT 1",
        (state.head + 1 if first_kept is None else first_kept,),
    ).fetchone()
    if last is None:
        return
    gone, digest = last
    db.execute("DELETE FROM audit WHERE id <= ?", (gone,))
    db.execute("UPDATE audit_chain SET before = ?, before_digest = ?", (gone, digest or ""))


class AuditReader:
    """The trail of one store, read-only. StoreError when there is none; of a former version it may lack the chain."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CORE
        self._db = read_only(self._path)
        with store_errors(self._path):
            columns = {name for (name,) in self._db.execute("SELECT name FROM pragma_table_info('audit')")}
        self._there, self._chained = bool(columns), "digest" in columns

    def close(self) -> None:
        self._db.close()

    def state(self) -> ChainState | None:
        """None: the chain has not begun."""
        with store_errors(self._path):
            return _state(self._db) if self._chained else None

    def lines(self, after: int = 0) -> Iterator[AuditLine]:
        """All behind number `after`, the oldest first."""
        digest = "digest" if self._chained else "NULL"
        query = f"SELECT id, at, who, what, target, detail, {digest} FROM audit WHERE id > ? ORDER BY id"  # noqa: S608
        with store_errors(self._path):
            for row in self._db.execute(query, (after,)) if self._there else ():
                yield AuditLine(*row)


def _state(db: sqlite3.Connection) -> ChainState | None:
    row = db.execute("SELECT before, before_digest, began, head, head_digest FROM audit_chain").fetchone()
    return None if row is None else ChainState(*row)


def _begun(db: sqlite3.Connection) -> ChainState:
    """Give the lines of former versions their digests, and begin."""
    number, digest = 0, ""
    for number, *fields in db.execute("SELECT id, at, who, what, target, detail FROM audit ORDER BY id").fetchall():
        digest = chained(digest, number, *fields)
        db.execute("UPDATE audit SET digest = ? WHERE id = ?", (digest, number))
    state = ChainState(0, "", number + 1, number, digest)
    db.execute(
        "INSERT INTO audit_chain (one, before, before_digest, began, head, head_digest) VALUES (1, ?, ?, ?, ?, ?)",
        (state.before, state.before_digest, state.began, state.head, state.head_digest),
    )
    return state
