"""What was exported elsewhere, taken into a store of its own: the promise to be open follows as it did there."""

import contextlib
import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from config.schema import Settings
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.model import Batch
from gateway.policy.hours import Openings
from gateway.runtime.importer import Importer, message_of
from gateway.runtime.restoring import restore
from gateway.store.days import day_files
from gateway.store.jobs import KeepOpenings
from gateway.store.openings import openings
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.gateway.live.house import HOUR, MINUTE, START

DAY = 24 * HOUR


def line(at: int, **data: object) -> bytes:
    told = {"topic": "yz/yanshan/door/state", "received_at": at, "header": {"ts": at}, "data": data}
    return json.dumps(told).encode()


def settings(folder: Path) -> Settings:
    door = {"id": "door", "kind": "door", "ttl": 600}
    station = {"id": "yanshan", "hours": "24/7", "areas": [{"id": "hall", "resources": [door]}]}
    return Settings.model_validate({"store": {"path": folder}, "stations": [station]})


def states(folder: Path) -> list[tuple[int, str]]:
    """Where it changed."""
    changes = openings([folder], ["yanshan"], 0, START + 30 * DAY)["yanshan"]
    return [
        (told[0].at, state) for state, group in groupby(changes, lambda change: change.state) if (told := list(group))
    ]


def start(store: SqliteStore, of: Settings, now: int) -> None:
    """As a gateway does."""
    pipeline = Pipeline(build(of, of.stations, Openings(of), now))
    restore(pipeline, store, now)
    store.write([KeepOpenings(pipeline.take().openings)])


def test_imported_days_are_proved_as_they_were_and_the_time_since_is_not(tmp_path: Path) -> None:
    of = settings(tmp_path)
    lines = [line(START + step * 5 * MINUTE, open=step == 1, locked=False) for step in range(6)]
    proved, end = START + 5 * MINUTE, START + 25 * MINUTE
    with contextlib.closing(SqliteStore(tmp_path, START + DAY, ballast_mib=0)) as store:
        Importer(of, store, START + DAY).run([message_of(exported) for exported in lines])
        assert states(tmp_path) == [(START, "unproved"), (proved, "proved")]
        start(store, of, START + 2 * DAY)
        assert states(tmp_path) == [(START, "unproved"), (proved, "proved"), (end, "unproved")]


def test_what_is_imported_into_a_past_changes_no_promise(tmp_path: Path) -> None:
    of = settings(tmp_path)
    lines = [line(START + step * 5 * MINUTE, open=step == 1, locked=False) for step in range(6)]
    with contextlib.closing(SqliteStore(tmp_path, START + DAY, ballast_mib=0)) as store:
        Importer(of, store, START + DAY).run([message_of(exported) for exported in lines])
        before = states(tmp_path)
        Importer(of, store, START + 3 * DAY).run([message_of(line(START + DAY, open=True))])
        start(store, of, START + 4 * DAY)
        after = states(tmp_path)
    assert after == [*before, (START + 25 * MINUTE, "unproved")]


def test_a_long_past_is_stored_in_large_steps_each_day_in_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is a flush to the disk: one for each value that runs out took most of an import's time."""
    of = settings(tmp_path)
    begin = START // DAY * DAY
    lines = [line(begin + step * 20 * MINUTE, open=step % 2 == 0, locked=False) for step in range(3 * 72)]
    commits: list[int] = []
    commit = SqliteStore.commit

    def noted(store: SqliteStore, batch: Batch, changes: Any, rejected: Any, now: int) -> int:
        commits.append(now)
        return commit(store, batch, changes, rejected, now)

    monkeypatch.setattr(SqliteStore, "commit", noted)
    with contextlib.closing(SqliteStore(tmp_path, begin + 4 * DAY, ballast_mib=0)) as store:
        Importer(of, store, begin + 4 * DAY).run([message_of(exported) for exported in lines])
    assert [at // DAY - begin // DAY for at in commits] == [0, 1, 2]
    with contextlib.closing(SqliteReader(tmp_path)) as reader:
        for day in range(3):
            stored = list(reader.readings(start=begin + day * DAY, end=begin + (day + 1) * DAY))
            assert len(stored) == 72
    assert len(day_files(tmp_path)) == 3
