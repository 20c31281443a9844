"""Parquet out and in again: every reading to the byte, with a column of its own type for each signal."""

from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

from api import parquet
from api.cli import main
from gateway.model import Batch
from gateway.store.sqlite import SqliteStore
from tests.api.test_store_commands import config, quiet_logs, run  # noqa: F401  a fixture
from tests.gateway.store.world import DAY, NOON, batch

SAID = [
    b'{"ts":1780056000001,"boot":"b","seq":1,"occupied":true,"battery_pct":71,"mine":[1,2.50]}',
    b'{"ts":"2026-05-29T20:00:00.002+08:00","seq":2,"power_w":6600.5,"status":"Charging","energy_wh":12345678901234567}',
    b'{"people":3,"expires":"2027-01-31","fault":"","occupied":"perhaps"}',
    b'{"expires":"soon","people":2.5,"status":null}',
    b'{"occupied":true,"power_w":%s}' % (b"9" * 400),  # more than a column holds
    b'{"occupied":true,"mine":1e400}',  # more than Python reads
]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = config(tmp_path / "here")
    store = SqliteStore(path.parent / "data", NOON, ballast_mib=0)
    odd = Batch()
    for number, payload in enumerate(SAID):
        odd.append(b"yz/yanshan/seat-01/state", payload, NOON + number, 0)
    odd.append(b"yz/yanshan/seat-02/event", b'{"type":"card","card":"ab12","granted":true}', NOON + 9, 0)
    odd.append(b"yz/yanshan/seat-02/availability", b"online", NOON + 10, 1)
    store.commit(odd, [], [], NOON + 10)
    store.commit(batch(1, 300, NOON + DAY, 10), [], [], NOON + DAY)
    store.close()
    return path


def test_without_pyarrow_the_mend_is_named(filled, capsys, monkeypatch):
    monkeypatch.setattr(parquet, "installed", lambda: False)
    assert run(capsys, "export", "--config", filled, "--format", "parquet")[0] == 2
    status, told = run(capsys, "import", "--config", filled, "--input", "all.parquet")
    assert (status, told) == (2, "Parquet needs pyarrow: pip install 'yizhan[parquet]'\n")


def test_parquet_holds_readings_and_events_only(filled, capsys):
    status, told = run(capsys, "export", "--config", filled, "--format", "parquet", "--raw")
    assert (status, told.startswith("Parquet holds readings and events")) == (2, True)


needs_pyarrow = pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed")


@pytest.fixture
def exported(filled, tmp_path, capfdbinary) -> tuple[list[bytes], Path]:
    """The lines, and the same in Parquet."""
    assert main(["export", "--config", str(filled)]) == 0
    lines = capfdbinary.readouterr().out.splitlines()
    assert main(["export", "--config", str(filled), "--format", "parquet"]) == 0
    path = tmp_path / "all.parquet"
    path.write_bytes(capfdbinary.readouterr().out)
    return lines, path


@needs_pyarrow
def test_every_line_comes_back_to_the_byte(exported):
    lines, path = exported
    assert len(lines) == 307
    assert [*parquet.lines(path)] == lines


@needs_pyarrow
def test_each_signal_has_a_column_of_its_type(exported):
    import pyarrow.parquet as pq

    rows = pq.read_table(exported[1]).to_pylist()
    first, second, third, fourth, huge, unread, card = rows[:7]
    assert (first["occupied"], first["battery_pct"], first["seq"]) == (True, 71.0, 1)
    assert first["ts"] == datetime.fromtimestamp(1780056000.001, UTC)
    assert (second["power_w"], second["status"], second["boot"]) == (6600.5, "Charging", None)
    assert (third["people"], third["expires"], third["occupied"], third["ts"]) == (3, date(2027, 1, 31), None, None)
    assert (fourth["people"], fourth["expires"], fourth["status"]) == (None, None, None)
    assert (huge["power_w"], huge["occupied"], unread["occupied"]) == (None, True, None)
    assert (card["kind"], card["type"], card["card"], card["granted"]) == ("event", "card", "ab12", True)


@needs_pyarrow
def test_rows_are_written_in_groups_and_not_all_at_once(filled, tmp_path, capfdbinary, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setattr(parquet, "ROWS_IN_A_GROUP", 100)
    assert main(["export", "--config", str(filled), "--format", "parquet"]) == 0
    path = tmp_path / "all.parquet"
    path.write_bytes(capfdbinary.readouterr().out)
    assert pq.ParquetFile(path).metadata.num_row_groups == 4


@needs_pyarrow
def test_it_is_imported_like_lines(exported, tmp_path, capfdbinary):
    there = config(tmp_path / "there")
    assert main(["import", "--config", str(there), "--input", str(exported[1])]) == 0
    assert capfdbinary.readouterr().out == b"306 stored, 0 were there, 1 refused\n"
    assert main(["export", "--config", str(there)]) == 0
    assert capfdbinary.readouterr().out.splitlines() == [line for line in exported[0] if b"perhaps" not in line]


@needs_pyarrow
def test_a_file_of_another_make_is_told(tmp_path, capsys):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"station": ["a"]}), path)
    status, told = run(capsys, "import", "--config", config(tmp_path / "here"), "--input", path)
    assert (status, "is no export of ours: it has no column boot" in told) == (2, True)
