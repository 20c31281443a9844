"""A commit that fails by its rows, not by the disk: all of it is stored but the rows that are at fault."""

from collections.abc import Callable, Sequence

from gateway.base.mishaps import Mishaps
from gateway.core.outcome import Outcome
from gateway.core.pipeline import INTERNAL_ERROR
from gateway.model import Batch, Change, Millis, Rejected
from gateway.store.journal import parts
from gateway.wire import station_in

Piece = tuple[Batch, Sequence[Change], Sequence[Rejected]]
Insist = Callable[[Rejected], int]  # keeps a row without bytes, for which the store alone can be at fault
# Stores a piece and returns the id of the newest batch. It waits for a store in trouble: what it raises is the rows'.
Commit = Callable[[Batch, Sequence[Change], Sequence[Rejected]], int]


def commit_in_halves(
    outcome: Outcome, now: Millis, commit: Commit, insist: Insist, mishaps: Mishaps
) -> tuple[int, list[Rejected]]:
    """Store what can be stored; returns the newest id, and the rows in quarantine instead.

    Afterwards `outcome` holds what stands in the journal.
    """
    stored, aside = Outcome(), list[Rejected]()
    waiting: list[Piece] = [(outcome.batch, [], []), (Batch(), outcome.changes, []), (Batch(), [], outcome.rejected)]
    waiting = [piece for piece in waiting if _size(piece)]
    number = 0
    while waiting:
        piece = waiting.pop(0)
        try:
            number = commit(*piece)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            if _size(piece) > 1:
                waiting[:0] = _halved(piece)
                continue
            rows = _as_rejected(piece, now, error)
            station = piece[1][0].resource.station if piece[1] else station_in(rows[0].topic)
            mishaps.note(f"a row that can't be stored, now in quarantine as {INTERNAL_ERROR}", error, station)
            aside += rows
            continue
        _add(stored, piece)
    for at, row in enumerate(aside):
        aside[at], number = _set_aside(row, commit, insist, mishaps)
    outcome.batch, outcome.changes, outcome.rejected = stored.batch, stored.changes, [*stored.rejected, *aside]
    return number, aside


def _size(piece: Piece) -> int:
    batch, changes, rejected = piece
    return len(batch) + len(changes) + len(rejected)


def _halved(piece: Piece) -> list[Piece]:
    """A piece of one kind of rows in two, in order."""
    batch, changes, rejected = piece
    half = (_size(piece) + 1) // 2
    if batch.payloads:
        return [(part, [], []) for part in parts(batch, half)]
    if changes:
        return [(Batch(), changes[:half], []), (Batch(), changes[half:], [])]
    return [(Batch(), [], rejected[:half]), (Batch(), [], rejected[half:])]


def _add(stored: Outcome, piece: Piece) -> None:
    batch, changes, rejected = piece
    whole = stored.batch
    whole.topics += batch.topics
    whole.payloads += batch.payloads
    whole.received += batch.received
    whole.flags += batch.flags
    whole.numbers += batch.numbers
    whole.looked_up += batch.looked_up
    stored.changes += changes
    stored.rejected += rejected


def _as_rejected(piece: Piece, now: Millis, error: Exception) -> list[Rejected]:
    """What can be kept of the one row of a piece, as bytes."""
    batch, changes, rejected = piece
    kept = [
        Rejected(topic, payload, now, INTERNAL_ERROR)
        for topic, payload in zip(batch.topics, batch.payloads, strict=True)
    ]
    for change in changes:
        place = f"{change.resource.station}/{change.resource.id}".encode(errors="backslashreplace")
        kept.append(
            Rejected(place, f"change at {change.at}: {error!r}".encode(errors="backslashreplace"), now, INTERNAL_ERROR)
        )
    return kept + [Rejected(row.topic, row.payload, now, INTERNAL_ERROR) for row in rejected]


def _set_aside(row: Rejected, commit: Commit, insist: Insist, mishaps: Mishaps) -> tuple[Rejected, int]:
    """Into quarantine, without its bytes if they are what can't be stored."""
    try:
        return row, commit(Batch(), [], [row])
    except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
        bare = Rejected(b"", b"", row.received_at, row.reason)
        mishaps.note("keeping the bytes of a row that can't be stored", error)
        return bare, insist(bare)
