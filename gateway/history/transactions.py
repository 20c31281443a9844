"""Transactions that a charger tells: the event `transaction` of the bridge, with the pile's own meters. Pure.

They are exact where sums from states are not: several in one stay, one that a pile kept while it was offline, a meter
that nobody else reads. A use takes the energy of those that began in it; one that no state tells of is its own use.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from gateway import wire
from gateway.history.utilization import UseStretch
from gateway.model import Millis

EVENT, ENDED = "transaction", "ended"
MOST_WH = 1e9
LONGEST_MS = 100 * 86_400_000
AHEAD_MS = 300_000
NEAR_MS = 120_000
"""So long before its connector was seen in use may a transaction have begun."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that ended. `energy_mwh` None: a meter is missing."""

    name: str
    start: Millis
    end: Millis
    energy_mwh: int | None


class TransactionSaid(Struct, gc=False):
    """What an event of a transaction tells here."""

    type: str
    phase: str | None = None
    transaction: str | None = None
    started_at: Millis | None = None
    ended_at: Millis | None = None
    energy_wh: wire.Number | None = None


def transaction_of(said: TransactionSaid, received_at: Millis) -> Transaction | None:
    """None for what is no end of one, or can't be true."""
    start, end = said.started_at, said.ended_at
    if said.type != EVENT or said.phase != ENDED or not said.transaction or start is None or end is None:
        return None
    if not 0 <= start <= end <= received_at + AHEAD_MS or end - start > LONGEST_MS or len(said.transaction) > 64:
        return None
    energy = said.energy_wh
    known = energy is not None and 0 <= energy <= MOST_WH
    return Transaction(said.transaction, start, end, round(energy * 1000) if energy is not None and known else None)


def joined(
    uses: Sequence[UseStretch], transactions: Iterable[Transaction]
) -> tuple[dict[UseStretch, list[Transaction]], list[Transaction]]:
    """The transactions of each use that has any, and those that belong to none."""
    within: dict[UseStretch, list[Transaction]] = {}
    alone: list[Transaction] = []
    starts = [use.start for use in uses]
    for transaction in transactions:
        upto = bisect_right(starts, transaction.start + NEAR_MS)
        use = next((use for use in uses[max(0, upto - 2) : upto] if _began_in(transaction, use)), None)
        if use is None:
            alone.append(transaction)
        else:
            within.setdefault(use, []).append(transaction)
    return within, alone


def _began_in(transaction: Transaction, use: UseStretch) -> bool:
    begins = use.start - NEAR_MS <= transaction.start
    return begins and transaction.end > use.start and (use.end is None or transaction.start < use.end)


def energy_of(transactions: Iterable[Transaction]) -> int | None:
    """All of it in mWh; None where that of one is unknown."""
    energies = [transaction.energy_mwh for transaction in transactions]
    return None if None in energies else sum(energy for energy in energies if energy is not None)
