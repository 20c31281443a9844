"""`yizhan export` of a damaged store: what can be read comes out, and the exit status says that it is not all."""

import contextlib
import json
import sqlite3
from datetime import datetime

import pytest

from api.cli import main
from api.csv_cells import cell
from gateway.store.days import day_files
from gateway.store.sqlite import SqliteStore
from tests.api.test_store_commands import config
from tests.api.test_store_commands import quiet_logs as quiet_logs
from tests.gateway.store.test_made_anew import wipe
from tests.gateway.store.world import DAY, NOON, batch


@pytest.fixture
def configured(tmp_path):
    """A configuration whose store has three days with 30 messages each, in three commits a day."""
    path = config(tmp_path / "here")
    with contextlib.closing(SqliteStore(tmp_path / "here/data", NOON, ballast_mib=0)) as store:
        for day in range(3):
            for part in range(3):
                at = NOON + day * DAY + part
                store.commit(batch(day * 30 + part * 10, 10, at), [], [], at)
    return path


def days(configured):
    return day_files(configured.parent / "data")


def exported(configured, capsys, *more):
    status = main(["export", "--config", str(configured), *more])
    told = capsys.readouterr()
    return status, told.out.splitlines(), told.err


def spoil_a_batch(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE batch SET blob = x'00' WHERE id = (SELECT min(id) + 1 FROM batch)")
        db.commit()


def test_a_whole_store_is_exported_with_status_0(configured, capsys):
    status, lines, complaints = exported(configured, capsys)
    assert (status, len(lines)) == (0, 90)
    assert "not complete" not in complaints


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_batch_that_is_lost_is_counted_and_the_rest_exported(configured, capsys, form):
    spoil_a_batch(days(configured)[0])
    spoil_a_batch(days(configured)[2])
    status, lines, complaints = exported(configured, capsys, "--format", form)
    assert (status, len(lines)) == (1, 70 + (form == "csv"))
    assert "export is not complete: 2 places of the store are damaged" in complaints


def test_a_day_that_is_no_database_is_one_place_and_the_other_days_are_exported(configured, capsys):
    days(configured)[1].write_bytes(b"no database at all" * 1000)
    status, lines, complaints = exported(configured, capsys)
    assert (status, len(lines)) == (1, 60)
    assert {json.loads(line)["seq"] // 30 for line in lines} == {0, 2}
    assert "export is not complete: 1 place of the store is damaged" in complaints


def test_a_file_whose_pages_are_zeros_is_told(configured, capsys):
    path = days(configured)[0]
    wipe(path, 4096, path.stat().st_size)
    status, lines, complaints = exported(configured, capsys)
    assert status == 1
    assert len([line for line in lines if json.loads(line)["seq"] >= 30]) == 60
    assert "export is not complete" in complaints


def test_a_loss_among_more_days_than_are_kept_open_is_counted(configured, capsys, monkeypatch):
    monkeypatch.setattr("gateway.store.reader.OPEN_DAYS", 1)
    spoil_a_batch(days(configured)[0])
    status, _, complaints = exported(configured, capsys, "--raw")
    assert status == 1
    assert "1 place of the store is damaged" in complaints


def test_a_table_for_people_has_a_mark_headings_of_their_language_and_the_time_of_the_house(configured, capsys):
    status, lines, _ = exported(configured, capsys, "--format", "csv", "--lang", "zh")
    assert (status, len(lines)) == (0, 91)
    assert lines[0] == "\ufeff站点,设备,类型,开机编号,序号,设备时间（当地时间）,收到（当地时间）,内容"
    received = lines[1].split(",")[6]
    assert datetime.strptime(received, "%Y-%m-%d %H:%M:%S").hour == 20  # 12:00 UTC in Asia/Shanghai


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\n=1", "＝1+1"])
def test_a_text_of_a_device_is_no_formula_in_a_spreadsheet(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "written"), [(-1, -1), (1.5, 1.5), (None, None), (True, "true"), ({"a": 1}, '{"a":1}'), ("x=1", "x=1")]
)
def test_what_is_no_formula_stays_as_it_is(value, written):
    assert cell(value) == written
