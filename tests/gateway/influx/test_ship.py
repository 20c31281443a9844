"""The copy in InfluxDB against every answer of the handling table: each row arrives, once, whatever happened."""

import logging
import random
import re
import threading
import time

import pytest

from config.schema.store import Influx
from gateway.base.mishaps import Mishaps
from gateway.influx.client import InfluxWriter, answer_of, retry_after_s
from gateway.influx.delivery import CopyPatience
from gateway.influx.lines import Lines
from gateway.influx.ship import Ship
from gateway.store.copy_cursor import position_in
from gateway.store.journal import Journal
from tests.gateway.store.influx_server import fine
from tests.gateway.store.world import DAY, HOUR, NOON, SEATS, batch
from tests.patience import until

QUICK = CopyPatience(linger_s=0.02, first_s=0.01, longest_s=0.02, configuration_s=0.05)


@pytest.fixture
def shipping(server, store, tmp_path):
    """Start a ship on the store; the writer's thread is stood in for by a lock. All are ended with the test."""
    ships, lock = [], threading.Lock()
    token = tmp_path / "token"
    token.write_text("secret\n")

    def write(jobs, done=None, *, patient=True):
        with lock:
            store.write(jobs)

    def start(*, bucket="b", batch_rows=100, timeout_s=1, rows_per_s=1_000_000, busy=lambda: False, mishaps=None):
        settings = Influx(url=server.url, org="o", bucket=bucket, token_file=token, timeout_s=timeout_s)
        target = InfluxWriter(settings)
        ship = Ship(
            target, Lines(SEATS), Journal(store.folder), store.copied(target.name), write, batch_rows=batch_rows,
            rows_per_s=rows_per_s, patience=QUICK, busy=busy, stored=lambda: 0, mishaps=mishaps,
        )  # fmt: skip
        ships.append(ship)
        ship.start()
        return ship

    yield start
    for ship in ships:
        ship.end(3)
        assert not ship.is_alive()


def fill(store, rows, first=1, at=NOON, at_once=50):
    for seq in range(first, first + rows, at_once):
        store.commit(batch(seq, min(at_once, first + rows - seq), at, 1), [], [], at)


def first_times(count, answer):
    """This answer so many times, then all is well."""
    left = [answer] * count
    return lambda lines: left.pop() if left else fine(lines)


@pytest.mark.parametrize(
    ("answer", "count", "reason"),
    [
        ((503, {}), 3, "503"),
        ((503, {"Retry-After": "0"}), 2, "503"),
        ((429, {"Retry-After": "0"}), 2, "429"),
        ((500, {}), 2, "500"),
        ((502, {}), 1, "502"),
        ("reset", 2, "connection"),
        ("hang", 1, "timeout"),
        ("late", 1, "timeout"),  # written, and we were not told: the same lines again
        ((401, {}), 1, "401"),
        ((403, {}), 1, "403"),
        ((404, {}), 1, "404"),
        ((200, {}), 1, "200"),  # somebody's login page
        ((302, {"Location": "/login"}), 1, "302"),
        ((413, {}), 2, "413"),
        ((400, {}), 1, "400"),  # part refused, then taken in halves
        ((422, {}), 1, "422"),
    ],
)
def test_after_any_trouble_each_row_is_there_once(server, store, shipping, answer, count, reason):
    fill(store, 250)
    server.rule = first_times(count, answer)
    ship = shipping()
    until(lambda: len(server.points) == 250 and ship.delivery.rows == 250)
    assert ship.delivery.failures == {reason: count}
    assert ship.trouble is None
    assert ship.metrics().backlog == 0
    assert ship.metrics().dead_letters == 0


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_server_answers_in_whatever_order_each_row_is_there_once(server, store, shipping, seed):
    rng = random.Random(seed)
    odd = [(503, {"Retry-After": "0"}), (500, {}), "reset", (401, {}), (413, {}), (429, {}), (400, {}), (422, {})]
    server.rule = lambda _lines: rng.choice(odd) if rng.random() < 0.4 else (204, {})
    ship = shipping(batch_rows=50)
    for first in range(1, 1500, 300):
        fill(store, 300, first=first)
        time.sleep(0.05)
    until(lambda: sum(ship.delivery.failures.values()) > 30 or ship.delivery.rows == 1500)
    server.rule = fine
    until(lambda: ship.delivery.rows + ship.metrics().dead_letters == 1500)
    ship.end(3)
    dead = store.core.execute("SELECT count(*) FROM dead_letter").fetchone()[0]
    assert len(server.points) == 1500 - dead
    assert dead <= 1500 // 20


