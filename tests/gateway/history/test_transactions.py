"""Transactions that chargers tell: which are believed, and to which use of the charger they belong."""

from typing import Any

import msgspec
import pytest

from gateway.history.transactions import Transaction, TransactionSaid, energy_of, joined, transaction_of
from gateway.history.utilization import UseStretch

NOW, MINUTE, DAY = 1_795_000_000_000, 60_000, 86_400_000
TOLD: dict[str, Any] = {
    "type": "transaction", "phase": "ended", "transaction": "7", "started_at": NOW - 60 * MINUTE, "ended_at": NOW,
    "energy_wh": 7500.5,
}  # fmt: skip


def told(**more: Any) -> Transaction | None:
    return transaction_of(msgspec.json.decode(msgspec.json.encode(TOLD | more), type=TransactionSaid), NOW)


def test_an_end_tells_the_whole_transaction() -> None:
    assert told() == Transaction("7", NOW - 60 * MINUTE, NOW, 7_500_500)


def test_without_a_meter_its_energy_is_unknown() -> None:
    assert told(energy_wh=None) == Transaction("7", NOW - 60 * MINUTE, NOW, None)
    assert told(energy_wh=-1) == Transaction("7", NOW - 60 * MINUTE, NOW, None)
    assert told(energy_wh=1.1e9) == Transaction("7", NOW - 60 * MINUTE, NOW, None)
    assert told(energy_wh=1e9) == Transaction("7", NOW - 60 * MINUTE, NOW, 10**12)


@pytest.mark.parametrize(
    "wrong",
    [{"phase": "started"}, {"type": "card"}, {"transaction": ""}, {"transaction": "x" * 65}, {"started_at": None},
     {"ended_at": None}, {"started_at": NOW + 1}, {"ended_at": NOW + 300_001}, {"started_at": NOW - 101 * DAY},
     {"started_at": -1}],
    ids=str,
)  # fmt: skip
def test_what_can_not_be_is_not_believed(wrong: dict[str, Any]) -> None:
    assert told(**wrong) is None


def test_a_use_has_the_transactions_that_began_in_it_and_the_others_stand_alone() -> None:
    first, second = UseStretch(0, 60 * MINUTE, whole=True), UseStretch(100 * MINUTE, None, whole=False)
    early = Transaction("a", -MINUTE, 20 * MINUTE, 1_000)  # told before its connector was seen in use
    later = Transaction("b", 30 * MINUTE, 50 * MINUTE, 2_000)
    between = Transaction("c", 70 * MINUTE, 80 * MINUTE, 4_000)  # while the pile was offline
    going_on = Transaction("d", 101 * MINUTE, 110 * MINUTE, None)
    within, alone = joined([first, second], [early, later, between, going_on])
    assert within == {first: [early, later], second: [going_on]}
    assert alone == [between]
    assert energy_of(within[first]) == 3_000
    assert energy_of(within[second]) is None


def test_of_two_uses_close_together_the_one_that_it_began_in_has_it() -> None:
    first, second = UseStretch(0, 10 * MINUTE, whole=True), UseStretch(11 * MINUTE, 20 * MINUTE, whole=True)
    within, alone = joined([first, second], [Transaction("a", 9 * MINUTE + 30_000, 10 * MINUTE, 1)])
    assert (list(within), alone) == ([first], [])
    within, alone = joined([first, second], [Transaction("a", 10 * MINUTE, 20 * MINUTE, 1)])
    assert (list(within), alone) == ([second], [])
