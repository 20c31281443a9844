"""Each night journal and copy are counted against each other; what the copy lost is brought again."""

from zoneinfo import ZoneInfo

import pytest

from config.schema import Settings
from config.schema.store import Influx
from gateway.influx.ask import flux, held, metricsql
from gateway.influx.by_hand import CopyByHand
from gateway.influx.client import InfluxWriter
from gateway.influx.compare import Compared, DayCount
from gateway.influx.lines import FIELDS, Lines
from gateway.influx.nightly import DayCheck, Nightly
from gateway.influx.ship import Ship, ship_of
from gateway.influx.status import Checked
from gateway.runtime.metrics import of_copy
from gateway.store.base import StoreError
from gateway.store.copy_cursor import position_in
from gateway.store.journal import Journal
from gateway.store.sqlite import SqliteStore
from gateway.store.tenure import ended
from tests.gateway.store.victoria import PROGRAM, Victoria
from tests.gateway.store.world import DAY, HOUR, MIDNIGHT, NOON, SEATS, batch
from tests.gateway.store.writing import at_once
from tests.patience import until

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = MIDNIGHT + DAY + 19 * HOUR  # three o'clock in Shanghai; the day of the rows is over for long
THE_DAY = MIDNIGHT // DAY


def ship_for(influx, store) -> Ship:
    return ship_of(influx, store, SEATS, SHANGHAI, write=at_once(store), busy=lambda: False, stored=lambda: 0)


def fill(store, rows, at=NOON, first=1):
    store.commit(batch(first, rows, at, 10), [], [], at)


def bring(ship):
    while ship.ship_once():
        pass


def nightly_of(ship: Ship) -> Nightly:
    assert ship.nightly is not None
    return ship.nightly


def night(ship, now=NIGHT):
    """Until nothing is left to do; how many pieces that took."""
    pieces = 1
    while ship.nightly.step(now) or ship.nightly._work is not None:
        bring(ship)
        pieces += 1
    ship.ship_once()
    return pieces


def test_a_copy_that_is_whole_is_found_whole_once(server, store, influx):
    fill(store, 300)
    ship = ship_for(influx, store)
    bring(ship)
    night(ship)
    assert (ship.trouble, ship.metrics().checked, ship.metrics().days_again) == (None, Checked(THE_DAY, 0, 0), 0)
    asked = len(server.queries)
    assert night(ship) == 1
    again = ship_for(influx, store)
    assert night(again) == 1  # nor after a restart
    assert len(server.queries) == asked == 1


def test_rows_that_the_copy_lost_are_brought_again(server, store, influx):
    fill(store, 300)
    fill(store, 50, at=NOON + DAY, first=301)
    ship = ship_for(influx, store)
    bring(ship)
    whole = dict(server.points)
    for key in list(whole)[100:250]:
        del server.points[key]
    server.requests.clear()
    night(ship)
    assert server.points == whole
    assert (ship.trouble, ship.metrics().checked, ship.metrics().days_again) == (None, Checked(THE_DAY, 0, 0), 1)
    assert sum(map(len, server.requests)) == 300  # that day's and no other's


def test_what_still_differs_is_told(server, store, influx):
    fill(store, 300)
    ship = ship_for(influx, store)
    bring(ship)
    lost = next(iter(server.points))
    server.take([f"seat,resource=seat-00,station=yanshan occupied=1 {(NOON + 7) * 1_000_000 + 5}"])
    take = server.take
    server.take = lambda lines: take([line for line in lines if not line.endswith(lost[1])])
    del server.points[lost]
    night(ship)
    assert ship.metrics().checked == Checked(THE_DAY, 1, 1)
    assert ship.trouble is not None
    assert "of 2026-05-29 the copy lacks 1 values and has 1 too many, yanshan seat among them" in ship.trouble


def test_rows_that_are_refused_for_good_are_not_missed(server, store, influx):
    fill(store, 300)
    server.rule = lambda lines: (400, {}) if any(line.endswith("000037") for line in lines) else (204, {})
    ship = ship_for(influx, store)
    bring(ship)
    assert len(server.points) == 299
    night(ship)
    assert (ship.metrics().dead_letters, ship.metrics().checked) == (1, Checked(THE_DAY, 0, 0))


def test_on_the_day_of_a_change_of_shards_what_both_copied_is_right(server, influx, tmp_path):
    old = SqliteStore(tmp_path / "box-1of1", NOON, ballast_mib=0)
    fill(old, 100)
    bring(ship_for(influx, old))
    fill(old, 20, at=NOON + 1, first=101)  # not copied any more
    old.write([ended(None, NOON + 2)])
    new = SqliteStore(tmp_path / "box-1of2", NOON, ballast_mib=0)
    fill(new, 50, at=NOON + HOUR, first=121)
    ship = ship_for(influx, new)
    bring(ship)
    before = len(server.points)
    night(ship)
    assert len(server.points) == before + 20, "what the old one had left is brought by the new one"
    assert (ship.trouble, ship.metrics().checked) == (None, Checked(THE_DAY, 0, 0))
    old.close()
    new.close()


def test_a_night_that_our_own_fault_ends_is_tried_the_next_night_and_not_at_once(server, store, influx, monkeypatch):
    fill(store, 300)
    ship = ship_for(influx, store)
    bring(ship)
    counted = []

    def breaks(*_values, **_named):
        counted.append(1)
        raise KeyError("a fault of ours")

    monkeypatch.setattr(DayCount, "add", breaks)
    with pytest.raises(KeyError):
        night(ship)
    night(ship)
    assert len(counted) == 1


