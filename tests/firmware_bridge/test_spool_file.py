"""The spool's file over versions: what an older one wrote is read, a newer one is left alone, errors name the mend."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from api.cli import main
from firmware_bridge.devices.base import DeviceReading, Heard
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import FILE, MIGRATIONS, SpoolError
from tests.dumps import DATABASES, from_dump

DUMPS = sorted(path.name for path in DATABASES.glob("spool-*.sql"))
MIB = 1 << 20


def version_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        return version


def tables_of(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return {f"{name} {column}" for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                for _, column, *_ in db.execute(f"PRAGMA table_info({name})")}  # fmt: skip


def test_every_version_before_this_one_has_its_dump() -> None:
    assert [f"spool-{version}.sql" for version in range(len(MIGRATIONS))] == DUMPS


@pytest.mark.parametrize("dump", DUMPS)
def test_a_spool_of_an_older_version_holds_the_same_and_goes_on_counting(tmp_path: Path, dump: str) -> None:
    path = from_dump(dump, tmp_path / FILE)
    expected = json.loads((DATABASES / dump).with_suffix(".expected.json").read_text(encoding="utf-8"))
    spool = Spool(tmp_path, MIB)
    devices = spool.devices()
    held = {name: [[row.seq, row.ts, row.event, row.signals] for row in spool.after(name, 0, 999)] for name in devices}
    assert spool.boot == expected["boot"]
    assert {name: list(seqs) for name, seqs in devices.items()} == expected["devices"]
    assert (spool.lost(), spool.dropped) == (expected["lost"], expected["dropped"])
    assert held == expected["held"]
    assert not spool.first_use("an-old-nonce-0001", 1_795_000_600_000, 1_795_000_000_001)
    frame = Heard((DeviceReading("door-1", {}, "access"),), ("door-1",), b"", wire=("door-1", b"290/BEEF"))
    assert spool.put([frame], 1) == ()  # told before, to the version before
    spool.put([Heard((DeviceReading("door-1", {}, "access"),), ("door-1",))], 2)
    assert [row.seq for row in spool.after("door-1", expected["devices"]["door-1"][1], 9)] == [31]
    spool.close()
    assert version_of(path) == len(MIGRATIONS)


@pytest.mark.parametrize("dump", DUMPS)
def test_an_older_spool_and_a_new_one_have_the_same_columns(tmp_path: Path, dump: str) -> None:
    from_dump(dump, tmp_path / FILE)
    Spool(tmp_path, MIB).close()
    Spool(tmp_path / "new", MIB).close()
    assert tables_of(tmp_path / FILE) == tables_of(tmp_path / "new" / FILE)


def test_a_spool_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Spool(tmp_path, MIB).close()
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("PRAGMA user_version=99")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(SpoolError, match=r"newer yizhan \(version 99, this one knows 3\): install that version again"):
        Spool(tmp_path, MIB)
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_migration_cut_short_is_made_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from_dump("spool-0.sql", tmp_path / FILE)
    broken = (*MIGRATIONS, ("CREATE TABLE more (one INTEGER)", "CREATE TABLE more (one INTEGER)"))
    monkeypatch.setattr("firmware_bridge.spool_file.MIGRATIONS", broken)
    with pytest.raises(SpoolError, match="table more already exists"):
        Spool(tmp_path, MIB)
    monkeypatch.setattr("firmware_bridge.spool_file.MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (one INTEGER)",)))
    spool = Spool(tmp_path, MIB)
    assert set(spool.devices()) == {"door-1", "pile-1", "seat-1"}
    spool.close()
    assert version_of(tmp_path / FILE) == len(MIGRATIONS) + 1


def test_what_can_not_be_opened_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(SpoolError, match=f"the spool {tmp_path / FILE} can't be used: unable to open"):
        Spool(tmp_path, MIB)
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="can't be used"):
        Spool(tmp_path / "file" / "folder", MIB)


QUESTIONS = {
    "put": lambda spool: spool.put([Heard((DeviceReading("a", {}),), ("a",))], 1),
    "devices": lambda spool: spool.devices(),
    "oldest": lambda spool: spool.oldest("a"),
    "after": lambda spool: spool.after("a", 0, 9),
    "cover": lambda spool: spool.cover("a", spool.boot, 1),
    "lost": lambda spool: spool.lost(),
    "open_charge": lambda spool: spool.open_charge("a"),
    "relayed_before": lambda spool: spool.relayed_before(1),
    "relay_next": lambda spool: spool.relay_next("CP001", 0, 1),
    "out_of_service": lambda spool: spool.out_of_service(),
    "keep_out_of_service": lambda spool: spool.keep_out_of_service("a", 9),
    "first_use": lambda spool: spool.first_use("abcdefgh", 9, 1),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_error_of_the_database_leaves_the_spool_as_one(tmp_path: Path, question: str) -> None:
    spool = Spool(tmp_path, MIB)
    spool.put([Heard((DeviceReading("a", {}),), ("a",))], 0)
    spool._db.close()
    with pytest.raises(SpoolError, match="can't be used"):
        QUESTIONS[question](spool)
    assert set(QUESTIONS) == {name for name in vars(Spool) if name[0] != "_"} - {"close"}


def test_of_a_full_disk_the_error_says_what_helps(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MIB)
    (pages,) = spool._db.execute("PRAGMA page_count").fetchone()
    spool._db.execute(f"PRAGMA max_page_count={pages}")
    heard = [Heard((DeviceReading("a", {"text": "x" * 90}),), ("a",)) for _ in range(500)]
    with pytest.raises(SpoolError, match="full; free some disk space"):
        spool.put(heard, 0)
    assert spool.devices() == {}
    spool.close()


def test_the_bridge_that_can_not_open_its_spool_says_why_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        "stations": [{"id": "s1", "areas": [{"id": "a", "resources": [{"id": "seat-01", "kind": "seat"}]}]}],
        "bridge": {"station": "s1", "id": "box-1", "spool": {"path": "spool"}, "buses": [
            {"id": "usb", "port": str(tmp_path / "tty"), "protocol": "yizhan", "baud": 115200}
        ]},
    }  # fmt: skip
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    (tmp_path / "spool" / FILE).mkdir(parents=True)
    assert main(["bridge", "--config", str(tmp_path / "config.yaml")]) == 1
    assert f"the spool {tmp_path / 'spool' / FILE} can't be used" in capsys.readouterr().err
