"""The audit trail: one line for each change, a chain that shows any edit, and exports by day."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import access_book
from api.access_book import HEAD, NAME, AccessBook
from api.audit_check import ACCESS, check_access, check_all, check_store, faults_of
from api.audit_export import AuditExports
from api.cli import main
from gateway.base.local_time import DAY_MS
from gateway.store.audit import forget_lines, keep_line
from gateway.store.files import connect
from gateway.store.jobs import KeepAudit
from tests.api.conftest import NOON

FIXTURES = Path(__file__).parents[1] / "vectors/store"
LINES = 8


def access_trail(folder: Path, count: int = LINES, at: int = NOON) -> AccessBook:
    book = AccessBook(folder)
    for number in range(count):
        book.note(at + number, f"李{number}", "key_created", f"key-{number}", None if number % 2 else "admin")
    return book


def store_trail(folder: Path, count: int = LINES, at: int = NOON) -> Path:
    """A core file with lines of two people."""
    folder.mkdir(exist_ok=True)
    path = folder / "yizhan.db"
    with contextlib.closing(connect(path, "core")) as db:
        for number in range(count):
            keep_line(db, KeepAudit(at + number, f"wang{number}", "close", f"alert-{number}", f"nonce-{number}"))
        db.commit()
    return path


@pytest.fixture(scope="module")
def trails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, which nobody changes."""
    folder = tmp_path_factory.mktemp("trails")
    access_trail(folder)
    store_trail(folder)
    return folder


