"""The replica's server as PostgreSQL: the only file that imports psycopg."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg  # noqa: TID251

from gateway.store.replica import tables
from gateway.store.replica.shelf import ReplicaShelf
from gateway.store.replica.words import LEASE_S, FencedError, Holder, ReplicaState, ServerAwayError, Standby, StuckError
from gateway.store.step_words import StoreStep

CONNECT_S = 5
SILENCE_MS = 15_000  # of a peer that owes us a TCP answer: then the line is dead
KEEPALIVE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 3, "tcp_keepalives_count": 3}
LOCK_S = 10  # so long a claim waits for a commit of the one before
STEPS_AT_ONCE = 64
PATIENT = ("remote_apply", "on")  # what `synchronous_commit` must be for a standby to have it on its disk


class Postgres:
    """See `words.ReplicaServer`."""

    def __init__(self, url: str, gateway: str) -> None:
        """ServerAwayError when it can't be reached, or does not let us in."""
        self.gateway, self.epoch = gateway, 0
        self._warned = False
        try:
            self._db = psycopg.connect(
                url, autocommit=True, connect_timeout=CONNECT_S, application_name=f"yizhan {gateway}",
                keepalives=1, keepalives_idle=5, keepalives_interval=3, keepalives_count=3,
                tcp_user_timeout=SILENCE_MS,
            )  # fmt: skip
        except psycopg.Error as error:
            raise _away(error) from error
        try:
            self._begin()
        except BaseException:
            self._db.close()
            raise

    def _begin(self) -> None:
        for name, value in KEEPALIVE.items():  # of a gateway that is gone without a word nothing is held for long
            self.run(f"SET {name} = {value}")
        self._db.add_notice_handler(self._noticed)
        (commit,) = self._row("SELECT current_setting('synchronous_commit')")
        if commit not in PATIENT:
            self.run("SET synchronous_commit = on")
        (there,) = self._row(tables.THERE)
        if not there:  # several statements at once are one transaction
            self.run(resources.files("gateway.store.replica").joinpath("schema.sql").read_text())

    def state(self) -> ReplicaState | None:
        row = self.row(tables.STATE, (self.gateway,))
        if row is None:
            return None
        line, epoch, whole, version, last = row
        if version > tables.FORMAT:
            raise StuckError(f"the replica was written by a newer yizhan (format {version}): install that version")
        return ReplicaState(line, epoch, last, whole)

    def claim(self, line: str) -> int:
        self.run(f"SET lock_timeout = '{LOCK_S}s'")
        self._warned = False
        row = self.row(tables.CLAIM, (self.gateway, line, tables.FORMAT))
        self.run("SET lock_timeout = 0")
        if row is None:
            raise StuckError(f"the replica holds another store under the name {self.gateway}")
        (self.epoch,) = row
        self._confirm()
        return self.epoch

    def resume(self, epoch: int) -> None:
        """Another connection of the one who claimed that epoch."""
        self.epoch = epoch

    def insert(self, step: StoreStep) -> None:
        key = self.gateway, self.epoch
        self.fenced(tables.INSERT, (*key, self.gateway, step.n, self.epoch, step.day, step.body))

    def not_whole(self) -> None:
        with self.transaction():
            self.run(tables.DROP_FILES, (self.gateway,))
            self.run(tables.WHOLE, (False, self.gateway, self.epoch))

    def lacks_steps(self) -> None:
        self.fenced(tables.WHOLE, (False, self.gateway, self.epoch))

    def holds(self) -> None:
        """Inside a transaction: be sure that the epoch is ours until its end. FencedError."""
        if self.row(tables.HOLDS, (self.gateway, self.epoch)) is None:
            raise self._over()

    def has(self, step: StoreStep) -> bool:
        digest = hashlib.sha256(step.body).digest()
        there = self.row(tables.HAS, (self.gateway, step.n, digest)) is not None
        if there:
            self.fenced(tables.CONFIRM, (self.gateway, self.epoch))
        return there

    def body(self, n: int) -> bytes | None:
        row = self.row(tables.BODY, (self.gateway, n))
        return None if row is None else bytes(row[0])

    def epoch_of(self, n: int) -> int | None:
        row = self.row(tables.EPOCH_OF, (self.gateway, n))
        return None if row is None else int(row[0])

    def days_after(self, day: int) -> list[int]:
        return [number for (number,) in self.run(tables.DAYS_AFTER, (self.gateway, day)).fetchall()]

    def fetch(self, name: str, target: Path) -> int | None:
        row = self.row(tables.UPTO, (self.gateway, name))
        if row is None:
            return None
        target.touch(0o600)
        ReplicaShelf(self).fetch(name, target)
        return int(row[0])

    def at_one_moment(self) -> contextlib.AbstractContextManager[None]:
        return self.transaction("REPEATABLE READ")

    def steps(self, after: int) -> Iterator[StoreStep]:
        while True:
            rows = self.run(tables.STEPS, (self.gateway, after, STEPS_AT_ONCE)).fetchall()
            if not rows:
                return
            for n, day, body in rows:
                yield StoreStep(n, day, bytes(body))
                after = n

    def steps_of(self, day: int | None, after: int, upto: int) -> Iterator[StoreStep]:
        while rows := self.run(tables.STEPS_OF, (self.gateway, day, after, upto, STEPS_AT_ONCE)).fetchall():
            for n, _, body in rows:
                yield StoreStep(n, day, bytes(body))
                after = n

    def take_lease(self, holder: Holder, *, beside: bool = False) -> str | None:
        """`beside`: by itself, when the other one is gone; then not from one that went on without the replica."""
        values = self.gateway, holder.id, holder.name, holder.required, LEASE_S, beside
        with self._not_waiting():
            if self.run(tables.TAKE_LEASE, values).rowcount:
                return None
            row = self.row(tables.HOLDER, (self.gateway,))
        return str(row[0]) if row is not None else "another gateway"

    def holder_requires(self) -> bool:
        """Whether who has the lease, or had it last, tells nothing as stored before it is here."""
        row = self.row(tables.HOLDER, (self.gateway,))
        return row is None or bool(row[1])

    def renew_lease(self, holder: Holder, seconds: float = LEASE_S) -> bool:
        """False when somebody else has it. With 0 seconds it is given back."""
        with self._not_waiting():
            return self.run(tables.RENEW_LEASE, (seconds, self.gateway, holder.id)).rowcount > 0

    @contextlib.contextmanager
    def _not_waiting(self) -> Iterator[None]:
        """A lease is no data: without the standby it may be some seconds shorter, and it must not hang with it."""
        with self.transaction():
            self.run("SET LOCAL synchronous_commit = local")
            yield

    def gateways(self) -> list[str]:
        """All that it knows."""
        return [name for (name,) in self.run(tables.GATEWAYS).fetchall()]

    def leased(self) -> set[str]:
        """The gateways that have said a word within LEASE_S."""
        return {name for (name,) in self.run(tables.LEASED).fetchall()}

    def first_day(self) -> int | None:
        """The oldest day that is not over and has steps."""
        (day,) = self._row(tables.FIRST_DAY, (self.gateway,))
        return None if day is None else int(day)

    def keep_parts(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        for part, upto, blob in rows:
            self.fenced(tables.KEEP_PART, (self.gateway, self.epoch, self.gateway, part, upto, blob))

    def standby(self) -> Standby:
        names, commit, fsync, seen, may_see = self._row(tables.STANDBY)
        if fsync != "on":
            return Standby(confirms=False, why="fsync is off on the server: a power cut may take what it confirmed")
        if not names:
            return Standby(confirms=False, why="synchronous_standby_names is empty: there is one copy on the server")
        if commit not in PATIENT:
            return Standby(confirms=False, why=f"synchronous_commit is {commit}")
        if may_see and not seen:
            return Standby(confirms=False, why="no synchronous standby is connected to the server")
        return Standby(confirms=True)

    def close(self) -> None:
        """An INSERT that still waits for the standby there is not cancelled by it."""
        self._db.close()

    def fenced(self, statement: str, values: Sequence[Any]) -> None:
        """Do it if the epoch is still ours, and be sure that the standby has it, too."""
        self._warned = False
        if self.run(statement, values).rowcount < 1:
            raise self._over()
        self._confirm()

    def _confirm(self) -> None:
        """The wait for the standby was cut off on the server: it is committed there, and perhaps there alone."""
        while self._warned:
            self._warned = False
            self.fenced(tables.CONFIRM, (self.gateway, self.epoch))

    def _over(self) -> FencedError:
        return FencedError(f"another gateway writes as {self.gateway} since: epoch {self.epoch} is over")

    def _noticed(self, notice: Any) -> None:
        self._warned = self._warned or notice.severity_nonlocalized == "WARNING"

    @contextlib.contextmanager
    def transaction(self, how: str = "READ COMMITTED") -> Iterator[None]:
        """All of it or nothing, also on the standby. ServerAwayError."""
        self._warned = False
        try:
            with self._db.transaction():
                self.run(f"SET TRANSACTION ISOLATION LEVEL {how}")
                yield
        except psycopg.Error as error:
            raise _away(error) from error
        self._confirm()

    def run(self, statement: str, values: Sequence[Any] = ()) -> "psycopg.Cursor[Any]":
        """ServerAwayError."""
        try:
            return self._db.execute(statement.encode(), values or None)
        except psycopg.Error as error:
            raise _away(error) from error

    def row(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        cursor = self.run(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def _row(self, statement: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        row = self.row(statement, values)
        assert row is not None
        return row


def _away(error: Exception) -> ServerAwayError:
    text = " ".join(str(error).split()) or type(error).__name__
    return ServerAwayError(text[:300])
