"""The copy in a real engine: as many rows as the journal has, through outages, with the values that were stored."""

from dataclasses import replace

import pytest

from config.schema.store import Influx
from gateway.influx.client import InfluxWriter
from gateway.influx.delivery import CopyPatience
from gateway.influx.lines import Lines
from gateway.influx.ship import Ship
from gateway.store.journal import Journal
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.victoria import PROGRAM, Victoria
from tests.gateway.store.world import NOON, SEAT, batch
from tests.gateway.store.writing import at_once
from tests.patience import until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="victoria-metrics is not installed")
SEATS = [replace(SEAT, id=f"seat-{n:02d}", device=f"seat-{n:02d}") for n in range(3)]


@pytest.fixture
def victoria(tmp_path):
    running = Victoria(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "data", NOON, ballast_mib=0)
    yield opened
    opened.close()


def test_after_outages_the_copy_has_the_rows_of_the_journal(victoria, store, tmp_path):
    token = tmp_path / "token"
    token.write_text("unused")
    target = InfluxWriter(Influx(url=victoria.url, org="o", bucket="b", token_file=token, timeout_s=1))
    ship = Ship(
        target, Lines(SEATS), Journal(store.folder), store.copied(target.name), at_once(store), batch_rows=500,
        rows_per_s=1_000_000, patience=CopyPatience(0.02, 0.05, 0.1, 0.1), busy=lambda: False, stored=lambda: 0,
    )  # fmt: skip
    ship.start()
    sent = 0
    for outage in (victoria.stop, victoria.freeze, victoria.stop):
        for _ in range(20):
            store.commit(batch(sent + 1, 100, NOON + sent, 1), [], [], NOON)
            sent += 100
        outage()
        store.commit(batch(sent + 1, 100, NOON + sent, 1), [], [], NOON)
        sent += 100
        until(lambda: ship.trouble is not None, what="the outage noticed")
        victoria.start()
    until(lambda: ship.delivery.rows == sent, what="the copy")
    ship.end(3)
    rows = victoria.rows("seat_occupied")
    assert len(rows) == len(set(rows)) == sent == 6300
    assert {(name, at) for name, at, _ in rows} == {
        (f"seat-{seq % 3:02d}", NOON + seq - 1 - 20) for seq in range(1, sent + 1)
    }
    assert {value for _, _, value in rows} == {1}
    labels = victoria.labels("seat_occupied")
    assert (labels["station"], labels["resource"], "type" in labels) == ("yanshan", labels["resource"], False)
