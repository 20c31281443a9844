"""Transactions of piles, in the spool's file: their numbers are unique over restarts, and each is told once.

A step of a transaction is kept in the commit that stores what it tells, so an answer to the pile means that both are
on disk. A pile repeats a step until it is answered: a repeat finds the step done and adds nothing.
"""

import sqlite3  # noqa: TID251  part of the spool's file
from dataclasses import dataclass

from firmware_bridge.spool_relay import RelayBook
from gateway.model import Millis

KEPT_MS = 100 * 86_400_000  # an ended transaction is remembered for so long: a pile may repeat its end late
FIRST_AFTER_MS = 1_735_689_600_000  # 2025: numbers go on from the seconds since, so that a lost file repeats none
SECONDS_A_NUMBER = 4  # 32 bits last until the year 2297
_COLUMNS = "number, device, mark, started_at, meter_start, ended_at, card, coalesce(given, number), upstream"
GIVEN_STEP = 2**29  # from a number that is taken to the next that is tried


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """One transaction. Meters in Wh; `mark` is the pile's own name for it. `given` is the number that the pile has,
    `upstream` that of its operator. `fresh`: this step was not done before."""

    number: int
    device: str
    mark: str
    started_at: Millis | None
    meter_start: float | None
    ended_at: Millis | None
    card: str | None
    given: int
    upstream: int | None = None
    fresh: bool = False


class ChargeBook:
    """Used inside a transaction of the spool; sqlite3.Error goes on to it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db, self.relay = db, RelayBook(db)

    def begin(
        self,
        pile: str,
        device: str,
        mark: str,
        started_at: Millis | None,
        meter_start: float | None,
        card: str | None,
        now: Millis,
        upstream: int | None = None,
    ) -> ChargeRow:
        """A new transaction, or the open one of that mark. The pile is given the operator's number `upstream`, and ours
        where he gave none, or one that another open transaction of the pile has."""
        known = self._open(pile, mark)
        if known is not None:
            if upstream is not None and known.upstream is None:
                self.relate(pile, known.given, upstream)
            return known
        last = self._db.execute("SELECT coalesce(max(number), 0) FROM charge").fetchone()[0]
        floor = max(0, now - FIRST_AFTER_MS) // (1000 * SECONDS_A_NUMBER) if not last else 0
        number = max(last, floor) + 1
        given = number if upstream is None or upstream <= 0 or self._is_given(pile, upstream) else upstream
        while self._is_given(pile, given):
            given += GIVEN_STEP
        self._db.execute(
            "INSERT INTO charge (number, pile, device, mark, started_at, meter_start, card, given, upstream)"
            " VALUES (?,?,?,?,?,?,?,?,?)",
            (number, pile, device, mark, started_at, meter_start, card, given, upstream),
        )
        return ChargeRow(number, device, mark, started_at, meter_start, None, card, given, upstream, fresh=True)

    def _is_given(self, pile: str, given: int) -> bool:
        return self._row("pile=? AND coalesce(given, number)=? AND ended_at IS NULL", (pile, given)) is not None

    def relate(self, pile: str, given: int, upstream: int) -> None:
        """The operator has told his number of the transaction that the pile knows as `given`."""
        row = self.numbered(pile, given)
        if row is not None:
            self._db.execute("UPDATE charge SET upstream=? WHERE number=?", (upstream, row.number))

    def meter_began(self, pile: str, mark: str, meter_start: float) -> None:
        """Where the register stood, for one that did not say so when it began."""
        self._db.execute(
            "UPDATE charge SET meter_start=? WHERE pile=? AND mark=? AND ended_at IS NULL AND meter_start IS NULL",
            (meter_start, pile, mark),
        )

    def numbered(self, pile: str, given: int) -> ChargeRow | None:
        """By the number that the pile has: the open one, else the newest."""
        return self._row(
            "pile=? AND coalesce(given, number)=? ORDER BY ended_at IS NOT NULL, number DESC LIMIT 1", (pile, given)
        )

    def open_at(self, device: str) -> ChargeRow | None:
        """The one that goes on there, the newest where the end of another never came."""
        return self._row("device=? AND ended_at IS NULL ORDER BY number DESC LIMIT 1", (device,))

    def marked(self, pile: str, mark: str) -> ChargeRow | None:
        """The newest of that mark."""
        return self._row("pile=? AND mark=? ORDER BY number DESC LIMIT 1", (pile, mark))

    def end(self, row: ChargeRow, ended_at: Millis, now: Millis) -> None:
        self._db.execute("UPDATE charge SET ended_at=? WHERE number=?", (ended_at, row.number))
        newest = self._db.execute("SELECT max(number) FROM charge").fetchone()[0]
        self._db.execute(
            "DELETE FROM charge WHERE ended_at < ? AND number < ?", (now - KEPT_MS, newest)
        )  # never the newest: it says where to go on

    def _open(self, pile: str, mark: str) -> ChargeRow | None:
        return self._row("pile=? AND mark=? AND ended_at IS NULL", (pile, mark))

    def _row(self, where: str, values: tuple[str | int, ...]) -> ChargeRow | None:
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM charge WHERE {where}",  # noqa: S608  our own text
            values,
        ).fetchone()
        return None if row is None else ChargeRow(*row)
