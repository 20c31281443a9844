"""Checks over HTTP: by an operator's key, by the station's link, and by the form of a browser without script."""

import contextlib
import gzip
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api import check_desk
from api.app import create_app
from api.auth import Keyring
from api.live_view import LiveView
from api.server import bind, serve
from config.schema import Settings
from gateway.evidence.checks import StoredCheck, report_of_command
from gateway.runtime.status import Status
from gateway.store.jobs import KeepReports
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON

TOKEN, NEXT_TOKEN = "round-7f3a9b21c0d4e5f6", "round-0123456789abcdef"
ID = "0b9f3c1e-2f54-4c3e-9a61-6f1f0c1d2e3f"
URL = "/api/v1/stations/yanshan/checks"


class Rounds:
    """The API of two stations; `up`: a gateway takes what it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.up, self.reachable = folder, True, True
        SqliteStore(folder, NOON, ballast_mib=0).close()
        self.write_token(TOKEN)
        areas = [{"id": "lounge", "resources": [{"id": "aed", "kind": "safety", "type": "aed", "name": {"zh": "AED"}}]}]
        checks = [
            {"id": "aed", "of": ["aed"], "every": "day", "ask": {"zh": "灯<绿>吗", "en": "Green?"}},
            {"id": "pads", "of": ["aed"], "every": "month", "expires": True},
            {"id": "front-door", "every": "day", "entry": True},
        ]
        self.settings = Settings.model_validate(
            {
                "store": {"path": folder},
                "stations": [
                    {"id": "yanshan", "areas": areas, "checks": checks, "checks_token_file": "token"},
                    {"id": "shaping", "checks": [{"id": "aed", "every": "day"}]},
                ],
            },
            context={"base": folder, "check_files": True},
        )
        status = Status(True, True, True, (), NOON)
        app = create_app(
            LiveView(self.settings.stations, lambda: NOON), lambda: SqliteReader(folder), self.settings, lambda: status,
            registry=CollectorRegistry(), now=lambda: NOON, command=self._command,
        )  # fmt: skip
        self._stop, sock = threading.Event(), bind("127.0.0.1", 0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", timeout=60, verify=False)
        self._thread = threading.Thread(
            target=serve, args=(app, sock, self._stop), kwargs={"trusted_proxies": "127.0.0.1"}
        )
        self._thread.start()

    def close(self) -> None:
        self.client.close()
        self._stop.set()
        self._thread.join(5)

    def write_token(self, token: str) -> None:
        (self.folder / "token").write_text(token + "\n")

    def _command(self, topic: str, text: bytes) -> None:
        if not self.reachable:
            raise ConnectionError
        if self.up:
            with contextlib.closing(SqliteStore(self.folder, NOON, ballast_mib=0)) as store:
                station = topic.split("/")[1]
                store.write([KeepReports([StoredCheck(station, report_of_command(text).tidied(), NOON)])])

    def key(self, role: str, station: str = "yanshan") -> dict[str, str]:
        created = Keyring.of(self.settings).create(role, role, NOON, stations=[station])  # type: ignore[arg-type]
        return {"authorization": f"Bearer {created}"}

    def post(self, headers: dict[str, str] | None = None, url: str = URL, **more: Any) -> httpx.Response:
        body = {"id": ID, "check": "aed", "at": "2026-11-21T19:59:00+08:00", "result": "ok", **more}
        return self.client.post(url, json=body, headers=LINK if headers is None else headers)


LINK = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Rounds]:
    with contextlib.closing(Rounds(tmp_path)) as made:
        yield made


def test_a_check_is_kept_once_however_often_it_comes(rounds: Rounds) -> None:
    assert (first := rounds.post(note="打 13812345678")).status_code == 201, first.text
    assert rounds.post().status_code == 200
    told = rounds.client.get(URL, headers=rounds.key("viewer")).json()
    assert told == {"next": None, "checks": [{
        "id": ID, "check": "aed", "at": "2026-11-21T11:59:00Z", "received_at": "2026-11-21T12:00:00Z", "result": "ok",
        "note": "打 …", "expires": None, "count": None, "by": "link",
        "photo": False,
    }]}  # fmt: skip


def test_who_may_report(rounds: Rounds) -> None:
    assert rounds.post({}).status_code == 401
    assert rounds.post({"authorization": "Bearer " + "x" * 20}).status_code == 401
    assert rounds.post(rounds.key("viewer")).status_code == 403
    assert rounds.post(rounds.key("operator", "shaping")).status_code == 404
    assert rounds.post(LINK, "/api/v1/stations/shaping/checks").status_code == 401
    assert rounds.post(rounds.key("operator")).status_code == 201
    assert rounds.post(rounds.key("operator", "shaping"), "/api/v1/stations/shaping/checks").status_code == 409


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"check": "nothing"}, 404),
        ({"at": "2026-10-21T12:00:00Z"}, 422),
        ({"at": "2026-11-21T12:06:00Z"}, 422),
        ({"at": "2026-11-21T12:00:00"}, 422),
        ({"result": "verified"}, 422),
        ({"id": "1"}, 422),
        ({"count": -1}, 422),
        ({"note": "x" * 301}, 422),
        ({"station": "shaping"}, 422),
        ({"at": "2026-11-21T12:05:00Z", "expires": "2027-05-01", "count": 3}, 201),
        ({"at": "2026-10-22T12:00:00Z"}, 201),
    ],
)
def test_what_may_be_reported(rounds: Rounds, more: dict[str, Any], status: int) -> None:
    assert rounds.post(**more).status_code == status


def test_while_it_is_not_durable_the_answer_is_503(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_desk, "WITHIN_S", 0.05)
    rounds.up = False
    assert rounds.post().status_code == 503
    rounds.reachable = False
    assert rounds.post().status_code == 503


def test_a_new_token_ends_the_old_link_at_once(rounds: Rounds) -> None:
    assert rounds.client.get(f"/c/{TOKEN}").status_code == 200
    rounds.write_token(NEXT_TOKEN)
    assert rounds.post().status_code == 401
    assert rounds.client.get(f"/c/{TOKEN}").status_code == 404
    assert rounds.client.get(f"/c/{NEXT_TOKEN}").status_code == 200


def test_pages_and_csv_of_what_was_reported(rounds: Rounds) -> None:
    names = [f"{number:08}-0000-4000-8000-000000000000" for number in range(5)]
    for name in names:
        rounds.post(id=name, note="=1+1")
    viewer, ids, cursor = rounds.key("viewer"), list[str](), ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        told = rounds.client.get(URL, headers=viewer, params={"limit": 2, **more}).json()
        ids += [check["id"] for check in told["checks"]]
        cursor = told["next"]
    assert ids == names[::-1]
    lines = rounds.client.get(URL, headers=viewer, params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert lines[0] == "id,check,at,received_at,result,note,expires,count,by,photo"
    assert len(lines) == 6
    assert "'=1+1" in lines[1]
    assert rounds.client.get(URL, headers=viewer, params={"cursor": "x"}).status_code == 422


def test_reports_of_one_check_alone(rounds: Rounds) -> None:
    names = [f"{number:08}-0000-4000-8000-000000000000" for number in range(4)]
    for number, name in enumerate(names):
        assert rounds.post(id=name, check=("aed", "front-door")[number % 2]).status_code == 201
    viewer = rounds.key("viewer")
    for check, ids in (("aed", [names[2], names[0]]), ("front-door", [names[3], names[1]]), ("never-heard-of", [])):
        told = rounds.client.get(URL, headers=viewer, params={"check": check, "limit": 2}).json()
        assert ([row["id"] for row in told["checks"]], told["next"]) == (ids, None)
    table = rounds.client.get(URL, headers=viewer, params={"check": "aed", "format": "csv"})
    assert len(table.content.decode("utf-8-sig").splitlines()) == 3


def test_the_page_is_small_says_nothing_to_others_and_asks_in_words(rounds: Rounds) -> None:
    answer = rounds.client.get(f"/c/{TOKEN}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert TOKEN not in answer.text
    assert "灯&lt;绿&gt;吗" in answer.text
    assert "AED：正常吗？" in answer.text
    assert "门能进吗？" in answer.text
    assert answer.text.count('type="date"') == 1
    whole = answer.text
    for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text):
        whole += rounds.client.get(name).text
    assert len(gzip.compress(whole.encode())) <= 30 * 1024


def test_a_browser_without_script_reports_by_the_form(rounds: Rounds) -> None:
    page = rounds.client.get(f"/c/{TOKEN}").text
    name = re.findall(r'name="id" value="([^"]+)"', page)[1]
    form = {"id": name, "check": "pads", "result": "problem", "note": "坏了", "expires": "2027-05-01"}
    for _ in range(2):  # sent again by a reload
        answer = rounds.client.post(f"/c/{TOKEN}", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/c/{TOKEN}?done=1")
    assert "已保存" in rounds.client.get(answer.headers["location"]).text
    [told] = rounds.client.get(URL, headers=rounds.key("viewer")).json()["checks"]
    assert (told["check"], told["result"], told["note"], told["expires"]) == ("pads", "problem", "坏了", "2027-05-01")
    assert "有问题" in rounds.client.get(f"/c/{TOKEN}").text
    bad = rounds.client.post(f"/c/{TOKEN}", data={**form, "id": "1"})
    assert (bad.status_code, "没有保存" in bad.text) == (422, True)
    assert rounds.client.post("/c/nobody", data=form).status_code == 404
    for headers in ({"origin": "https://evil.example"}, {"origin": "null", "sec-fetch-site": "cross-site"}):
        assert rounds.client.post(f"/c/{TOKEN}", data=form, headers=headers).status_code == 403
    own = {
        "origin": "null",
        "sec-fetch-site": "same-origin",
    }  # as browsers send it under `Referrer-Policy: no-referrer`
    assert rounds.client.post(f"/c/{TOKEN}", data=form, headers=own).status_code == 303
