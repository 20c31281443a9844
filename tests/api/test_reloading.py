"""A configuration's files are taken up again whole, or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.commands.api import _registry
from api.reloading import Reloading
from api.running import NotReloadedError
from config.difference import Difference
from config.edit.home import ConfigHome
from config.edit.versions import Versions
from config.load import load
from gateway.base.mishaps import Mishaps
from tests.certificates import signed_by_itself

ONE = "stations:\n  - {id: one}\n"
TWO = ONE + "  - {id: two}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "yizhan.yaml"
    path.write_text(ONE)
    return path


def test_what_the_files_say_now_is_applied(file: Path) -> None:
    applied: list[Difference] = []
    running = Reloading(file, load(file), load, applied.append)
    file.write_text(TWO)
    done = running.reload("a person", "a new station")
    assert (done.changed, done.mistakes, done.needs_restart) == (True, (), ())
    assert [station.id for station in applied[0].added] == ["two"]
    assert [station.id for station in running.settings().stations] == ["one", "two"]


def test_files_that_say_the_same_change_nothing(file: Path) -> None:
    applied: list[Difference] = []
    done = Reloading(file, load(file), load, applied.append).reload("a person", "to be sure")
    assert (done.changed, applied) == (False, [])


def test_a_file_with_mistakes_changes_nothing_and_tells_every_one(file: Path) -> None:
    running = Reloading(file, load(file), load)
    file.write_text("stations:\n  - {id: one, hourz: 24/7}\n  - {id: one}\n")
    done = running.reload("a person", "a slip")
    assert len(done.mistakes) == 2
    assert not done.changed
    assert [station.id for station in running.settings().stations] == ["one"]
    assert "hourz" in (running.trouble() or "")
    file.write_text(ONE)
    running.reload("a person", "mended")
    assert running.trouble() is None


def test_a_process_that_can_not_take_it_up_goes_on_as_before(file: Path) -> None:
    def refuse(_difference: Difference) -> None:
        raise NotReloadedError("the store takes no writes")

    running = Reloading(file, load(file), load, refuse)
    file.write_text(TWO)
    with pytest.raises(NotReloadedError, match="no writes"):
        running.reload("a person", "a new station")
    assert [station.id for station in running.settings().stations] == ["one"]
    assert "no writes" in (running.trouble() or "")


def test_what_waits_for_a_restart_is_named_each_time(file: Path) -> None:
    running = Reloading(file, load(file), load)
    file.write_text(ONE + "api: {listen: 127.0.0.1:81}\n")
    for _ in range(2):
        done = running.reload("a person", "another port")
        assert (done.needs_restart, done.changed) == (("api.listen",), False)
    assert running.settings().api.listen.port == 8080


def test_what_was_written_by_hand_becomes_a_version_at_a_reload(file: Path) -> None:
    running, versions = Reloading(file, load(file), load), Versions(ConfigHome(file))
    running.reload("Chen", "nothing yet")
    for text in (TWO, "stations: [{"):
        file.write_text(text)
        running.reload("Chen", "a new station")
    kept = [versions.read(number) for number in versions.numbers()]
    assert [(version.who, version.why) for version in kept] == [
        ("by hand", "as it was found"),
        ("by hand", "taken up for Chen: a new station"),
        ("by hand", "taken up for Chen: a new station"),
    ]
    assert [versions.contents(version)["yizhan.yaml"].decode() for version in kept] == [ONE, TWO, "stations: [{"]


def test_a_folder_that_takes_no_versions_stops_no_reload(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object) -> None:
        raise OSError(30, "Read-only file system")

    running = Reloading(file, load(file), load)
    file.write_text(TWO)
    monkeypatch.setattr("api.reloading.note", refused)
    assert running.reload("Chen", "a new station").changed


def test_metrics_tell_of_the_certificates_that_the_files_name_now(file: Path, tmp_path: Path) -> None:
    signed_by_itself(tmp_path / "c.pem", tmp_path / "c.key", ends=datetime(2050, 1, 1, tzinfo=UTC))
    running = Reloading(file, load(file), load)
    registry = _registry(running.settings, Mishaps())
    assert registry.get_sample_value("yizhan_certificate_ends_seconds", {"option": "bridge.buses.p.cert_file"}) is None
    bus = "{id: p, port: 'wss://127.0.0.1:0', protocol: ocpp, cert_file: c.pem, key_file: c.key}"
    file.write_text(f"{ONE}bridge: {{station: one, buses: [{bus}]}}\n")
    running.reload("a person", "a bus")
    told = registry.get_sample_value("yizhan_certificate_ends_seconds", {"option": "bridge.buses.p.cert_file"})
    assert told == datetime(2050, 1, 1, tzinfo=UTC).timestamp()
