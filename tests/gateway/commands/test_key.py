"""The key file: made whole, once, for its owner only."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.commands import CommandKey, made_key
from gateway.commands.key import read_key
from tests.patience import PATIENCE_S

MAKE = "import sys; from pathlib import Path; from gateway.commands import made_key; print(made_key(Path(sys.argv[1])))"


def test_a_new_key_is_readable_by_its_owner_only_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "command.key"
    key = made_key(path)
    assert len(key) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made_key(path) == key == read_key(path)
    assert [file.name for file in tmp_path.iterdir()] == ["command.key"]


def test_processes_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "command.key"
    words = [sys.executable, "-c", MAKE, str(path)]
    makers = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(4)]
    assert {maker.communicate(timeout=PATIENCE_S)[0].strip() for maker in makers} == {
        repr(path.read_bytes().strip()).encode()
    }
    assert [file.name for file in tmp_path.iterdir()] == ["command.key"]


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"x" * 31])
def test_a_file_without_a_key_is_named_with_the_mend(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "command.key"
    path.write_bytes(content)
    for use in (read_key, made_key, CommandKey):
        with pytest.raises(ValueError, match=r"command\.key holds fewer than 32 characters"):
            use(path)
    assert path.read_bytes() == content


def test_a_bridge_that_started_first_finds_the_key_later(tmp_path: Path) -> None:
    key = CommandKey(tmp_path / "command.key")
    assert key() is None
    made = made_key(tmp_path / "command.key")
    assert key() == made
