"""`yizhan config`: what it tells, takes back and leaves alone."""

import logging
import os
import re
from pathlib import Path

import pytest

from api.access_book import AccessBook
from api.cli import main
from api.processes import FOLDER
from api.reload_door import ReloadDoor
from api.reloading import Reloading
from api.signals import Hangups
from config.edit.home import ConfigHome
from config.edit.versions import Versions
from config.load import load

ONE = b"store: {path: data}\nstations:\n- id: one   # the first\r\n"
TWO = ONE + b"- id: two\n"
THREE = TWO + b"- id: three\n"
SECRET = b"alerts:\n  channels:\n  - {id: a, kind: webhook, url: 'http://127.0.0.1/?key=s3cret', allow_private: true}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that was changed twice by hand, and looked at after each."""
    file = tmp_path / "site.yaml"
    for content in (ONE, TWO, THREE):
        file.write_bytes(content)
        assert main(["config", "log", "--config", str(file)]) == 0
    return file


@pytest.fixture(autouse=True)
def quiet_logs() -> object:
    """`main` sets the process's logging up; give pytest its own back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


def config(action: str, path: Path, *more: str) -> int:
    return main(["config", action, *more, "--config", str(path)])


def numbers(path: Path) -> list[int]:
    return Versions(ConfigHome(path)).numbers()


def test_the_log_tells_every_version_the_newest_first(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert config("log", path) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = [re.sub(r"\d{4}-\S+Z", "T", line) for line in lines]
    assert shown == [
        "     3  T  by hand: changed by hand",
        "     2  T  by hand: changed by hand",
        "     1  T  by hand: as it was found",
    ]
    config("log", path, "--limit", "1")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_show_tells_what_a_version_changed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert config("show", path, "2") == 0
    assert capsys.readouterr().out.endswith("+- id: two\n")
    config("show", path)
    assert capsys.readouterr().out.endswith("+- id: three\n")
    assert config("show", path, "9") == 2
    assert "there is no version 9" in capsys.readouterr().err


def test_undo_goes_back_step_by_step_and_gives_the_file_back_to_the_byte(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert config("undo", path) == 0
    assert path.read_bytes() == TWO
    assert config("undo", path) == 0
    assert path.read_bytes() == ONE
    assert config("undo", path) == 2
    assert "nothing to take back" in capsys.readouterr().err
    assert numbers(path) == [1, 2, 3, 4, 5]


def test_an_undo_after_a_new_change_takes_that_one_back(path: Path) -> None:
    config("undo", path)
    path.write_bytes(TWO + b"- id: other\n")
    config("undo", path)
    assert path.read_bytes() == TWO
    config("undo", path)
    assert path.read_bytes() == ONE


def test_restore_goes_to_any_version_and_undo_takes_it_back(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert config("restore", path, "1", "--why", "the flood") == 0
    assert path.read_bytes() == ONE
    assert capsys.readouterr().out.endswith(": the flood\n")
    assert config("undo", path) == 0
    assert path.read_bytes() == THREE


def test_a_version_with_mistakes_is_not_gone_back_to(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(ONE + b"- id: ONE\n")
    config("log", path)
    path.write_bytes(ONE)
    config("log", path)
    assert config("restore", path, "4") == 2
    assert "is not in the right form" in capsys.readouterr().err
    assert path.read_bytes() == ONE


def test_an_undo_mends_a_file_with_mistakes(path: Path) -> None:
    path.write_bytes(b"{")
    assert config("undo", path) == 0
    assert path.read_bytes() == THREE
    assert len(numbers(path)) == 5  # what was broken is kept, too


def test_no_secret_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.yaml"
    for content in (
        b"",
        SECRET,
        SECRET.replace(b"s3cret", b"n3w") + b"# was http://127.0.0.1/?key=s3cret\n",
        b"a: {s3cret",
    ):
        file.write_bytes(content)
        config("show", file)
    config("log", file)
    told = capsys.readouterr()
    assert "s3cret" not in told.out + told.err
    assert "n3w" not in told.out + told.err
    assert "url: null (another)" in told.out


def test_what_was_done_is_in_the_audit_trail_of_a_store_that_is_there(path: Path) -> None:
    config("undo", path)
    assert not (path.parent / "data").exists()
    (path.parent / "data").mkdir()
    config("undo", path, "--why", "never mind")
    (line,) = AccessBook(path.parent / "data").lines(9)
    assert (line.what, line.target, line.detail) == ("configuration_saved", "version 5", "never mind")


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert config("log", tmp_path / "nothing.yaml") == 2
    assert "correct the path" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_whatever_runs_takes_up_what_was_undone(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)  # a test's process keeps its own
    folder = path.parent / "data" / FOLDER
    folder.parent.mkdir()
    running = Reloading(path, load(path), load)
    door = ReloadDoor(running, Hangups(), folder, "up")
    door.start()
    capsys.readouterr()
    try:
        assert config("undo", path) == 0
        assert [station.id for station in running.settings().stations] == ["one", "two"]
        assert f"up-{os.getpid()} has changed" in capsys.readouterr().out
    finally:
        door.end()
        door.join(60)


def test_where_nothing_runs_the_files_are_changed_all_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert config("undo", path) == 0
    assert "the next start reads the files" in capsys.readouterr().err
