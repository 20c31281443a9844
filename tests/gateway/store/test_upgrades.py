"""A file whose format changes is copied before, for the version that wrote it."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from gateway.base.local_time import DAY_MS
from gateway.store import files
from gateway.store.files import COPIES_KEPT_MS, connect, forget_copies
from tests.gateway.store.test_sqlite import FIXTURES

NOON = 1_795_262_400_000


def former(path: Path, name: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((FIXTURES / f"{name}.sql").read_text())


def dump(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [*db.iterdump(), str(db.execute("PRAGMA user_version").fetchone())]


@pytest.mark.parametrize("version", range(1, files.SCHEMAS["core"]))
def test_the_copy_is_the_file_as_its_version_left_it(tmp_path: Path, version: int) -> None:
    path, copy = tmp_path / "yizhan.db", tmp_path / f"yizhan.db.before-schema-{version}"
    former(path, f"core-{version}")
    before = dump(path)
    connect(path, "core").close()
    assert dump(copy) == before
    assert copy.stat().st_mode & 0o077 == 0
    connect(path, "core").close()
    assert dump(copy) == before, "a second start leaves it"
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".part") == []


def test_what_is_new_what_is_ours_and_what_can_be_made_again_is_not_copied(tmp_path: Path) -> None:
    connect(tmp_path / "yizhan.db", "core").close()
    former(tmp_path / "rollups.db", "rollup-1")
    connect(tmp_path / "rollups.db", "rollup").close()
    assert not [path.name for path in tmp_path.iterdir() if "before" in path.name]


def test_where_no_copy_can_be_kept_the_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    former(tmp_path / "yizhan.db", "core-5")
    monkeypatch.setattr(files, "flush", full)
    with contextlib.closing(connect(tmp_path / "yizhan.db", "core")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (files.SCHEMAS["core"],)
    assert "no copy of it could be kept" in caplog.text
    assert not [path.name for path in tmp_path.iterdir() if "before" in path.name]


def test_copies_go_after_their_time(tmp_path: Path) -> None:
    for days in (29, 31):
        copy = tmp_path / f"shard/yizhan.db.before-schema-{days}"
        copy.parent.mkdir(exist_ok=True)
        copy.touch()
        os.utime(copy, ((NOON - days * DAY_MS) / 1000,) * 2)
    assert COPIES_KEPT_MS == 30 * DAY_MS
    forget_copies(tmp_path, NOON)
    assert [path.name for path in tmp_path.rglob("*before*")] == ["yizhan.db.before-schema-29"]
