"""A store that an earlier version wrote is opened, brought up, and exported to the same bytes."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from config.schema import Settings
from gateway.base.local_time import DAY_MS, HOUR_MS
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.history.utilization import Minutes
from gateway.policy.hours import Openings
from gateway.runtime.parts import place_of
from gateway.runtime.restoring import restore
from gateway.store.alerts_reader import AlertReader
from gateway.store.copy_cursor import position_in
from gateway.store.days import CORE
from gateway.store.files import SCHEMAS
from gateway.store.place import Asked, Place
from gateway.store.reader import SqliteReader
from gateway.store.rollup_reader import RollupReader
from gateway.store.rollups import FILE, Rollups
from gateway.store.sqlite import SqliteStore
from tests.dumps import DATABASES, from_dump

FORMER = DATABASES / "store"
COPY = "influx v2"
BEGIN = 1_793_826_000_000  # 2026-11-05T05:00+08:00
END = BEGIN + 8 * HOUR_MS
LATER = END + 2 * HOUR_MS
READ: dict[str, Any] = json.loads((FORMER / "read.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the former version left it."""
    folder = tmp_path_factory.mktemp("former")
    for path in FORMER.glob("*.sql"):
        from_dump(f"store/{path.name}", folder / f"{path.stem}.db")
    return folder


@pytest.fixture
def folder(tmp_path: Path, written: Path) -> Path:
    """Opened once by this version, and closed."""
    shutil.copytree(written, tmp_path / "data")
    SqliteStore(tmp_path / "data", LATER, ballast_mib=0).close()
    return tmp_path / "data"


def settings_of(folder: Path) -> Settings:
    config = json.loads((FORMER / "config.json").read_text(encoding="utf-8"))
    told = config | {"store": {"path": folder}}
    return Settings.model_validate(told, context={"base": folder, "check_files": False})


def places_of(settings: Settings) -> list[Place]:
    return [place_of(settings, station) for station in settings.stations]