def test_a_row_counts_for_the_day_on_which_it_was_true(server, store, influx):
    fill(store, 300)
    late = batch(301, 20, NOON + 30 * HOUR, 10)
    late.payloads = [payload.replace(b'{"ts":', b'{"ts":%d,"was":' % NOON) for payload in late.payloads]
    store.commit(late, [], [], NOON + 30 * HOUR)
    ship = ship_for(influx, store)
    bring(ship)
    check = DayCheck(influx, Journal(store.folder), Lines(SEATS))
    count = DayCount(THE_DAY, set())
    list(check.count(count))
    assert check.ask(count) == [Compared("yanshan", "seat", 320, 320, 0, 0)]


def test_what_the_copy_has_not_been_given_yet_is_neither_missing_nor_too_much(server, store, influx):
    fill(store, 100)
    ship = ship_for(influx, store)
    bring(ship)
    ship.ship_once()
    fill(store, 100, first=101)
    upto, refused = position_in(store.folder, InfluxWriter(influx).name)
    server.take(Lines(SEATS).of_batch(batch(101, 40, NOON, 10)))  # these are there already
    check = DayCheck(influx, Journal(store.folder), Lines(SEATS))
    count = DayCount(THE_DAY, refused)
    list(check.count(count, upto))
    (compared,) = check.ask(count)
    assert (compared.journal, compared.missing, compared.surplus) == (100, 0, 0)


@pytest.mark.parametrize(
    ("now", "compared"),
    [
        (MIDNIGHT + DAY + HOUR // 2, None),  # not over for an hour
        (MIDNIGHT + DAY + 6 * HOUR, None),  # by day
        (NIGHT, THE_DAY),
        (NIGHT + 10 * HOUR, THE_DAY),  # the night was slept through; the day after it has one of its own
    ],
)
def test_it_waits_for_the_night_unless_that_was_missed(store, influx, now, compared):
    fill(store, 30)
    ship = ship_for(influx, store)
    bring(ship)
    night(ship, MIDNIGHT + 19 * HOUR)  # the night before
    nightly_of(ship).checked = None
    night(ship, now)
    checked = nightly_of(ship).checked
    assert (checked.day if checked else None) == compared


def test_a_day_that_the_bucket_no_longer_keeps_whole_is_not_compared(server, store, influx):
    fill(store, 30)
    ship = ship_for(influx.model_copy(update={"retention_days": 1}), store)
    bring(ship)
    server.points.clear()
    night(ship)
    assert (ship.trouble, nightly_of(ship).checked, server.queries) == (None, None, [])


def test_what_the_night_found_is_among_the_figures(server, store, influx):
    fill(store, 30)
    ship = ship_for(influx, store)
    bring(ship)
    server.points.popitem()
    server.take = lambda _lines: None
    night(ship)
    figures = {sample.name: sample.value for family in of_copy(ship.metrics()) for sample in family.samples}
    assert figures["yizhan_copy_checked_day_seconds"] == MIDNIGHT / 1000
    assert (figures["yizhan_copy_missing_values"], figures["yizhan_copy_surplus_values"]) == (1, 0)
    assert (figures["yizhan_copy_days_again_total"], figures["yizhan_copy_trouble"]) == (1, 1)


def test_an_engine_that_cannot_count_is_no_trouble(server, store, influx, caplog):
    fill(store, 30)
    ship = ship_for(influx, store)
    bring(ship)
    server.query_status = 400
    night(ship)
    assert (ship.trouble, ship.metrics().checked) == (None, None)
    assert "it answers 400 to Flux and 404 to MetricsQL" in caplog.text
    server.query_status = 401
    with pytest.raises(StoreError, match="give the token read:buckets"):
        held(influx, ["yanshan"], NOON, NOON + 1)


def test_the_questions_are_plain_flux_and_metricsql():
    assert flux("b", ["yanshan", "hall-2"], NOON, NOON + HOUR) == (
        'from(bucket: "b")\n'
        "  |> range(start: 2026-05-29T12:00:00.000Z, stop: 2026-05-29T13:00:00.000Z)\n"
        f"  |> filter(fn: (r) => r._measurement =~ /^({'|'.join(FIELDS)})$/"
        " and r.station =~ /^(yanshan|hall-2)$/)\n"
        '  |> group(columns: ["_measurement", "station", "resource", "_field"])\n'
        "  |> count()"
    )
    assert metricsql(["yanshan"], NOON, NOON + HOUR)["query"] == (
        f'count_over_time({{__name__=~"({"|".join(FIELDS)})_.+",station=~"yanshan"}}[3600000ms]) keep_metric_names'
    )


@pytest.mark.skipif(PROGRAM is None, reason="victoria-metrics is not installed")
def test_what_a_killed_engine_had_taken_and_lost_is_there_again_in_the_morning(store, tmp_path):
    (tmp_path / "token").write_text("unused")
    victoria = Victoria(tmp_path)
    victoria.start()
    try:
        influx = Influx(url=victoria.url, org="o", bucket="b", token_file=tmp_path / "token")
        fill(store, 3000)
        ship = ship_for(influx, store)
        bring(ship)
        victoria.kill()  # it answers before its rows are on disk
        victoria.start()
        assert ship.delivery.rows == 3000
        assert len(victoria.rows("seat_occupied")) < 3000
        night(ship)
        until(lambda: len(victoria.rows("seat_occupied")) == 3000)
        assert nightly_of(ship).again == 1
    finally:
        victoria.stop()


def test_comparing_by_hand_tells_how_far_it_is(server, store, influx):
    seats = [{"id": seat.id, "kind": "seat"} for seat in SEATS]
    area = {"id": "hall", "resources": seats}
    settings = Settings.model_validate({"stations": [{"id": SEATS[0].station, "areas": [area]}]})
    fill(store, 600)
    told = []
    CopyByHand(settings, influx, [store.folder], lambda done, total: told.append((done, total))).compare(NOON // DAY)
    assert told[-1] == (600, 600)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
