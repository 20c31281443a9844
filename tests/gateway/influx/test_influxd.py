"""The copy in a real InfluxDB 2: what it answers, word for word, and that it then holds what the journal has."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.commands.doctor_copies import copy as doctor_copy
from config.schema import Settings
from config.schema.store import Influx
from gateway.base.clock import now_ms
from gateway.core.plan import resource_of
from gateway.influx.client import InfluxWriter
from gateway.influx.compare import DayCount
from gateway.influx.delivery import CopyPatience, DriftError
from gateway.influx.lines import Lines
from gateway.influx.reader import InfluxReader
from gateway.influx.setup import init_bucket
from gateway.influx.ship import Ship, ship_of
from gateway.model import Message
from gateway.runtime.importer import Importer
from gateway.store.base import StoreError
from gateway.store.journal import Journal
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.influx.test_nightly import NIGHT, THE_DAY, bring, fill, night
from tests.gateway.influx.test_reader import MINUTE, SAID
from tests.gateway.store.influxd import MISSING, OPERATOR, ORG, PROGRAM, Influxd
from tests.gateway.store.world import NOON, SEATS, batch
from tests.gateway.store.writing import at_once
from tests.patience import until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason=MISSING)]

SHANGHAI = ZoneInfo("Asia/Shanghai")
SEAT_LINE = "seat,resource=seat-01,station=yanshan occupied=1 1700000000000000000"


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    running = Influxd(tmp_path_factory.mktemp("influxd"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def influx(influxd: Influxd, tmp_path: Path, request: pytest.FixtureRequest) -> Influx:
    """With a bucket of its own, not made yet."""
    token = tmp_path / "token"
    token.write_text(OPERATOR)
    name = request.node.name.partition("[")[0]
    return Influx(url=influxd.url, org=ORG, bucket=name, token_file=token, batch_rows=100)


def with_token(influx: Influx, text: str) -> Influx:
    influx.token_file.write_text(text)
    return influx


def ship_for(influx: Influx, store: SqliteStore) -> Ship:
    return ship_of(influx, store, SEATS, SHANGHAI, write=at_once(store), busy=lambda: False, stored=lambda: 0)


def write(influx: Influx, *lines: str) -> tuple[str, str, str]:
    writer = InfluxWriter(influx)
    answer = writer.write(lines, now_ms())
    writer.close()
    return answer.verdict, answer.reason, answer.text


def findings(influx: Influx) -> list[tuple[str, str]]:
    return [(line.mark, line.text) for line in doctor_copy(influx)]


def test_the_bucket_is_made_and_its_retention_follows_the_configuration(influxd: Influxd, influx: Influx) -> None:
    name = influx.bucket
    assert init_bucket(influx) == f"bucket {name} is made and keeps everything"
    assert init_bucket(influx) == f"bucket {name} is there and keeps everything"
    week = influx.model_copy(update={"retention_days": 7})
    assert init_bucket(week) == f"bucket {name} was there; now it keeps 7 days"
    (bucket,) = influxd.ask("GET", f"/api/v2/buckets?name={name}")["buckets"]
    assert [rule["everySeconds"] for rule in bucket["retentionRules"]] == [7 * 86_400]
    assert init_bucket(influx) == f"bucket {name} was there; now it keeps everything"


def test_an_unknown_organisation_or_a_refused_token_is_told_with_its_mend(influxd: Influxd, influx: Influx) -> None:
    with pytest.raises(StoreError, match=r"store\.influx\.org"):
        init_bucket(influx.model_copy(update={"org": "nobody"}))
    init_bucket(influx)
    reading, _ = influxd.token(influx.bucket, "read")
    with pytest.raises(StoreError, match=r"401 Unauthorized: .*token"):
        init_bucket(with_token(influx, "nobody's"))
    with_token(influx, reading)
    with pytest.raises(StoreError, match="token"):
        init_bucket(influx.model_copy(update={"retention_days": 3}))


def test_what_it_answers_is_understood(influxd: Influxd, influx: Influx) -> None:
    assert write(influx, SEAT_LINE)[:2] == ("configuration", "404")  # no bucket yet
    init_bucket(influx)
    assert write(influx, SEAT_LINE)[:2] == ("taken", "204")
    assert write(influx, SEAT_LINE, SEAT_LINE.replace("=1 1", '="x" 1'))[:2] == ("refused", "422")
    assert write(influx, SEAT_LINE, "garbage")[:2] == ("refused", "400")
    elsewhere = influx.model_copy(update={"org": "nobody"})
    assert write(elsewhere, SEAT_LINE)[:2] == ("configuration", "404")
    week = influx.model_copy(update={"retention_days": 7})
    init_bucket(week)
    verdict, reason, text = write(week, SEAT_LINE)
    assert (verdict, reason) == ("expired", "422"), text
    assert write(with_token(influx, "nobody's"), SEAT_LINE)[:2] == ("configuration", "401")
    reading, _ = influxd.token(influx.bucket, "read")
    assert write(with_token(influx, reading), SEAT_LINE)[:2] == ("configuration", "403")


def test_the_doctor_tells_what_is_wrong_and_leaves_nothing_behind(influxd: Influxd, influx: Influx) -> None:
    ((level, text),) = findings(influx)
    assert (level, "run `yizhan store init`" in text) == ("fail", True), text
    init_bucket(influx)
    assert [level for level, _ in findings(influx)] == ["ok"]
    assert influxd.lines(influx.bucket) == 0
    writing, _ = influxd.token(influx.bucket, "write")
    _, (level, text) = findings(with_token(influx, writing))
    assert (level, "read:buckets" in text) == ("warn", True), text
    reading, _ = influxd.token(influx.bucket, "read")
    ((level, text),) = findings(with_token(influx, reading))
    assert (level, "the token must write this bucket" in text) == ("fail", True), text
    ((level, text),) = findings(with_token(influx, "nobody's"))
    assert (level, "check the token" in text) == ("fail", True), text


def test_a_poisoned_row_costs_itself_and_what_is_too_old_holds_nothing_up(
    influxd: Influxd, influx: Influx, store: SqliteStore
) -> None:
    week = influx.model_copy(update={"retention_days": 7})
    init_bucket(week)
    ship = ship_for(week, store)
    now_ns = now_ms() * 1_000_000
    good = [f"seat,resource=seat-01,station=yanshan occupied=1 {now_ns + n}" for n in range(60)]
    old = [f"seat,resource=seat-01,station=yanshan occupied=1 {1_700_000_000_000_000_000 + n}" for n in range(40)]
    poisoned = f'seat,resource=seat-01,station=yanshan occupied="x" {now_ns + 1_000}'
    (dead,) = ship.delivery.deliver([*old, *good, poisoned])
    assert (dead[1], dead[2].partition(" ")[0]) == (poisoned, "422")
    assert (ship.delivery.rows, ship.delivery.expired) == (60, 40)
    assert influxd.lines(week.bucket) == 60
    with pytest.raises(DriftError, match="field type conflict"):
        ship.delivery.deliver([poisoned.replace(str(now_ns + 1_000), str(now_ns + 2_000 + n)) for n in range(5)])


def test_kills_a_lost_bucket_and_a_lost_right_cost_no_row(influxd: Influxd, influx: Influx, store: SqliteStore) -> None:
    init_bucket(influx)
    text, token_id = influxd.token(influx.bucket, "read", "write")
    target = InfluxWriter(with_token(influx, text))
    ship = Ship(
        target, Lines(SEATS), Journal(store.folder), store.copied(target.name), at_once(store), batch_rows=500,
        rows_per_s=1_000_000, patience=CopyPatience(0.02, 0.05, 0.1, 0.1), busy=lambda: False, stored=lambda: 0,
    )  # fmt: skip
    ship.start()
    sent = 0

    def more() -> None:
        nonlocal sent
        store.commit(batch(sent + 1, 100, NOON + sent, 1), [], [], NOON)
        sent += 100

    def whole() -> bool:
        return ship.delivery.rows == sent and ship.trouble is None

    more()
    until(whole, what="the first rows")
    influxd.kill()
    more()
    until(lambda: "can't be reached" in (ship.trouble or ""), what="the kill noticed")
    influxd.start()
    until(whole, what="what waited for the server")
    influxd.withdraw(token_id)
    more()
    until(lambda: "401 " in (ship.trouble or ""), what="the lost right noticed")
    with_token(influx, OPERATOR)  # is read anew
    until(whole, what="what waited for the right")
    assert influxd.lines(influx.bucket) == sent
    influxd.drop_bucket(influx.bucket)
    more()
    until(lambda: "404 " in (ship.trouble or ""), what="the lost bucket noticed")
    init_bucket(influx)
    until(whole, what="what waited for the bucket")
    ship.end(30)
    assert influxd.lines(influx.bucket) == 100  # what a bucket took with it is brought by `store compare --mend`


def test_the_night_counts_in_flux_and_brings_what_a_bucket_took_with_it(
    influxd: Influxd, influx: Influx, store: SqliteStore
) -> None:
    init_bucket(influx)
    fill(store, 300)
    ship = ship_for(influx, store)
    bring(ship)
    night(ship)
    metrics = ship.metrics()
    assert metrics.checked is not None
    assert (metrics.checked.day, metrics.checked.missing, metrics.checked.surplus) == (THE_DAY, 0, 0)
    influxd.drop_bucket(influx.bucket)
    init_bucket(influx)
    assert influxd.lines(influx.bucket) == 0
    again = ship_for(influx, store)
    again.nightly._done = THE_DAY - 1  # type: ignore[union-attr]
    night(again, NIGHT)
    metrics = again.metrics()
    assert (metrics.days_again, metrics.trouble) == (1, None)
    assert influxd.lines(influx.bucket) > 0
    writing, _ = influxd.token(influx.bucket, "write")
    blind = ship_for(with_token(influx, writing), store)
    with pytest.raises(StoreError, match="read"):
        blind.nightly._check.ask(DayCount(THE_DAY, set()))  # type: ignore[union-attr]


def test_history_out_of_flux_is_that_of_the_journal(influxd: Influxd, influx: Influx, tmp_path: Path) -> None:
    init_bucket(influx)
    resources = [
        {"id": name, "kind": kind, **({"type": type_} if type_ else {})} for name, (kind, type_, _) in SAID.items()
    ]
    settings = Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:9"},
            "store": {"path": tmp_path / "data", "influx": influx},
            "stations": [{"id": "yanshan", "hours": "08:00-22:00", "areas": [{"id": "a", "resources": resources}]}],
        }
    )
    lines = Lines([resource_of(settings, *place) for place in settings.resources()])
    store, messages = SqliteStore(settings.store.path, NOON, ballast_mib=0), []
    for name, (_, _, said) in SAID.items():
        for step, signals in enumerate(said):
            at = NOON + step * 20 * MINUTE
            payload = msgspec.json.encode({"ts": at, "boot": "b", "seq": 700_000 + step, **signals})
            messages.append(Message(f"yz/yanshan/{name}/state".encode(), payload, at))
    made = [line for message in messages for line in lines.of(message.topic, message.payload, message.received_at, 0)]
    assert write(influx, *made)[0] == "taken"
    Importer(settings, store, NOON).run(sorted(messages, key=lambda message: message.received_at))
    store.close()
    journal, copied = SqliteReader(settings.store.path), InfluxReader(settings, influx)
    window = NOON + MINUTE, NOON + 40 * MINUTE + 5
    for name in SAID:
        assert copied.history("yanshan", name, *window) == journal.history("yanshan", name, *window), name
        assert len(copied.history("yanshan", name, *window)) > 1
    said_first = {
        reading.device: msgspec.json.decode(reading.payload) for reading in copied.readings(NOON, NOON + 1, "yanshan")
    }
    assert said_first == {name: {"ts": NOON, **said[0]} for name, (_, _, said) in SAID.items()}
    journal.close()
    writing, _ = influxd.token(influx.bucket, "write")
    with_token(influx, writing)
    with pytest.raises(StoreError, match="read"):
        copied.history("yanshan", "seat-01", *window)