def as_json(value: object) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("export.jsonl", ()),
        ("raw.jsonl", ("--raw",)),
        ("quarantine.jsonl", ("--quarantine",)),
        ("export.csv", ("--format", "csv")),
    ],
)
def test_the_same_bytes_are_exported(
    folder: Path, name: str, options: tuple[str, ...], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = json.loads((FORMER / "config.json").read_text(encoding="utf-8")) | {"store": {"path": str(folder)}}
    path = folder.parent / "yizhan.yaml"
    path.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    assert main(["export", "--config", str(path), *options]) == 0
    written = capfdbinary.readouterr().out
    assert [len(written), hashlib.sha256(written).hexdigest()] == READ["exports"][name]


def test_alerts_orders_deliveries_and_the_audit_trail_are_read_as_before(folder: Path) -> None:
    with contextlib.closing(AlertReader(folder)) as book:
        alerts, orders = book.alerts(), book.orders()
        read = {
            "cursor": book.cursor(),
            "all": [asdict(alert) for alert in alerts],
            "unsettled": [asdict(alert) for alert in book.unsettled()],
            "history": {alert.id: book.history(alert.id) for alert in alerts},
            "deliveries": {
                alert.id: [asdict(delivery) for delivery in book.deliveries_of(alert.id)] for alert in alerts
            },
            "due": [asdict(delivery) for delivery in book.due(LATER)],
            "dead_letters": [asdict(letter) for letter in book.dead_letters()],
            "sent": book.sent_at("duty", 0),
            "orders": [asdict(order) for order in orders],
            "order_history": {order.id: book.order_history(order.id) for order in orders},
            "link": [book.link_used("link-1"), book.link_used("link-2")],
            "audit": book.audit(),
            "response_times": book.response_times(0),
            "counts": book.counts(),
        }
    assert as_json(read) == READ["alerts"]


def test_the_copy_goes_on_where_it_was(folder: Path) -> None:
    upto, lines = position_in(folder, COPY)
    assert [upto, sorted(lines)] == READ["copy"]
    with contextlib.closing(SqliteStore(folder, LATER, ballast_mib=0)) as store:
        assert store.copied(COPY) == (upto, len(lines))


def test_history_and_roll_ups_are_read_as_before(folder: Path) -> None:
    places = places_of(settings_of(folder))
    with contextlib.closing(SqliteReader(folder)) as reader:
        assert history(reader, places) == READ["history"]
        rolled = RollupReader(folder, reader)
        for place in [place for place in places if place.resources]:
            for resource in [None, *(resource.id for resource in place.resources)]:
                assert (
                    sums(rolled, Asked([place], resource=resource))
                    == READ["rollups"][f"{place.station}/{resource or ''}"]
                )
        marks = {str(at): list(mark) for at, mark in rolled.marks("yanshan", "pile-01", 0, LATER).items()}
        assert marks == READ["marks"]


def history(reader: SqliteReader, places: list[Place]) -> Any:
    return as_json(
        {
            f"{place.station}/{resource.id}": [
                [span.start, span.end, *span.axes]
                for span in reader.history(place.station, resource.id, BEGIN - 1, LATER)
            ]
            for place in places
            for resource in place.resources
        }
    )


def sums(rolled: RollupReader, asked: Asked) -> Any:
    return as_json(
        {
            "minutes": {
                at: known_then(minutes) for at, minutes in rolled.minutes(asked, BEGIN - HOUR_MS, LATER, "hour").items()
            },
            "day": {
                at: known_then(minutes) for at, minutes in rolled.minutes(asked, BEGIN - DAY_MS, LATER, "day").items()
            },
            "tallies": {
                at: astuple(tally) for at, tally in rolled.tallies(asked, BEGIN - HOUR_MS, LATER, "hour").items()
            },
        }
    )


def known_then(minutes: Minutes) -> tuple[int, ...]:
    """What that version told; of what it did not count nothing is made up."""
    told: tuple[int, ...] = astuple(minutes)
    assert told[6:] == (0, 0, 0, 0)
    return told[:6]


def test_the_live_state_comes_back_from_its_checkpoint_and_the_journal_behind_it(folder: Path) -> None:
    settings = settings_of(folder)
    with contextlib.closing(SqliteStore(folder, END, ballast_mib=0)) as store:
        pipeline = Pipeline(build(settings, settings.stations, Openings(settings), END))
        replayed = restore(pipeline, store, END)
        kept = {name: (store.kept(name) or b"").decode() for name in ("nonces", "overrides")}
    live = pipeline.live
    state = {
        "replayed": replayed,
        "facts": {
            f"{station.id}/{facts.resource.id}": [
                facts.axes.health, facts.axes.access, facts.axes.use, facts.axes.evidence,
                facts.since, facts.fresh.valid_until, facts.fresh.observed_at,
                facts.known.status, facts.known.energy_wh, facts.known.people, facts.known.passages,
            ]
            for station in live.stations.values()
            for facts in station.facts()
        },
        "devices": {
            f"{device.station}/{device.id}": [device.online, device.seen_at] for device in live.devices.values()
        },
    } | kept  # fmt: skip
    assert as_json(state) == READ["state"]


def test_every_file_has_the_version_of_this_program_then(folder: Path) -> None:
    assert version_of(folder / CORE) == SCHEMAS["core"]
    with contextlib.closing(SqliteReader(folder)) as reader:
        Rollups(folder, places_of(settings_of(folder)), reader, LATER, synchronous="OFF").close()
    assert version_of(folder / FILE) == SCHEMAS["rollup"]


def test_a_store_in_which_no_gateway_kept_alerts_or_a_copy_gets_their_tables(tmp_path: Path, written: Path) -> None:
    """`yizhan import` made such ones."""
    shutil.copytree(written, tmp_path / "data")
    names = ("alert", "alert_event", "outbox", "work_order", "order_event", "used_link", "audit", "alert_cursor")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / CORE)) as db:
        for table in (*names, "copy_cursor", "dead_letter"):
            db.execute(f"DROP TABLE {table}")
    with contextlib.closing(SqliteStore(tmp_path / "data", LATER, ballast_mib=0)) as store:
        assert store.copied(COPY) == (0, 0)
        assert len(list(store.checkpoints())) == 1
    with contextlib.closing(AlertReader(tmp_path / "data")) as book:
        assert book.alerts() == []


@pytest.fixture
def broken_upgrade(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The disk is full in the middle of the migration."""
    from gateway.store import files

    real = files._statements

    def statements(script: str) -> Iterator[str]:
        for number, statement in enumerate(real(script)):
            if number == 4:
                raise sqlite3.OperationalError("database or disk is full")
            yield statement

    monkeypatch.setattr(files, "_statements", statements)
    return monkeypatch


def test_an_upgrade_cut_short_changes_nothing_and_is_made_at_the_next_start(
    tmp_path: Path, written: Path, broken_upgrade: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(written, folder)
    with pytest.raises(Exception, match="full"):
        SqliteStore(folder, LATER, ballast_mib=0)
    assert version_of(folder / CORE) == 1
    broken_upgrade.undo()
    SqliteStore(folder, LATER, ballast_mib=0).close()
    with contextlib.closing(AlertReader(folder)) as book:
        assert as_json([asdict(alert) for alert in book.alerts()]) == READ["alerts"]["all"]


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        return version
