"""A meter that tells nonsense costs its own energy, and never the thread that counts."""

import contextlib
import sqlite3
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.model import Batch, Resource
from gateway.store.place import Place
from gateway.store.reader import SqliteReader
from gateway.store.rollups import FILE, Rollups
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import NOON

PILE = Resource("s", "yard", "pile-1", "charger", "pile-1")
DOOR = Resource("s", "yard", "door", "door", "door")
TOPIC, CARDS = b"yz/s/pile-1/state", b"yz/s/door/event"


def said(*payloads: bytes, topic: bytes = TOPIC, at: int = NOON) -> Batch:
    batch = Batch()
    for number, payload in enumerate(payloads):
        batch.append(topic, payload, at + number, 0)
    return batch


def counted(folder: Path, *batches: Batch) -> tuple[int, ...]:
    """Energy in mWh, resets and passages of the resources, of all that was told."""
    place = Place("s", ZoneInfo("UTC"), (PILE, DOOR))
    with (
        contextlib.closing(SqliteStore(folder, NOON, ballast_mib=0)) as store,
        contextlib.closing(SqliteReader(folder)) as reader,
        contextlib.closing(Rollups(folder, [place], reader, NOON, synchronous="OFF")) as rollups,
    ):
        for batch in batches:
            store.commit(batch, [], [], NOON)
        while rollups.tidy(NOON + 1000):
            pass
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        sums = "SELECT sum(energy_mwh), sum(resets), sum(passages) FROM tally JOIN scope ON id = scope"
        (row,) = db.execute(f"{sums} WHERE text IN ('s/pile-1', 's/door')")
    return tuple(row)


def test_a_counter_that_leaps_up_and_down_for_ever_stays_within_the_file(tmp_path: Path) -> None:
    leap = [
        b'{"status":"Charging","energy_wh":1000000000000}',
        b'{"status":"Available","energy_wh":-1000000000000}',
    ]
    energy, resets, _ = counted(tmp_path, said(*leap * 6_000))
    assert (energy, resets > 6_000) == (0, True)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT max(total_mwh) FROM mark").fetchone()[0] < 2**53


@pytest.mark.parametrize("number", ["1e306", "-1e308", "1e400", "9" * 400, "1e17"])
def test_a_number_that_no_meter_counts_to_is_left_out(tmp_path: Path, number: str) -> None:
    good = (b'{"energy_wh":5}', b'{"energy_wh":%s}' % number.encode(), b'{"energy_wh":7}')
    assert counted(tmp_path, said(*good)) == (2000, 0, 0)


def test_what_comes_under_the_numbers_of_a_lost_day_counts(tmp_path: Path) -> None:
    card = b'{"type":"card","granted":true}'
    counted(tmp_path, *[said(card, topic=CARDS) for _ in range(5)])
    next(tmp_path.glob("*.day.db")).unlink()
    assert counted(tmp_path, *[said(card, topic=CARDS) for _ in range(4)])[2] == 9


def test_a_message_from_beyond_the_calendar_counts_nowhere(tmp_path: Path) -> None:
    card = b'{"type":"card","granted":true}'
    beyond = said(card, topic=CARDS, at=10**17), said(b'{"energy_wh":5}', at=10**17)
    assert counted(tmp_path, *beyond, said(card, topic=CARDS)) == (0, 0, 1)
