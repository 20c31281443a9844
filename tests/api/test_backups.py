"""The backup of each day: sealed, only what is new, rehearsed, restored to the same bytes, and told when it fails."""

import hashlib
import http.server
import io
import json
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access_book import AccessBook
from api.backups import sealed
from api.backups.copying import BackupFaultError, Copies
from api.backups.s3 import Bucket
from api.backups.schedule import BackupThread, due
from api.backups.sealed import NotOpenedError, PassphraseSeal
from api.backups.targets import FolderTarget, RsyncTarget, TargetError, target_of
from api.cli import main
from config.load import load
from config.schema.backup import Backup
from gateway.base.backup_state import LATE_MS, BackupState, asked_state, read_state, trouble_of, write_state
from gateway.base.local_time import DAY_MS
from gateway.base.mishaps import Mishaps
from tests.api.conftest import NOON
from tests.api.test_store_commands import export, filled

SALT = bytes(16)
CONFIG = """
store: {path: data, ballast_mib: 0}
backup: {to: TARGET, passphrase_file: passphrase, at: "03:20"}
stations:
  - id: yanshan
    areas: [{id: lounge, resources: [{id: seat-01, kind: seat}]}]
"""


@pytest.fixture(scope="module", autouse=True)
def _cheap() -> Iterator[None]:
    """The key in a moment; how dear it is for who guesses is not what is tested here."""
    before, sealed.N = sealed.N, 2
    yield
    sealed.N = before


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "safe").mkdir()
    return tmp_path / "safe"


@pytest.fixture
def here(tmp_path: Path, place: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "passphrase").write_text("correct horse battery staple")
    (folder / "yizhan.yaml").write_text(CONFIG.replace("TARGET", str(place)))
    filled(folder / "yizhan.yaml").close()
    return folder / "yizhan.yaml"


def run(*words: object) -> int:
    return main([str(word) for word in words])


# ---- the seal ----


@given(content=st.binary(max_size=200), piece=st.sampled_from((1, 7, 64)))
@settings(deadline=None, max_examples=50)
def test_what_was_sealed_is_opened_to_the_same_bytes(content: bytes, piece: int) -> None:
    seal, before, sealed.PIECE = PassphraseSeal("p", SALT), sealed.PIECE, piece
    try:
        shut, opened = io.BytesIO(), io.BytesIO()
        digest = seal.close(io.BytesIO(content), shut, "name")
        assert seal.open(io.BytesIO(shut.getvalue()), opened, "name") == digest == hashlib.sha256(content).hexdigest()
        assert opened.getvalue() == content
    finally:
        sealed.PIECE = before


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_whatever_is_changed_cut_or_swapped_is_not_opened(data: st.DataObject) -> None:
    seal, before, sealed.PIECE = PassphraseSeal("p", SALT), sealed.PIECE, 16
    try:
        shut = io.BytesIO()
        seal.close(io.BytesIO(bytes(range(64))), shut, "name")
        content = bytearray(shut.getvalue())
        head, piece = len(sealed.MAGIC) + 8, 32
        how = data.draw(st.sampled_from(("flip", "cut", "swap", "name", "more")))
        if how == "flip":
            content[data.draw(st.integers(0, len(content) - 1))] ^= 1
        elif how == "cut":
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        elif how == "swap":
            first, second = content[head : head + piece], content[head + piece : head + 2 * piece]
            content[head : head + 2 * piece] = second + first
        elif how == "more":
            content += b"x"
        with pytest.raises(NotOpenedError):
            seal.open(io.BytesIO(content), io.BytesIO(), "other" if how == "name" else "name")
    finally:
        sealed.PIECE = before


def test_another_passphrase_opens_nothing(place: Path, here: Path) -> None:
    assert run("backup", "--config", here) == 0
    Copies(load(here), FolderTarget(place), "correct horse battery staple").rehearse()
    with pytest.raises(BackupFaultError, match="another passphrase, or it was changed"):
        Copies(load(here), FolderTarget(place), "wrong").rehearse()


# ---- there and back ----


