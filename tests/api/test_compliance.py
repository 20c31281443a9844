"""`yizhan compliance`: each item of both standards, with evidence that follows from this installation."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.access_book import NAME, AccessBook
from api.auth import Keyring
from api.cli import main
from api.compliance.items import ITEMS
from config.load import load
from gateway.base.backup_state import BackupState, write_state
from gateway.base.clock import now_ms
from gateway.base.local_time import DAY_MS

CONFIG = """
store: {path: data}
stations: [{id: yanshan}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "site.yaml").write_text(CONFIG)
    (tmp_path / "data").mkdir(0o700)
    return tmp_path / "site.yaml"


def states(config: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert main(["compliance", "--config", str(config), "--json"]) == 0
    return {f"{row['standard'][:2]} {row['clause']}": row for row in json.loads(capsys.readouterr().out)}


def test_the_standards_are_whole() -> None:
    clauses = {(item.standard, item.clause.split()[0]) for item in ITEMS}
    assert {("EN 303 645", f"5.{number}") for number in range(1, 14)} <= clauses
    computing = {clause for standard, clause in clauses if standard == "GB/T 22239-2019" and "7.1.4." in clause}
    assert computing == {f"7.1.4.{number}" for number in range(1, 11)}
    assert all(all(item.title) and bool(item.duty[0]) == bool(item.duty[1]) for item in ITEMS)
    assert all(item.duty[0] for item in ITEMS if item.evidence.__name__ == "operator")


def test_a_fresh_box_is_told_what_is_missing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = states(config, capsys)
    missing = {clause for clause, row in rows.items() if row["state"] == "look"}
    assert {"GB 7.1.4.1 a", "GB 7.1.4.8", "GB 7.1.5", "EN 5.10"} <= missing
    assert rows["GB 7.1.2"]["state"] == "holds", "loopback alone"
    assert rows["GB 7.1.1"]["state"] == "operator"


def test_what_is_done_about_it_is_seen(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, now = load(config), now_ms()
    Keyring.of(settings).create("Li", "admin", now, expires_at=now + DAY_MS)
    AccessBook(settings.store.path).note(now - DAY_MS, "li", "backed_up", "/safe")
    rows = states(config, capsys)
    assert (rows["GB 7.1.4.1 a"]["state"], rows["GB 7.1.4.8"]["state"]) == ("holds", "holds")
    Keyring.of(settings).create("Li", "viewer", now)
    assert "share a name" in states(config, capsys)["GB 7.1.4.1 a"]["evidence"]["en"]
    path = settings.store.path / NAME
    path.write_text(path.read_text().replace('"li"', '"wang"'))
    assert states(config, capsys)["GB 7.1.4.3"]["state"] == "look"


@pytest.mark.parametrize(
    ("lines", "clause"),
    [
        ("api: {listen: '0.0.0.0:8080'}", "GB 7.1.2"),
        ("mqtt: {url: 'mqtt://10.0.0.1'}", "GB 7.1.2"),
        ("mqtt: {url: 'mqtt://127.0.0.1'}", "GB 7.4.2"),
        ("store: {path: data, retention: {alerts_days: 182}}", "GB 7.1.4.3"),
    ],
)
def test_what_the_configuration_leaves_open_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], lines: str, clause: str
) -> None:
    config.write_text(("" if lines.startswith("store") else "store: {path: data}\n") + f"{lines}\nstations: []\n")
    row = states(config, capsys)[clause]
    assert row["state"] == "look"
    assert row["evidence"]["zh"] != row["evidence"]["en"]


def test_a_person_reads_it_in_both_languages(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert main(["compliance", "--config", str(config)]) == 0
    chinese = capsys.readouterr().out
    assert main(["compliance", "--config", str(config), "--lang", "en"]) == 0
    english = capsys.readouterr().out
    assert "身份鉴别" in chinese
    assert "no staff key yet" in english
    assert len(chinese.splitlines()) == len(english.splitlines())


def test_it_looks_at_the_same_files_and_backups_as_doctor(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy of a database in the folder of a shard, and a backup that failed: doctor told of both, we did not."""
    data = config.parent / "data"
    data.chmod(0o755)
    (data / "shard").mkdir()
    (data / "shard").chmod(0o755)
    (data / "shard/yizhan.db").touch()
    (data / "shard/yizhan.db").chmod(0o644)
    (config.parent / "secret").write_text("correct horse battery staple")
    (config.parent / "secret").chmod(0o600)
    config.write_text(CONFIG + "backup: {to: ./safe, passphrase_file: secret}\n")
    write_state(data, BackupState(tried_at=now_ms(), error="the disk is away"))
    assert main(["doctor", "--config", str(config)]) == 0
    said = capsys.readouterr().out
    rows = states(config, capsys)
    for clause, words in (("EN 5.4", "shard/yizhan.db"), ("GB 7.1.4.8", "the disk is away")):
        row = rows[clause]
        assert (row["state"], words in row["evidence"]["en"], words in said) == ("look", True, True)


def test_the_language_is_chosen_as_check_and_doctor_choose_it(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert main(["compliance", "--config", str(config)]) == 0
    assert "身份鉴别" in capsys.readouterr().out
