"""Passkeys go into a backup and come back where there are none; sessions do neither."""

from pathlib import Path

import pytest

from api.auth import Keyring
from api.cli import main
from api.passkeys.book import NAME
from api.sessions import BOOK, SESSION_KEY, LogIn
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON

HOUR = 3_600_000


@pytest.mark.usefixtures("capsys")
def test_passkeys_come_back_where_there_are_none_and_no_session_does(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "yizhan.yaml").write_text("store: {path: data, ballast_mib: 0}\n")
    here, there = (tmp_path / name / "data" for name in ("here", "there"))
    SqliteStore(here, NOON, ballast_mib=0).close()
    keyring = Keyring(here / "keys.json", here)
    key = keyring.check(keyring.create("Li", "operator", NOON), NOON)
    assert key is not None
    made = keyring.passkeys.add(key.id, "Li 的手机", "c", "p", 0, NOON)
    cookie = keyring.open_session(key, LogIn("Li"), NOON, NOON + HOUR)

    def restore(*more: str) -> None:
        words = ["restore", "--config", str(tmp_path / "there/yizhan.yaml"), "--from", str(tmp_path / "safe"), *more]
        assert main(words) == 0

    assert main(["backup", "--config", str(tmp_path / "here/yizhan.yaml"), "--to", str(tmp_path / "safe")]) == 0
    assert not {BOOK, SESSION_KEY} & {path.name for path in (tmp_path / "safe").rglob("*")}
    restore()
    elsewhere = Keyring(there / "keys.json", there)
    assert elsewhere.passkeys.all() == (made,)
    assert elsewhere.check_session(cookie, NOON) is None
    elsewhere.passkeys.change(made.id, lambda _: None)
    restore("--force")
    assert elsewhere.passkeys.all() == (), "what was removed since stays so"
    assert (there / NAME).stat().st_mode & 0o777 == 0o600
