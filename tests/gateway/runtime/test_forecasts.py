"""From the journal to `next_free` in the summary: learnt from uses that were seen whole, shown where all is taken."""

import json
import random
from dataclasses import replace

import pytest

from config.schema import Settings
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live.document import document
from gateway.model import Interval, Message
from gateway.policy.hours import Openings
from gateway.runtime.forecasts import FIRST_AFTER_MS, Forecasts, sessions_of
from gateway.store.shards import reader_of
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, FREE, HOUR, NOON, SEAT, STALE, TAKEN, batch, change

MINUTE = 60_000
DAYS = 30
NOW = NOON + DAYS * DAY


@pytest.fixture
def settings(tmp_path):
    piles = [{"id": f"pile-{n}", "kind": "charger", "type": "ev", "ttl": 3600} for n in range(2)]
    return Settings.model_validate(
        {
            "mqtt": {"url": "mqtt://127.0.0.1:9"},
            "store": {"path": tmp_path / "data"},
            "stations": [{"id": "yanshan", "hours": "24/7", "areas": [{"id": "yard", "resources": piles}]}],
        }
    )


def history(settings, uses_a_day):
    """Each pile is taken for an hour or so, several times a day."""
    rng = random.Random(1)
    store = SqliteStore(settings.store.path, NOON, ballast_mib=0)
    for day in range(DAYS):
        changes = []
        for use in range(uses_a_day):
            for pile in range(2):
                resource = replace(SEAT, id=f"pile-{pile}", kind="charger")
                begin = NOON + day * DAY + use * 2 * HOUR
                changes += [change(begin - HOUR // 2, FREE, resource), change(begin, TAKEN, resource)]
                changes.append(change(begin + round(rng.gauss(60, 10) * MINUTE), FREE, resource))
        store.commit(batch(1 + day, 1, NOON + day * DAY), changes, [], NOON + day * DAY)
    store.close()


def learner(settings, live):
    zones = {station.id: settings.zone_of(station) for station in settings.stations}
    return Forecasts(live, reader_of(settings.store.path), zones)


def summary_of(settings, statuses):
    """The summary half an hour after the piles said this, with what was learnt."""
    live = build(settings, settings.stations, Openings(settings), NOW)
    pipeline = Pipeline(live)
    learn = learner(settings, live)
    assert learn.tidy(NOW) is False  # a start has better to do
    while learn.tidy(NOW + FIRST_AFTER_MS):
        pass
    for pile, status in enumerate(statuses):
        said = b'{"seq":1,"boot":"b","status":"%s"}' % status
        pipeline.handle(Message(b"yz/yanshan/pile-%d/state" % pile, said, NOW), NOW)
    made = document(live.stations["yanshan"], NOW + 30 * MINUTE)
    return json.loads(made.body)["summary"][0]


def test_where_all_is_taken_the_next_free_one_is_told(settings):
    history(settings, uses_a_day=3)
    told = summary_of(settings, [b"Charging", b"Charging"])["next_free"]
    begin, about, end = (told[name] for name in ("from", "at", "to"))
    assert begin < about < end
    minutes = (int(about[11:13]) - 12) * 60 + int(about[14:16])  # since 12:00
    assert abs(minutes - 60) <= 10


@pytest.mark.parametrize(
    ("uses_a_day", "statuses"),
    [
        (3, [b"Charging", b"Available"]),  # one is free
        (1, [b"Charging", b"Charging"]),  # sixty uses are not enough
        (3, [b"Charging", b"Faulted"]),  # this one counts, and is told
    ],
)
def test_it_is_told_only_where_it_helps_and_the_past_says_enough(settings, uses_a_day, statuses):
    history(settings, uses_a_day)
    told = summary_of(settings, statuses)
    assert ("next_free" in told) is (b"Faulted" in statuses)


def test_what_another_shard_saw_is_learnt_from_as_well(settings):
    history(settings, uses_a_day=3)
    (settings.store.path / "before").mkdir()
    for file in [*settings.store.path.glob("*.db*"), settings.store.path / "lock"]:
        file.rename(settings.store.path / "before" / file.name)
    SqliteStore(settings.store.path, NOW, ballast_mib=0).close()
    assert "next_free" in summary_of(settings, [b"Charging", b"Charging"])


def test_a_past_that_has_come_is_learnt_from_at_once(settings):
    live = build(settings, settings.stations, Openings(settings), NOW)
    learn = learner(settings, live)
    settings.store.path.mkdir()
    now = NOW + FIRST_AFTER_MS
    learn.tidy(NOW)
    while learn.tidy(now):
        pass
    assert live.stations["yanshan"].forecasts == {}
    history(settings, uses_a_day=3)
    assert learn.tidy(now) is False, "it looks once a day"
    learn.again()
    while learn.tidy(now):
        pass
    assert ("charger", "ev") in live.stations["yanshan"].forecasts


def test_only_uses_seen_whole_count():
    def lived(*states):
        return [Interval(NOON + n, NOON + n + 1, axes) for n, axes in enumerate(states)]

    assert sessions_of(lived(FREE, TAKEN, FREE)) == [(NOON + 1, NOON + 2)]
    assert sessions_of(lived(FREE, TAKEN, TAKEN, FREE)) == [(NOON + 1, NOON + 3)]
    assert sessions_of(lived(TAKEN, FREE)) == []
    assert sessions_of(lived(FREE, TAKEN)) == []
    assert sessions_of(lived(STALE, TAKEN, FREE)) == []
    assert sessions_of(lived(FREE, TAKEN, STALE, TAKEN, FREE)) == []