def test_one_poisoned_row_is_laid_aside_and_all_others_arrive(server, store, shipping):
    fill(store, 100)
    server.rule = lambda lines: (400, {}) if any(line.endswith("000037") for line in lines) else (204, {})
    ship = shipping()
    until(lambda: ship.delivery.rows == 99)
    assert len(server.points) == 99
    until(lambda: ship.metrics().backlog == 0)
    ship.end(2)
    ((line, reason),) = store.core.execute("SELECT line, reason FROM dead_letter").fetchall()
    assert line.endswith("000037")
    assert reason.startswith("400 ")


def test_a_server_that_is_mended_while_we_look_for_the_bad_row_costs_none(server, store, shipping):
    fill(store, 100)
    server.rule = first_times(9, (400, {}))  # down to single rows, and two of them refused
    ship = shipping()
    until(lambda: ship.delivery.rows == 100)
    assert len(server.points) == 100
    assert ship.metrics().dead_letters == 0


def test_when_more_than_a_twentieth_is_refused_nothing_is_left_out(server, store, shipping):
    fill(store, 100)
    server.rule = lambda lines: (422, {}) if any(int(line[-6:]) % 10 == 0 for line in lines) else (204, {})
    ship = shipping()
    until(lambda: ship.trouble is not None and "refuses too many rows" in ship.trouble)
    assert ship.delivery.rows == 0
    server.rule = fine  # the schema is mended
    until(lambda: ship.delivery.rows == 100)
    assert len(server.points) == 100
    until(lambda: ship.trouble is None)
    assert store.core.execute("SELECT count(*) FROM dead_letter").fetchone() == (0,)


def test_a_row_that_is_refused_alone_waits_for_company_before_it_is_laid_aside(server, store, shipping):
    fill(store, 1)
    server.rule = lambda lines: (400, {}) if any(line.endswith("000001") for line in lines) else (204, {})
    ship = shipping()
    until(lambda: ship.trouble is not None)
    assert ship.metrics().dead_letters == 0
    fill(store, 30, first=2)
    until(lambda: ship.delivery.rows == 30)
    assert ship.metrics().dead_letters == 1


def test_too_large_a_batch_is_halved_until_it_fits_and_stays_so(server, store, shipping):
    fill(store, 400)
    server.rule = lambda lines: (413, {}) if len(lines) > 30 else (204, {})
    ship = shipping()
    until(lambda: ship.delivery.rows == 400)
    assert ship.delivery.failures["413"] < 10
    assert len(server.points) == 400


def test_who_was_too_large_once_is_tried_again_later(server, store, shipping):
    server.rule = first_times(2, (413, {}))
    ship = shipping()
    for first in range(1, 2000, 200):
        fill(store, 200, first=first)
    until(lambda: ship.delivery.rows == 2000)
    assert max(len(lines) for lines in server.requests[-5:]) >= 100


def test_one_that_calls_a_single_row_too_large_is_soon_sent_many_again(server, store, shipping):
    fill(store, 1000)
    server.rule = first_times(11, (413, {}))
    ship = shipping(batch_rows=1000)
    until(lambda: ship.delivery.rows == 1000)
    assert ship.metrics().dead_letters == 0
    assert len(server.requests) < 11 + 20 * 10


@pytest.mark.parametrize(
    "words",
    [
        (422, "failure writing points to database: partial write: points beyond retention policy dropped=7"),
        (422, "partial write: dropped 7 points outside retention policy of duration 24h0m0s"),
        (500, "unexpected error writing points to database: partial write: points beyond retention policy dropped=7"),
    ],
)
def test_what_is_older_than_the_copy_keeps_is_left_out_and_holds_nothing_up(server, store, shipping, words):
    """InfluxDB takes the rest of such a batch and complains of the whole."""
    fill(store, 1000, at=NOON - 3 * DAY)
    fill(store, 700, first=1001, at=NOON)

    def rule(lines):
        young = [line for line in lines if int(line.rpartition(" ")[2]) >= (NOON - DAY) * 1_000_000]
        server.take(young)
        return (204, {}) if len(young) == len(lines) else (words[0], {"message": words[1]})

    server.rule = rule
    ship = shipping(batch_rows=300)
    until(lambda: ship.delivery.rows == 700)
    assert len(server.points) == 700
    assert (ship.delivery.expired, ship.metrics().dead_letters, ship.trouble) == (1000, 0, None)
    assert len(server.requests) < 40