def test_a_backup_is_restored_to_the_same_export(
    here: Path, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = export(capsys, here)
    assert run("backup", "--config", here) == 0
    assert run("restore", "--list", "--config", here) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("list-")
    shutil.rmtree(here.parent / "data")
    assert run("restore", "--from-backup", "--config", here) == 0
    capsys.readouterr()
    assert export(capsys, here) == before
    assert [path.name for path in here.parent.iterdir() if path.name.startswith(".restore")] == []
    stored = b"".join(path.read_bytes() for path in place.iterdir())
    assert b"SQLite" not in stored
    assert b"yanshan" not in stored
    assert not any("day" in path.name or "yizhan" in path.name for path in place.iterdir())
    assert run("restore", "--from-backup", "list-none", "--config", here, "--force") == 1


def test_only_what_has_changed_is_put_again(here: Path, place: Path) -> None:
    copies = Copies(load(here), FolderTarget(place), "p")
    first = copies.make(NOON, 30)
    second = copies.make(NOON + DAY_MS, 30)
    assert (first.put, second.put, second.files) == (first.files, 0, first.files)
    AccessBook(here.parent / "data").note(NOON, "li", "logged_in", "key")
    third = copies.make(NOON + 2 * DAY_MS, 30)
    assert third.files >= first.files
    assert 0 < third.put <= 2, "the trail and its head"


def test_old_backups_go_and_the_newest_stays_whole(here: Path, place: Path) -> None:
    copies = Copies(load(here), FolderTarget(place), "p")
    for day in range(5):
        AccessBook(here.parent / "data").note(NOON, "li", "logged_in", f"key-{day}")
        copies.make(NOON + day * DAY_MS, 2)
    assert len(copies.lists()) == 3
    assert copies.rehearse() > 3
    before = len(list(place.iterdir()))
    copies.make(NOON + 99 * DAY_MS, 2)
    assert len(copies.lists()) == 1
    assert len(list(place.iterdir())) < before
    assert copies.rehearse() > 3


def test_a_file_that_was_damaged_there_is_found_by_the_rehearsal(here: Path, place: Path) -> None:
    assert run("backup", "--config", here) == 0
    assert (read_state(here.parent / "data") or BackupState()).rehearsed_at > 0, "the first backup is rehearsed at once"
    largest = max(place.iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    assert run("backup", "--rehearse", "--config", here) == 1
    state = read_state(here.parent / "data")
    assert state is not None
    assert "can't be opened" in state.rehearsal_error
    assert "the rehearsal failed" in (trouble_of(state, state.made_at) or "")


def test_a_list_that_names_files_outside_of_the_store_is_refused(here: Path, place: Path, tmp_path: Path) -> None:
    copies = Copies(load(here), FolderTarget(place), "p")
    copies.make(NOON, 30)
    kept = {"name": "../evil", "sha256": "0" * 64, "size": 1, "changed_ns": 0}
    (tmp_path / "plain").write_text(json.dumps({"made_at": 0, "files": [kept]}))
    copies._put("list-99", tmp_path / "plain", "list-99")
    with pytest.raises(BackupFaultError, match="no name of a store's file"):
        copies.fetch(tmp_path / "out")


# ---- when, and what is told ----

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


@pytest.mark.parametrize(
    ("tried", "error", "now", "is_due"),
    [
        ("2026-11-28T03:20", "", "2026-11-29T03:19", False),
        ("2026-11-28T03:20", "", "2026-11-29T03:20", True),
        ("2026-11-29T03:20", "", "2026-11-29T23:59", False),
        ("2026-11-29T02:00", "", "2026-11-29T03:20", True),
        ("2026-11-29T03:20", "no disk", "2026-11-29T04:19", False),
        ("2026-11-29T03:20", "no disk", "2026-11-29T04:20", True),
        ("2026-11-20T03:20", "", "2026-11-29T12:00", True),
    ],
)
def test_it_is_made_at_its_time_once_a_day_and_an_hour_after_a_failure(
    tried: str, error: str, now: str, is_due: bool
) -> None:
    backup = Backup.model_validate(
        {"to": "/x", "passphrase_file": "p"}, context={"base": Path("/"), "check_files": False}
    )
    assert due(backup, SHANGHAI, BackupState(tried_at=at(tried), error=error), at(now)) is is_due


def test_the_thread_makes_what_is_due_and_notes_what_failed(here: Path, place: Path) -> None:
    now = at("2026-11-29T03:20")
    thread = BackupThread(lambda: load(here), lambda: now, Mishaps())
    assert thread.look()
    assert not thread.look(), "once a day"
    lines = [line for line in AccessBook(here.parent / "data").lines(9) if line.what == "backed_up"]
    assert [(line.who, line.target) for line in lines] == [("yizhan", str(place))]
    shutil.rmtree(place)
    now += DAY_MS
    assert thread.look()
    state = read_state(here.parent / "data")
    assert state is not None
    assert "is not there: make it, or mount its disk" in state.error
    assert state.made_at == now - DAY_MS
    assert "the last backup failed" in (trouble_of(state, now) or "")


def test_a_day_and_a_half_without_a_backup_is_told() -> None:
    good = BackupState(made_at=NOON, tried_at=NOON, rehearsed_at=NOON)
    assert trouble_of(good, NOON + LATE_MS) is None
    assert "day and a half" in (trouble_of(good, NOON + LATE_MS + 1) or "")


def test_a_restart_makes_a_backup_that_is_missing_no_younger(tmp_path: Path) -> None:
    assert trouble_of(asked_state(tmp_path, NOON), NOON) is None, "it was asked for only now"
    for restarted in (NOON + DAY_MS, NOON + LATE_MS):
        assert trouble_of(asked_state(tmp_path, restarted), restarted) is None
    late = NOON + LATE_MS + 1
    assert "day and a half" in (trouble_of(asked_state(tmp_path, late), late) or "")


def test_a_damaged_state_is_as_old_as_its_file(tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("{")
    os.utime(tmp_path / "backup.json", (NOON / 1000, NOON / 1000))
    assert trouble_of(asked_state(tmp_path, NOON + LATE_MS), NOON + LATE_MS) is None
    assert "day and a half" in (trouble_of(asked_state(tmp_path, NOON), NOON + LATE_MS + 1) or "")


def test_a_state_that_is_damaged_is_none(tmp_path: Path) -> None:
    write_state(tmp_path, BackupState(1, 2, "x", 3, "y"))
    assert read_state(tmp_path) == BackupState(1, 2, "x", 3, "y")
    (tmp_path / "backup.json").write_text("{")
    assert read_state(tmp_path) is None


# ---- places ----


@pytest.mark.parametrize(
    "to", ["/media/usb", "./safe", "~/safe", "li@nas:backups/yizhan", "nas:/srv", "s3://yizhan/box"]
)
def test_a_place_may_be_a_folder_a_target_of_rsync_or_a_bucket(to: str) -> None:
    context = {"base": Path("/"), "check_files": False}
    assert Backup.model_validate({"to": to, "passphrase_file": "p"}, context=context).to == to


@pytest.mark.parametrize("to", ["", "-e sh:x", "nas:x;rm", "s3://", "https://x", "a b:c", "/x\0y"])
def test_nothing_else_is_a_place(to: str) -> None:
    with pytest.raises(ValueError, match="is no place for backups"):
        Backup.model_validate({"to": to, "passphrase_file": "p"}, context={"base": Path("/"), "check_files": False})


@pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
def test_a_target_of_rsync_takes_gives_lists_and_deletes(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    target = RsyncTarget(str(there))
    (tmp_path / "file").write_bytes(b"content")
    target.put("one", tmp_path / "file")
    target.put("two", tmp_path / "file")
    assert target.names() == {"one", "two"}
    target.get("one", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"content"
    target.delete("one")
    assert target.names() == {"two"}
    with pytest.raises(TargetError, match="rsync"):
        RsyncTarget(str(tmp_path / "none/there")).names()


class _Storage(http.server.BaseHTTPRequestHandler):
    """A bucket in memory that checks what it can of a signature: the digest of the body."""

    kept: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        good = hashlib.sha256(body).hexdigest() == self.headers["x-amz-content-sha256"]
        self.kept[unquote(self.path)] = body
        self._answer(200 if good and self._signed() else 403)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.query:
            prefix = parse_qs(parts.query)["prefix"][0]
            after = int(parse_qs(parts.query).get("continuation-token", ["0"])[0])
            keys = sorted(key.removeprefix("/bucket/") for key in self.kept if key.startswith(f"/bucket/{prefix}"))
            more = f"<NextContinuationToken>{after + 2}</NextContinuationToken>" if after + 2 < len(keys) else ""
            rows = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[after : after + 2])
            self._answer(200, f"<ListBucketResult xmlns='x'>{rows}{more}</ListBucketResult>".encode())
        else:
            content = self.kept.get(unquote(self.path))
            self._answer(404 if content is None else 200, content or b"<Code>NoSuchKey</Code>")

    def do_DELETE(self) -> None:
        self.kept.pop(unquote(self.path), None)
        self._answer(204)

    def _signed(self) -> bool:
        return self.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")

    def _answer(self, code: int, body: bytes = b"") -> None:
        self.send_response(code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def storage() -> Iterator[str]:
    _Storage.kept = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Storage)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_bucket_takes_gives_lists_page_by_page_and_deletes(storage: str, tmp_path: Path) -> None:
    bucket = Bucket(storage, "bucket", "box 1", "us-east-1", "key", "secret")
    for name in ("a", "b", "c", "list-1", "d"):
        (tmp_path / "file").write_bytes(name.encode() * 1000)
        bucket.put(name, tmp_path / "file")
    assert bucket.names() == {"a", "b", "c", "list-1", "d"}
    bucket.get("c", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"c" * 1000
    bucket.delete("c")
    with pytest.raises(OSError, match="says 404: <Code>NoSuchKey"):
        bucket.get("c", tmp_path / "back")


def test_no_connection_stays_open_however_a_request_ends(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[HTTPConnection] = []

    class Noted(HTTPConnection):
        def __init__(self, host: str, port: int, timeout: float) -> None:
            super().__init__(host, port, timeout=timeout)
            made.append(self)

    monkeypatch.setattr("api.backups.s3.HTTPConnection", Noted)
    monkeypatch.setattr(_Storage, "protocol_version", "HTTP/1.1")
    bucket = Bucket(storage, "bucket", "box", "us-east-1", "key", "secret")
    (tmp_path / "file").write_bytes(b"x")
    bucket.put("a", tmp_path / "file")
    bucket.get("a", tmp_path / "back")
    with pytest.raises(OSError, match="says 404"):
        bucket.get("none", tmp_path / "back")
    with pytest.raises(OSError, match="full"), bucket._asked("GET", "a"):
        raise OSError("the disk is full")
    assert [line.sock for line in made] == [None] * 4


def test_the_signature_is_that_of_the_published_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """GET of `test.txt`'s like, from AWS's documentation of Signature Version 4 for S3: `GET Bucket (List Objects)`."""
    monkeypatch.setattr("api.backups.s3.now_ms", lambda: round(datetime(2013, 5, 24, tzinfo=UTC).timestamp() * 1000))
    bucket = Bucket(
        "https://examplebucket.s3.amazonaws.com", "examplebucket", "", "us-east-1",
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    )  # fmt: skip
    told = bucket._signed("GET", "/", "max-keys=2&prefix=J", hashlib.sha256(b"").hexdigest())
    assert told["authorization"].endswith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")


def test_a_backup_to_a_bucket_comes_back(storage: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here.parent / "secret").write_text("secret")
    more = f"s3://bucket/box, s3_endpoint: '{storage}', s3_access_id: key, s3_secret_file: secret"
    here.write_text(CONFIG.replace("TARGET", more))
    before = export(capsys, here)
    assert run("backup", "--config", here) == 0
    shutil.rmtree(here.parent / "data")
    assert run("restore", "--from-backup", "--config", here) == 0
    capsys.readouterr()
    assert export(capsys, here) == before


def test_a_bucket_that_lacks_its_key_is_told() -> None:
    backup = Backup.model_validate(
        {"to": "s3://bucket", "passphrase_file": "p"}, context={"base": Path("/"), "check_files": False}
    )
    with pytest.raises(TargetError, match=r"needs backup\.s3_endpoint"):
        target_of(backup)