def copied(trails: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(trails, to)


def changed(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


# ---- a trail that nobody touched is whole ----


def test_a_trail_that_nobody_touched_is_whole(tmp_path: Path) -> None:
    access_trail(tmp_path)
    store_trail(tmp_path)
    checked = check_all(tmp_path, 0)
    assert faults_of(checked) == []
    assert [(trail.trail, trail.lines, trail.began) for trail in checked[:2]] == [
        (ACCESS, LINES, 1),
        ("store", LINES, 1),
    ]


def test_what_utf8_cannot_hold_is_stored_as_it_is_read_again(tmp_path: Path) -> None:
    AccessBook(tmp_path).note(NOON, "li \ud800", "logged_in", "key", "\x00\x1b\r\n")
    assert faults_of(check_all(tmp_path, 0)) == []


def test_lines_of_a_former_version_stay_readable_and_are_sealed(tmp_path: Path) -> None:
    """The chain begins with the first line of this version; from then on the older ones can't be edited either."""
    old = [{"at": NOON, "who": "li", "what": "logged_in", "target": "k", "detail": None}] * 3
    (tmp_path / NAME).write_text("".join(json.dumps(row) + "\n" for row in old))
    assert check_access(tmp_path).began is None
    AccessBook(tmp_path).note(NOON + 1, "wang", "logged_out", "k")
    checked = check_access(tmp_path)
    assert (checked.lines, checked.began, checked.faults) == (4, 4, [])
    assert [line.who for line in AccessBook(tmp_path).lines(9)] == ["wang", "li", "li", "li"]
    text = (tmp_path / NAME).read_text()
    (tmp_path / NAME).write_text(text.replace('"li"', '"le"', 1))
    assert check_access(tmp_path).faults != []


@pytest.mark.parametrize("version", range(1, 6))
def test_a_store_of_a_former_version_begins_its_chain_at_a_stated_line(tmp_path: Path, version: int) -> None:
    path = tmp_path / "yizhan.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript((FIXTURES / f"core-{version}.sql").read_text())
    assert check_store(tmp_path, tmp_path).faults == [], "it has no chain yet"
    with contextlib.closing(connect(path, "core")) as db:
        (older,) = db.execute("SELECT count(*) FROM audit").fetchone()
        keep_line(db, KeepAudit(NOON * 2, "li", "close", "a9", "n"))
        db.commit()
    checked = check_store(tmp_path, tmp_path)
    assert (checked.began, checked.lines, checked.faults) == (older + 1, older + 1, [])


# ---- whatever is done to it is found ----

Harm = Callable[[list[str], int, int], list[str]]


def edited(rows: list[str], first: int, _other: int) -> list[str]:
    row = json.loads(rows[first])
    row["who"] += "x"
    return [*rows[:first], json.dumps(row, ensure_ascii=False), *rows[first + 1 :]]


def removed(rows: list[str], first: int, _other: int) -> list[str]:
    return rows[:first] + rows[first + 1 :]


def swapped(rows: list[str], first: int, other: int) -> list[str]:
    rows = list(rows)
    rows[first], rows[other] = rows[other], rows[first]
    return rows


def doubled(rows: list[str], first: int, other: int) -> list[str]:
    return [*rows[:other], rows[first], *rows[other:]]


def emptied(rows: list[str], first: int, _other: int) -> list[str]:
    return [*rows[:first], "", *rows[first + 1 :]]


def cut(rows: list[str], first: int, _other: int) -> list[str]:
    return rows[:first]


HARMS: tuple[Harm, ...] = (edited, removed, swapped, doubled, emptied, cut)
A_LINE = st.integers(0, LINES - 1)


@given(harm=st.sampled_from(HARMS), first=A_LINE, other=A_LINE, then=st.booleans())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_edit_removal_swap_or_gap_in_the_file_is_found(
    trails: Path, tmp_path: Path, harm: Harm, first: int, other: int, then: bool
) -> None:
    """Also where the product writes on behind it (`then`): it mends nothing over."""
    copied(trails, tmp_path / "store")
    book = AccessBook(tmp_path / "store")
    rows = book.path.read_text().splitlines()
    harmed = harm(rows, first, other)
    book.path.write_text("".join(row + "\n" for row in harmed))
    if then:
        book.note(NOON + 99, "wang", "logged_in", "key")
    assert (check_access(tmp_path / "store").faults == []) == (harmed == rows)


@given(
    column=st.sampled_from(("at", "who", "what", "target", "detail", "digest")),
    kind=st.sampled_from(("edit", "remove", "swap", "renumber")),
    first=st.integers(1, LINES),
    other=st.integers(1, LINES),
    then=st.booleans(),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_any_edit_removal_swap_or_gap_in_the_store_is_found(
    trails: Path, tmp_path: Path, column: str, kind: str, first: int, other: int, then: bool
) -> None:
    copied(trails, tmp_path / "store")
    path = tmp_path / "store/yizhan.db"
    harm = {
        "edit": [f"UPDATE audit SET {column} = 7 WHERE id = {first}"],
        "remove": [f"DELETE FROM audit WHERE id = {first}"],
        "swap": [
            f"UPDATE audit SET id = 99 WHERE id = {first}",
            f"UPDATE audit SET id = {first} WHERE id = {other}",
            f"UPDATE audit SET id = {other} WHERE id = 99",
        ],
        "renumber": [f"UPDATE audit SET id = 99 WHERE id = {first}"],
    }[kind]
    changed(path, *harm)
    if then:
        with contextlib.closing(connect(path, "core")) as db:
            keep_line(db, KeepAudit(NOON + 99, "wang", "close", "alert", "nonce"))
            db.commit()
    untouched = kind == "swap" and first == other
    assert (check_store(tmp_path / "store", tmp_path / "store").faults == []) == untouched


def test_without_its_file_of_the_last_line_a_trail_is_not_called_whole(tmp_path: Path) -> None:
    access_trail(tmp_path)
    (tmp_path / HEAD).unlink()
    assert any(HEAD in fault for fault in check_access(tmp_path).faults)


def test_a_trail_that_was_made_anew_is_found_by_exports_kept_elsewhere(tmp_path: Path) -> None:
    access_trail(tmp_path / "store")
    AuditExports(tmp_path / "store", 730).export(NOON)
    shutil.copytree(tmp_path / "store/audit", tmp_path / "safe")
    shutil.rmtree(tmp_path / "store")
    access_trail(tmp_path / "store", at=NOON + 1)
    assert faults_of(check_all(tmp_path / "store", 0)) == [], "by itself it is whole"
    assert faults_of(check_all(tmp_path / "store", 0, tmp_path / "safe")) != []


# ---- crashes ----


def test_half_a_line_that_a_power_cut_left_is_cut_off(tmp_path: Path) -> None:
    book = access_trail(tmp_path)
    with book.path.open("ab") as file:
        file.write(b'{"at": 1, "who"')
    book.note(NOON + 99, "li", "logged_in", "key")
    checked = check_access(tmp_path)
    assert (checked.lines, checked.faults) == (LINES + 1, [])


def test_a_kill_between_a_line_and_its_head_costs_nothing(tmp_path: Path) -> None:
    book = access_trail(tmp_path)
    head = (tmp_path / HEAD).read_bytes()
    book.note(NOON + 98, "li", "logged_in", "key")
    (tmp_path / HEAD).write_bytes(head)
    assert check_access(tmp_path).faults == []
    book.note(NOON + 99, "li", "logged_out", "key")
    checked = check_access(tmp_path)
    assert (checked.lines, checked.faults) == (LINES + 2, [])


# ---- age ----


def test_a_long_trail_goes_on_in_another_file_and_what_is_past_its_time_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_book, "LONGEST_BYTES", 1_000)
    book = access_trail(tmp_path, 40)
    assert len(book.parts()) > 4
    assert [line.at for line in book.lines(99)] == [NOON + number for number in reversed(range(40))]
    assert check_access(tmp_path).faults == []
    book.forget(NOON + 20)
    kept = book.lines(99)
    assert (kept[0].at, NOON < kept[-1].at <= NOON + 20) == (NOON + 39, True)
    assert check_access(tmp_path).faults == []
    monkeypatch.setattr(access_book, "ASIDE_MOST", 1)
    book.note(NOON + 41, "li", "logged_in", "key")
    assert len(book.parts()) == 1
    assert check_access(tmp_path).faults == []
    book.parts()[0].unlink()
    assert check_access(tmp_path).faults != []


def test_the_oldest_lines_of_the_store_go_and_the_rest_is_whole(tmp_path: Path) -> None:
    path = store_trail(tmp_path)
    for before, kept in ((NOON, LINES), (NOON + 3, LINES - 3), (NOON + 99, 0)):
        with contextlib.closing(connect(path, "core")) as db:
            forget_lines(db, before)
            db.commit()
        checked = check_store(tmp_path, tmp_path)
        assert (checked.lines, checked.faults) == (kept, [])
    store_trail(tmp_path, 2)
    assert check_store(tmp_path, tmp_path).faults == []


# ---- exports ----


def test_each_day_exports_what_the_days_before_left(tmp_path: Path) -> None:
    exports = AuditExports(tmp_path, 730)
    assert exports.keep_up(NOON) is None
    access_trail(tmp_path)
    store_trail(tmp_path)
    assert exports.keep_up(NOON + 1000) is None, "that day is not over"
    path = exports.keep_up(NOON + DAY_MS)
    assert path is not None
    assert path.name == "2026-11-22.jsonl"
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    assert [(row["trail"], row["n"]) for row in rows] == [
        (trail, n) for trail in ("access", "store") for n in range(1, LINES + 1)
    ]
    assert exports.keep_up(NOON + DAY_MS + 1) is None
    second = exports.keep_up(NOON + 2 * DAY_MS)
    assert second is not None
    assert [json.loads(row)["what"] for row in second.read_text().splitlines()] == ["audit_exported"]
    assert faults_of(check_all(tmp_path, 0)) == []


def test_an_export_that_was_edited_or_is_gone_is_found(tmp_path: Path) -> None:
    access_trail(tmp_path)
    path = AuditExports(tmp_path, 730).export(NOON + DAY_MS)
    assert path is not None
    content = path.read_text()
    path.write_text(content.replace("李3", "李4"))
    assert faults_of(check_all(tmp_path, 0)) != []
    path.unlink()
    assert faults_of(check_all(tmp_path, 0)) != []
    assert faults_of(check_all(tmp_path, NOON + 2 * DAY_MS)) == [], "it was past its time"


def test_a_store_that_was_restored_is_older_than_its_exports_and_that_is_no_fault(tmp_path: Path) -> None:
    path = store_trail(tmp_path)
    safe = tmp_path / "safe.db"
    shutil.copy(path, safe)
    store_trail(tmp_path, 2, NOON + 50)
    AuditExports(tmp_path, 730).export(NOON + 60)
    shutil.copy(safe, path)
    assert faults_of(check_all(tmp_path, 0)) != []
    AccessBook(tmp_path).note(NOON + 70, "li", "restored", "data")
    assert faults_of(check_all(tmp_path, 0)) == []


def test_the_command_says_whether_the_trail_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.yaml"
    config.write_text("store: {path: data}\nstations: [{id: yanshan}]\n")
    book = access_trail(tmp_path / "data")
    assert main(["audit", "verify", "--config", str(config)]) == 0
    assert "the audit trail is whole" in capsys.readouterr().out
    assert main(["audit", "export", "--config", str(config)]) == 0
    assert main(["audit", "verify", "--config", str(config), "--against", str(tmp_path / "data/audit")]) == 0
    capsys.readouterr()
    book.path.write_text(book.path.read_text().replace("key-3", "key-4"))
    assert main(["audit", "verify", "--config", str(config)]) == 1
    assert "access: line 4 is not the one that was written behind line 3" in capsys.readouterr().err
    assert main(["audit", "verify", "--config", str(config), "--against", str(tmp_path / "none")]) == 2