def test_a_partial_write_that_an_older_server_calls_its_own_fault_is_searched_for_the_bad_row(server, store, shipping):
    fill(store, 100)
    words = {"message": "partial write: field type conflict dropped=1"}
    server.rule = lambda lines: (500, words) if any(line.endswith("000037") for line in lines) else (204, {})
    ship = shipping()
    until(lambda: ship.delivery.rows == 99)
    assert ship.metrics().dead_letters == 1


def test_where_a_person_must_act_the_trouble_is_told_and_the_token_read_anew(server, store, shipping, tmp_path):
    fill(store, 10)
    server.rule = lambda _lines: (204, {}) if "Token mended" in server.headers[-1].values() else (401, {})
    ship = shipping()
    until(lambda: ship.trouble is not None and "configuration" in ship.trouble)
    (tmp_path / "token").write_text("mended")
    until(lambda: ship.delivery.rows == 10)
    assert ship.trouble is None


def test_a_fault_of_ours_ends_a_step_and_not_the_copy(server, store, shipping, monkeypatch):
    fill(store, 20)
    real, broken = Lines.of_batch, [True]

    def of_batch(self, batch, failed):
        if broken:
            broken.pop()
            raise KeyError("a fault of ours")
        return real(self, batch, failed)

    monkeypatch.setattr(Lines, "of_batch", of_batch)
    ship = shipping()
    until(lambda: ship.delivery.rows == 20)
    until(lambda: ship.trouble is None)
    assert ship.is_alive()


def test_a_count_that_fails_does_not_keep_the_copy_from_beginning(server, store, shipping, monkeypatch):
    fill(store, 20)

    def breaks(_journal, _after):
        raise KeyError("a fault of ours")

    monkeypatch.setattr(Journal, "count", breaks)
    ship = shipping()
    until(lambda: ship.delivery.rows == 20)
    assert ship.is_alive()


def test_a_message_that_no_line_can_be_made_of_is_a_dead_letter_and_the_rest_goes_on(
    server, store, shipping, monkeypatch
):
    fill(store, 120)
    mishaps, of = Mishaps(), Lines.of

    def breaks(self, topic, payload, received_at, flags):
        if b'"seq":37,' in payload:
            raise KeyError("a fault of ours")
        return of(self, topic, payload, received_at, flags)

    monkeypatch.setattr(Lines, "of", breaks)
    ship = shipping(mishaps=mishaps)
    until(lambda: ship.delivery.rows == 119)
    until(lambda: ship.metrics().dead_letters == 1)
    ship.end(3)
    (line,) = position_in(store.folder, ship._target.name)[1]
    assert re.fullmatch(r"# received at \d+ on yz/yanshan/seat-\d+/state", line)
    assert mishaps.take() == [("yanshan", "KeyError")]
    assert ship.trouble is None


def test_a_row_that_our_own_client_fails_over_is_a_dead_letter_and_the_rest_goes_on(
    server, store, shipping, monkeypatch
):
    fill(store, 120)
    write = InfluxWriter.write

    def breaks(self, lines, now):
        if any(line.endswith("000037") for line in lines):
            raise KeyError("a fault of ours")
        return write(self, lines, now)

    monkeypatch.setattr(InfluxWriter, "write", breaks)
    mishaps = Mishaps()
    ship = shipping(mishaps=mishaps)
    until(lambda: ship.delivery.rows == 119)
    until(lambda: ship.metrics().dead_letters == 1)
    assert mishaps.count == ship.delivery.failures["fault"] > 0
    assert ship.trouble is None


