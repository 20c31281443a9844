"""What waits for the operator of relayed piles, in the spool's file: sealed frames, in order, each once.

A frame is held in the commit that stores what it tells, before the pile is answered. It goes in the commit that says
that the operator has it. Of a start or an end that he has, its id and his verdict stay for a while: the pile may repeat
it.
"""

import sqlite3  # noqa: TID251  part of the spool's file
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.spool_file import FILE, spool_errors
from gateway.model import Millis

SETTLED_KEPT_MS = 3 * 86_400_000
MOST_SETTLED = 50_000  # steps that a bus remembers
MOST_HELD = 10_000  # of one pile; beyond it what need not last goes first


@dataclass(frozen=True, slots=True)
class HeldFrame:
    """`message` is the id under which the operator hears of it, `body` the sealed frame."""

    seq: int
    message: str
    action: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """A step of a transaction that the operator has: his verdict on who charges, and the number that the pile has."""

    verdict: str | None
    given: int | None


@dataclass(frozen=True, slots=True)
class RelayedBefore:
    """What a bus knows of its piles' relay at its start. `waiting`: ids by pile, in order. `numbers`: by pile, the
    number that it has of each transaction → that of the operator, None where he has given none."""

    waiting: dict[str, list[str]]
    settled: dict[str, Settled]
    numbers: dict[str, dict[int, int | None]]


class RelayBook:
    """Used inside a transaction of the spool; sqlite3.Error goes on to it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def hold(self, pile: str, message: str, action: str, body: bytes, now: Millis, *, lasting: bool) -> None:
        """Nothing where it waits already."""
        self._db.execute(
            "INSERT OR IGNORE INTO relay_held (pile, message, action, lasting, at, body) VALUES (?,?,?,?,?,?)",
            (pile, message, action, lasting, now, body),
        )

    def make_room(self, pile: str) -> list[str]:
        """The ids of what had to go."""
        (count,) = self._db.execute("SELECT count(*) FROM relay_held WHERE pile=?", (pile,)).fetchone()
        if count <= MOST_HELD:
            return []
        rows = self._db.execute(
            "DELETE FROM relay_held WHERE seq IN"
            " (SELECT seq FROM relay_held WHERE pile=? AND NOT lasting ORDER BY seq LIMIT ?) RETURNING message",
            (pile, count - MOST_HELD),
        ).fetchall()
        return [message for (message,) in rows]

    def settle(self, pile: str, message: str) -> None:
        """The operator has it."""
        self._db.execute("DELETE FROM relay_held WHERE pile=? AND message=?", (pile, message))

    def remember(self, pile: str, message: str, settled: Settled, now: Millis) -> None:
        """Note that the operator has this start or end."""
        self._db.execute(
            "INSERT OR REPLACE INTO relay_settled (message, pile, verdict, given, at) VALUES (?,?,?,?,?)",
            (message, pile, settled.verdict, settled.given, now),
        )
        self._db.execute("DELETE FROM relay_settled WHERE at < ?", (now - SETTLED_KEPT_MS,))

    def next(self, pile: str, after: int, limit: int) -> Sequence[HeldFrame]:
        rows = self._db.execute(
            "SELECT seq, message, action, body FROM relay_held WHERE pile=? AND seq>? ORDER BY seq LIMIT ?",
            (pile, after, limit),
        ).fetchall()
        return [HeldFrame(*row) for row in rows]

    def before(self, now: Millis) -> RelayedBefore:
        waiting: dict[str, list[str]] = {}
        for pile, message in self._db.execute("SELECT pile, message FROM relay_held ORDER BY seq"):
            waiting.setdefault(pile, []).append(message)
        rows = self._db.execute(
            "SELECT message, verdict, given FROM relay_settled ORDER BY at DESC LIMIT ?", (MOST_SETTLED,)
        ).fetchall()
        settled = {message: Settled(verdict, given) for message, verdict, given in reversed(rows)}
        numbers: dict[str, dict[int, int | None]] = {}
        for pile, given, upstream in self._db.execute(
            "SELECT pile, coalesce(given, number), upstream FROM charge WHERE ended_at IS NULL OR ended_at > ?"
            " ORDER BY number",
            (now - SETTLED_KEPT_MS,),
        ):
            numbers.setdefault(pile, {})[given] = upstream
        return RelayedBefore(waiting, settled, numbers)


def held_in(folder: Path) -> dict[str, tuple[int, Millis]]:
    """What waits in a spool's folder, also beside a running bridge: by pile how much, and when the oldest came.
    SpoolError.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    with spool_errors(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            rows = db.execute("SELECT pile, count(*), min(at) FROM relay_held GROUP BY pile").fetchall()
        finally:
            db.close()
    return {pile: (count, oldest) for pile, count, oldest in rows}
