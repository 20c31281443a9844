"""What was changed while nobody ran is in the audit trail of the next start."""

import hashlib
import json
from pathlib import Path

import pytest

from api.access_book import AccessBook, AccessLine
from api.start_book import CONFIGURATION, MANY, NAME, PARTNER, SECRET, note_start
from config.load import load
from tests.api.conftest import NOON

CONFIG = """
store: {path: data}
mqtt: {url: "mqtt://127.0.0.1:9", username: u, password_file: password}
stations:
  - {id: yanshan, partner: {token_file: link}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "10-site.yaml").write_text(CONFIG)
    (folder / "password").write_text("geheim")
    (folder / "link").write_text("a-partners-own-token")
    return folder


def start(config: Path, command: str = "up", at: int = NOON) -> list[AccessLine]:
    """The lines that this start adds, the oldest first."""
    settings = load(config, {})
    book = AccessBook(settings.store.path)
    before = len(book.lines(1_000))
    note_start(config, settings, command, at)
    return book.lines(1_000)[: len(book.lines(1_000)) - before][::-1]


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_the_first_start_tells_what_it_runs_with_and_the_next_nothing(config: Path) -> None:
    told = start(config)
    site = digest_of(config / "10-site.yaml")
    assert told == [AccessLine(NOON, "start of yizhan up", CONFIGURATION, "10-site.yaml", f"sha256 none → {site}")]
    assert start(config) == []
    assert start(config, "gateway") == []


def test_a_change_of_the_configuration_is_told_with_both_digests(config: Path) -> None:
    start(config)
    path = config / "10-site.yaml"
    before = digest_of(path)
    path.write_text(CONFIG + "timezone: Asia/Tokyo\n")
    (config / "20-more.yaml").write_text("privacy: {}\n")
    told = start(config, at=NOON + 1)
    assert [(line.what, line.target, line.detail) for line in told] == [
        (CONFIGURATION, "10-site.yaml", f"sha256 {before} → {digest_of(path)}"),
        (CONFIGURATION, "20-more.yaml", f"sha256 none → {digest_of(config / '20-more.yaml')}"),
    ]
    (config / "20-more.yaml").unlink()
    (gone,) = start(config)
    assert (gone.detail or "").endswith("→ none")


def test_another_partners_link_is_told_with_its_station_and_no_digest(config: Path) -> None:
    start(config)
    (config / "link").write_text("another-token-of-theirs")
    (config / "password").write_text("other")
    told = start(config)
    assert {(line.what, line.target, line.detail) for line in told} == {
        (PARTNER, "yanshan", "changed"),
        (SECRET, "mqtt.password_file", "changed"),
    }
    kept = (config / "data" / NAME).read_text()
    assert "another-token" not in kept
    assert hashlib.sha256(b"another-token-of-theirs").hexdigest() not in kept
    (config / "10-site.yaml").write_text(CONFIG.replace(", partner: {token_file: link}", ""))
    assert (PARTNER, "yanshan", "taken away") in {(line.what, line.target, line.detail) for line in start(config)}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"files": {}'])
def test_a_damaged_memory_of_the_last_start_stops_none(config: Path, damage: str) -> None:
    start(config)
    (config / "data" / NAME).write_text(damage)
    assert [line.what for line in start(config)] == [CONFIGURATION]
    assert json.loads((config / "data" / NAME).read_text())["files"]


def test_the_memory_is_for_its_owner_alone(config: Path) -> None:
    start(config)
    assert (config / "data" / NAME).stat().st_mode & 0o777 == 0o600


def test_thousands_of_new_files_are_few_lines(config: Path) -> None:
    for number in range(50):
        (config / f"30-{number:02}.yaml").write_text("privacy: {}\n" if not number else "")
    told = start(config)
    assert len(told) == MANY + 1
    assert told[-1].detail == "31 more files changed"


def test_an_api_on_another_machine_makes_no_folder(config: Path) -> None:
    note_start(config, load(config, {}), "api", NOON)
    assert not (config / "data").exists()