def test_a_client_of_ours_that_fails_over_everything_leaves_nothing_out(server, store, shipping, monkeypatch):
    fill(store, 120)
    broken, write = [True], InfluxWriter.write

    def breaks(self, lines, now):
        if broken[0]:
            raise KeyError("a fault of ours")
        return write(self, lines, now)

    monkeypatch.setattr(InfluxWriter, "write", breaks)
    ship = shipping()
    until(lambda: ship.trouble is not None)
    broken[0] = False
    until(lambda: ship.delivery.rows == 120)
    assert ship.metrics().dead_letters == 0


def test_a_line_that_is_no_text_is_no_matter_of_the_token(tmp_path):
    (tmp_path / "token").write_text("secret")
    writer = InfluxWriter(Influx(url="http://127.0.0.1:1", org="o", bucket="b", token_file=tmp_path / "token"))
    with pytest.raises(UnicodeEncodeError):
        writer.write(["seat,resource=\ud800 occupied=1 1"], NOON)


def test_rows_that_come_while_it_runs_are_brought_along_also_over_midnight(server, store, shipping):
    ship = shipping()
    for day in range(3):
        fill(store, 20, first=1 + 20 * day, at=NOON + day * DAY)
        expected = 20 * (day + 1)
        until(lambda expected=expected: len(server.points) == expected)
    until(lambda: ship.delivery.rows == 60)  # counted after the answer


def test_after_a_restart_it_goes_on_where_it_was_and_another_bucket_begins_at_the_beginning(server, store, shipping):
    fill(store, 60)
    ship = shipping()
    until(lambda: ship.delivery.rows == 60)
    ship.end(2)
    fill(store, 40, first=61)
    server.requests.clear()
    again = shipping()
    until(lambda: again.delivery.rows == 40)
    assert sum(map(len, server.requests)) == 40
    again.end(2)
    other = shipping(bucket="other")
    until(lambda: other.delivery.rows == 100)


def test_sealed_hours_are_brought_as_well(server, store, shipping):
    fill(store, 200)
    while store.tidy(NOON + 2 * HOUR):
        pass
    store.checkpoint(0, store.last_id, b"")
    while store.tidy(NOON + 3 * HOUR):
        pass
    fill(store, 10, first=201, at=NOON + 3 * HOUR)
    ship = shipping()
    until(lambda: ship.delivery.rows == 210)
    assert len(server.points) == 210


def test_messages_behind_the_cursor_are_counted_packed_or_sealed(store):
    fill(store, 130)
    journal = Journal(store.folder)
    assert journal.count(0) == 130
    assert journal.count(1) == 80
    store.checkpoint(0, store.last_id, b"")
    while store.tidy(NOON + 3 * HOUR):
        pass
    assert journal.count(0) == 130


def test_filling_a_new_copy_with_a_long_past_is_told_in_the_log(server, store, shipping, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("gateway.influx.ship.FILLED_FROM", 200)
    monkeypatch.setattr("gateway.base.progress.LOG_S", 0.0)
    fill(store, 500)
    shipping(batch_rows=100)
    until(lambda: "filling the copy: 500 of 500" in caplog.text)
    assert "the copy lacks 500 messages; they follow, the oldest first" in caplog.text
    assert "left" in caplog.text


def test_it_is_no_faster_than_it_may_be(server, store, shipping):
    fill(store, 300)
    begin = time.monotonic()
    ship = shipping(rows_per_s=600)
    until(lambda: ship.delivery.rows == 300)
    assert time.monotonic() - begin >= 0.3


def test_what_is_asked_of_the_server_is_compressed_and_names_bucket_and_precision(server, store, shipping):
    fill(store, 10)
    ship = shipping()
    until(lambda: ship.delivery.rows == 10)
    assert server.asked[0] == {"org": "o", "bucket": "b", "precision": "ns"}
    assert server.headers[0]["Content-Encoding"] == "gzip"
    assert server.headers[0]["Authorization"] == "Token secret"


def test_a_server_may_say_when_to_come_again():
    assert retry_after_s("7", NOON) == 7
    assert retry_after_s("Fri, 29 May 2026 12:00:30 GMT", NOON) == 30
    assert retry_after_s("Fri, 29 May 2026 11:00:00 GMT", NOON) == 0
    assert retry_after_s("soon", NOON) is None
    assert retry_after_s(None, NOON) is None
    assert answer_of(503, {"Retry-After": "5"}, "", NOON).wait_s == 5
