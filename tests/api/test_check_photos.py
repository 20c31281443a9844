"""Photos of checks: who may bring and see them, what is taken, how long it stays, and what a backup brings along."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api import photos
from api.jpeg import without_metadata
from api.photos import FOLDER, LARGEST, Photos, copy_photos, drop_past
from gateway.base.local_time import DAY_MS
from gateway.evidence.checks import CheckReport, StoredCheck
from tests.api.conftest import NOON
from tests.api.test_checks import ID, LINK, TOKEN, URL, Rounds
from tests.api.test_jpeg import PLAIN, TOLD

PHOTO = f"{URL}/{ID}/photo"
TAKEN = PLAIN[:2] + TOLD["EXIF"] + PLAIN[2:]
CHECK = StoredCheck("yanshan", CheckReport(id=ID, check="aed", ts=NOON, result="ok"), NOON)


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Rounds]:
    with contextlib.closing(Rounds(tmp_path)) as made:
        made.post()
        yield made


def put(rounds: Rounds, body: bytes = TAKEN, headers: dict[str, str] | None = None, url: str = PHOTO) -> httpx.Response:
    return rounds.client.put(url, content=body, headers=LINK if headers is None else headers)


def test_a_photo_is_kept_without_what_it_tells_of_its_maker(rounds: Rounds) -> None:
    assert put(rounds).status_code == 201
    assert put(rounds).status_code == 200
    seen = rounds.client.get(PHOTO, headers=rounds.key("viewer"))
    assert (seen.content, seen.headers["content-type"]) == (without_metadata(PLAIN), "image/jpeg")
    assert seen.headers["cache-control"] == "no-store"
    [told] = rounds.client.get(URL, headers=rounds.key("viewer")).json()["checks"]
    assert told["photo"] is True


def test_who_may_bring_and_who_may_see_it(rounds: Rounds) -> None:
    assert put(rounds, headers={}).status_code == 401
    assert put(rounds, headers={"authorization": "Bearer " + "x" * 20}).status_code == 401
    assert put(rounds, headers=rounds.key("viewer")).status_code == 403
    assert put(rounds, headers=rounds.key("operator", "shaping")).status_code == 404
    assert put(rounds, url=PHOTO.replace("yanshan", "shaping")).status_code == 401
    elsewhere = rounds.key("operator", "shaping")
    assert put(rounds, headers=elsewhere, url=PHOTO.replace("yanshan", "shaping")).status_code == 404
    assert put(rounds, headers=rounds.key("operator")).status_code == 201
    assert rounds.client.get(PHOTO).status_code == 401
    assert rounds.client.get(PHOTO, headers=LINK).status_code == 401
    assert rounds.client.get(f"/c/{TOKEN}/photo").status_code == 404
    assert rounds.client.get(PHOTO, headers=rounds.key("viewer", "shaping")).status_code == 404
    assert rounds.client.get(PHOTO.replace("yanshan", "shaping"), headers=elsewhere).status_code == 404


def test_what_is_taken(rounds: Rounds) -> None:
    assert put(rounds, b"<script>").status_code == 415
    assert put(rounds, b"").status_code == 415
    assert put(rounds, PLAIN + b" " * (LARGEST + 1 - len(PLAIN))).status_code == 413
    assert put(rounds, PLAIN + b" " * 400_000).status_code == 413
    assert put(rounds, url=PHOTO.replace(ID, "../../x")).status_code == 404
    assert put(rounds, url=PHOTO.replace(ID, "x")).status_code == 422
    assert put(rounds, url=PHOTO.replace(ID, "0" + ID[1:-1] + "0")).status_code == 404
    assert put(rounds, PLAIN + b" " * (LARGEST - len(PLAIN))).status_code == 201


def test_the_first_photo_stays(rounds: Rounds) -> None:
    put(rounds)
    other = bytearray(PLAIN)
    other[-20] ^= 1
    assert put(rounds, bytes(other)).status_code == 409
    assert rounds.client.get(PHOTO, headers=rounds.key("viewer")).content == without_metadata(PLAIN)


def test_a_full_disk_says_so_and_a_day_has_its_most(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "LEFT_FREE", 2**62)
    assert put(rounds).status_code == 503
    monkeypatch.undo()
    monkeypatch.setattr(photos, "MOST_A_DAY", 0)
    assert put(rounds).status_code == 429


def test_a_photo_is_kept_for_its_days_and_is_gone_then(tmp_path: Path) -> None:
    kept, end = Photos(tmp_path, 90), NOON + 90 * DAY_MS
    assert kept.put(CHECK, b"x")
    assert kept.get(CHECK, end - 1) == b"x"
    assert (kept.get(CHECK, end), kept.has(CHECK, end)) == (None, False)
    assert kept.forget(end - 1) == 0
    assert kept.forget(end + DAY_MS) == 1
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_a_kill_left_half_written_goes(tmp_path: Path) -> None:
    kept = Photos(tmp_path, 90)
    kept.put(CHECK, b"x")
    half = tmp_path / FOLDER / ".part-x"
    half.write_bytes(b"half")
    os.utime(half, (NOON / 1000, NOON / 1000))
    kept.forget(NOON + 60_000)
    assert half.exists()
    kept.forget(NOON + DAY_MS)
    assert not half.exists()
    assert kept.get(CHECK, NOON) == b"x"


def test_a_renewed_backup_has_the_photos_that_are_kept(tmp_path: Path) -> None:
    store, safe, new = (tmp_path / name for name in ("store", "safe", "new"))
    store.mkdir()
    kept = Photos(store, 90)
    kept.put(CHECK, b"x")
    [copy] = copy_photos(store, safe)
    assert oct(copy.stat().st_mode)[-3:] == "600"
    assert copy_photos(store, safe) == []
    copy_photos(safe, new)
    assert Photos(new, 90).get(CHECK, NOON) == b"x"
    kept.forget(NOON + 92 * DAY_MS)
    drop_past(store, safe)
    assert not copy.exists()
