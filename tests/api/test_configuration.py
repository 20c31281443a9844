"""The configuration's files by click: what is shown, changed, refused, kept and given back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import COOKIE
from tests.api.conftest import NOON, House, serving

COMMON = b"""# common
store: {path: data}
alerts:
  # the duty phone, old address http://robot/send?key=0ld
  channels:
    - {id: duty, kind: webhook, url: "http://127.0.0.1:9/x?key=s3cret", allow_private: true}   # robot
"""
YANSHAN = """# \u96c1\u5c71
stations:
  - id: yanshan   # the first
    region: [\u5e7f\u4e1c, \u6c5f\u95e8]
    areas:
      - id: lounge
        resources:
          - {id: seat-01, kind: seat}   # by the window
""".encode()
NORTH = b"stations:\n- id: north\n  region: north\n  areas: []\n"
SEAT = {"op": "add", "path": "/stations/yanshan/areas/lounge/resources/seat-09", "value": {"kind": "seat"}}


class Desk:
    """Somebody who works with the configuration."""

    def __init__(self, house: House, files: Path, **scope: Any) -> None:
        self.house, self.files = house, files
        token = house.app.context.keyring.create("Chen", scope.pop("role", "admin"), NOON, **scope)
        self.headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str = "") -> httpx.Response:
        return self.house.get(f"/api/v1/config{path}", headers=self.headers)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.house.client.post(f"/api/v1/config{path}", json=body, headers=self.headers | headers)

    def change(self, *changes: dict[str, Any], tag: str | None = None, **more: Any) -> httpx.Response:
        tag = self.get().headers["etag"] if tag is None else tag
        return self.post("/changes", {"why": "a test", "changes": changes} | more, **{"if-match": tag})

    def stations(self) -> list[str]:
        return [station.id for station in self.house.app.context.settings.stations]

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.files.glob("*.yaml"))}


def written(folder: Path) -> Path:
    folder.mkdir()
    for name, content in (("00-common", COMMON), ("10-yanshan", YANSHAN), ("20-north", NORTH)):
        (folder / f"{name}.yaml").write_bytes(content)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return written(tmp_path / "conf")


@pytest.fixture
def house(files: Path) -> Iterator[House]:
    yield from serving(files / "data", files=files)


@pytest.fixture
def desk(house: House, files: Path) -> Desk:
    return Desk(house, files)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all that is refused: it stays as it was."""
    files = written(tmp_path_factory.mktemp("refusing") / "conf")
    for house in serving(files / "data", files=files):
        desk = Desk(house, files)
        before = desk.bytes()
        yield desk
        assert desk.bytes() == before
        assert desk.get().json()["version"] == 0


def test_the_configuration_is_shown_with_its_files_and_a_tag_and_without_secrets(desk: Desk) -> None:
    answer = desk.get()
    body = answer.json()
    assert body["version"] == 0
    assert body["files"] == ["00-common.yaml", "10-yanshan.yaml", "20-north.yaml"]
    assert [station["id"] for station in body["config"]["stations"]] == ["yanshan", "north"]
    assert body["config"]["alerts"]["channels"][0]["url"] is None
    assert "s3cret" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_change_touches_its_line_alone_and_runs_at_once(desk: Desk) -> None:
    answer = desk.change(SEAT)
    assert (answer.status_code, answer.json()) == (200, {"version": 2, "needs_restart": [], "trouble": None})
    line = b"          - {id: seat-09, kind: seat}\n"
    assert desk.bytes()["10-yanshan.yaml"] == YANSHAN + line
    assert desk.bytes()["00-common.yaml"] == COMMON
    assert [resource.id for _, _, resource in desk.house.app.context.settings.resources()] == ["seat-01", "seat-09"]
    assert desk.get().json()["version"] == 2


def test_a_dry_run_tells_the_lines_and_changes_nothing(desk: Desk) -> None:
    before = desk.bytes()
    answer = desk.change(SEAT, dry_run=True)
    assert list(answer.json()) == ["diff"]
    assert "+          - {id: seat-09, kind: seat}\n" in answer.json()["diff"]
    assert desk.bytes() == before
    assert desk.get().json()["version"] == 0


def test_a_new_station_goes_to_the_file_that_is_named_or_that_of_the_last_one(desk: Desk) -> None:
    desk.change({"op": "add", "path": "/stations/east", "value": {"areas": []}})
    desk.change({"op": "add", "path": "/stations/west", "value": {}, "file": "30-west.yaml"})
    assert desk.bytes()["20-north.yaml"] == NORTH + b"- id: east\n  areas: []\n"
    assert desk.bytes()["30-west.yaml"] == b"stations:\n  - id: west\n"
    assert desk.stations() == ["yanshan", "north", "east", "west"]


@pytest.mark.parametrize("name", ["../x.yaml", "a/b.yaml", ".x.yaml", "x.yml", "x", "x.yaml\n", ""])
def test_a_new_file_stands_in_the_folder(refusing: Desk, name: str) -> None:
    answer = refusing.change({"op": "add", "path": "/stations/west", "value": {}, "file": name})
    assert answer.status_code == 422
    assert "is no name for a file" in answer.text


def test_without_a_tag_nothing_is_changed_and_with_an_old_one_neither(desk: Desk, files: Path) -> None:
    assert desk.post("/changes", {"changes": [SEAT]}).status_code == 428
    tag = desk.get().headers["etag"]
    (files / "20-north.yaml").write_bytes(NORTH + b"# by hand\n")
    answer = desk.change(SEAT, tag=tag)
    assert (answer.status_code, answer.headers["content-type"]) == (412, "application/problem+json")
    assert desk.bytes()["10-yanshan.yaml"] == YANSHAN
    assert desk.bytes()["20-north.yaml"] == NORTH + b"# by hand\n"
    assert desk.change(SEAT).status_code == 200


def test_of_two_who_change_at_once_one_is_told(desk: Desk) -> None:
    tag = desk.get().headers["etag"]

    def add(number: int) -> int:
        value = {"id": f"s-{number}"}
        return desk.change({"op": "add", "path": f"/stations/s-{number}", "value": value}, tag=tag).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(add, range(8)))
    assert answers == [200] + [412] * 7
    assert len(desk.stations()) == 3


def test_every_mistake_is_told_as_check_tells_it_and_nothing_is_written(desk: Desk) -> None:
    before = desk.bytes()
    answer = desk.change(
        {"op": "add", "path": "/stations/yanshan/hourz", "value": "24/7"},
        {"op": "add", "path": "/stations/yanshan/areas/lounge/resources/pc", "value": {"kind": "computer"}},
    )
    assert answer.status_code == 422
    kind, key = sorted(answer.json()["errors"], key=lambda error: error["name"])
    assert (kind["name"], kind["file"], kind["line"]) == (
        "/stations/yanshan/areas/lounge/resources/pc/kind", "10-yanshan.yaml", 9,
    )  # fmt: skip
    assert key["detail"].endswith("10-yanshan.yaml:10: stations.0.hourz: unknown key; did you mean hours?")
    assert desk.bytes() == before
    assert desk.get().json()["version"] == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"op": "remove", "path": "/stations/nowhere"}, "is not there"),
        ({"op": "replace", "path": "/stations/yanshan/hours", "value": "24/7"}, "is not there"),
        ({"op": "add", "path": "/stations/north", "value": {}}, "is there already"),
        ({"op": "add", "path": "/stations/a", "value": {"id": "b"}}, "its id is 'b'"),
        ({"op": "add", "path": "/stations/yanshan/areas/nowhere/resources/x", "value": {}}, "is not there"),
        ({"op": "add", "path": "/stations/a"}, "has no value"),
        ({"op": "remove", "path": "/stations/north", "value": 1}, "has a value"),
        ({"op": "remove", "path": "stations"}, "is no path"),
        ({"op": "remove", "path": "/stations/0"}, "is not there"),
        ({"op": "remove", "path": "/stations"}, "stands in several files"),
    ],
)
def test_what_can_not_be_done_is_told(refusing: Desk, change: dict[str, Any], told: str) -> None:
    answer = refusing.change(change)
    assert answer.status_code == 422
    assert told in answer.json()["errors"][0]["detail"]


def test_a_restore_gives_the_files_back_to_the_byte(desk: Desk) -> None:
    before = desk.bytes()
    desk.change(SEAT)
    desk.change({"op": "add", "path": "/stations/west", "value": {}, "file": "30-west.yaml"})
    answer = desk.post("/versions/1/restore", {"why": "never mind"})
    assert answer.json()["version"] == 4
    assert desk.bytes() == before
    assert desk.stations() == ["yanshan", "north"]
    assert desk.post("/versions/9/restore", {}).status_code == 404


def test_what_was_written_by_hand_becomes_a_version_of_its_own(desk: Desk, files: Path) -> None:
    desk.change(SEAT)
    (files / "20-north.yaml").write_bytes(NORTH + b"# by hand\n")
    desk.change({"op": "remove", "path": SEAT["path"]})
    lines = desk.get("/versions").json()["versions"]
    assert [(line["version"], line["who"], line["why"]) for line in lines] == [
        (4, "Chen", "a test"),
        (3, "by hand", "changed by hand"),
        (2, "Chen", "a test"),
        (1, "by hand", "as it was found"),
    ]
    assert lines[0]["at"] == "2026-11-21T12:00:00Z"
    desk.post("/versions/3/restore", {})
    assert desk.bytes()["20-north.yaml"].endswith(b"# by hand\n")


def test_a_null_for_a_secret_keeps_it(desk: Desk) -> None:
    channel = desk.get().json()["config"]["alerts"]["channels"][0]
    assert desk.change({"op": "replace", "path": "/alerts/channels/duty", "value": channel | {"lang": "en"}}).is_success
    assert desk.house.app.context.settings.alerts.channels[0].url == "http://127.0.0.1:9/x?key=s3cret"
    assert b"# robot" in desk.bytes()["00-common.yaml"]


def test_no_answer_holds_a_secret(desk: Desk) -> None:
    path = "/alerts/channels/duty"
    new = {"op": "replace", "path": f"{path}/url", "value": "http://127.0.0.1:9/y?key=n3w"}
    answers = [
        desk.change(new, dry_run=True),
        desk.change({"op": "replace", "path": path, "value": {"kind": "nothing", "url": "http://x?key=s3cret"}}),
        desk.change({"op": "add", "path": f"{path}/urll", "value": "http://127.0.0.1:9/y?key=n3w"}),
        desk.change({"op": "add", "path": "/mqtt", "value": {"url": "mqtt://u:n3w@broker"}}),
        desk.change(new),
        desk.get(), desk.get("/versions"), desk.get("/schema"),
        desk.post("/versions/1/restore", {}),
        desk.house.get("/api/v1/audit", headers=desk.headers),
    ]  # fmt: skip
    assert [said.status_code for said in answers] == [200, 422, 422, 422, 200, 200, 200, 200, 200, 503]
    for answer in answers:
        for secret in ("s3cret", "n3w", "0ld"):
            assert secret not in answer.text


def test_each_change_is_in_the_audit_trail(desk: Desk) -> None:
    desk.change(SEAT)
    lines = [(line.who, line.what, line.target, line.detail) for line in desk.house.app.context.keyring.book.lines(9)]
    assert ("Chen", "configuration_saved", "version 2", "a test") in lines


def test_an_admin_of_one_station_sees_and_changes_that_alone(house: House, files: Path) -> None:
    desk = Desk(house, files, stations=["yanshan"])
    body = desk.get().json()["config"]
    assert list(body) == ["stations"]
    assert [station["id"] for station in body["stations"]] == ["yanshan"]
    assert desk.change(SEAT).status_code == 200
    before = desk.bytes()
    for change in (
        {"op": "remove", "path": "/stations/north"},
        {"op": "add", "path": "/stations/south", "value": {}},
        {"op": "add", "path": "/stations/north/hours", "value": "24/7"},
        {"op": "replace", "path": "/stations/yanshan/id", "value": "mine"},
        {"op": "add", "path": "/alerts/raise_delay_s", "value": 1},
        {"op": "remove", "path": "/alerts/channels/duty"},
        {"op": "add", "path": "/alerts/routes", "value": [{"channels": ["duty"]}]},
        {"op": "replace", "path": "/store/path", "value": "elsewhere"},
        {"op": "add", "path": "/timezone", "value": "Asia/Tokyo"},
    ):
        assert desk.change(change).status_code == 403, change
    assert desk.bytes() == before


def test_an_admin_of_a_region_may_add_a_station_there(house: House, files: Path) -> None:
    desk = Desk(house, files, regions=["/\u5e7f\u4e1c"])
    inside = {"op": "add", "path": "/stations/new", "value": {"region": ["\u5e7f\u4e1c", "\u73e0\u6d77"]}}
    outside = {"op": "add", "path": "/stations/other", "value": {"region": ["\u6c5f\u82cf"]}}
    moved = {"op": "replace", "path": "/stations/yanshan/region", "value": ["\u6c5f\u82cf"]}
    assert [desk.change(change).status_code for change in (inside, outside, moved)] == [200, 403, 403]


def test_an_admin_of_one_station_restores_no_other(house: House, files: Path) -> None:
    whole, part = Desk(house, files), Desk(house, files, stations=["yanshan"])
    whole.change(SEAT)
    assert part.post("/versions/1/restore", {}).status_code == 200
    whole.change({"op": "add", "path": "/stations/north/hours", "value": "24/7"})
    assert part.post("/versions/1/restore", {}).status_code == 403


@pytest.mark.parametrize("name", ["/etc/passwd", "../elsewhere/key", "~/key"])
def test_a_click_names_no_file_outside_the_folder(refusing: Desk, name: str) -> None:
    for path in ("/stations/yanshan/checks_token_file", "/stations/yanshan/floor_plan", "/mqtt/password_file"):
        answer = refusing.change({"op": "add", "path": path, "value": name})
        assert answer.status_code == 422
        assert "outside the folder" in answer.json()["errors"][0]["what"]


def test_a_page_of_another_site_changes_nothing(desk: Desk) -> None:
    token = desk.headers["authorization"].split()[1]
    cookie = desk.house.client.post("/login", data={"key": token}).cookies[COOKIE]
    desk.house.client.cookies.clear()
    tag = desk.get().headers["etag"]
    with httpx.Client(cookies={COOKIE: cookie}, verify=False, timeout=60, base_url=desk.house.url) as browser:
        for path in ("/changes", "/versions/1/restore"):
            foreign = {"origin": "https://evil.example", "if-match": tag}
            body = {"changes": [SEAT]} if path == "/changes" else {}
            assert browser.post(f"/api/v1/config{path}", json=body, headers=foreign).status_code == 403
        own = browser.post(
            "/api/v1/config/changes", json={"changes": [SEAT]}, headers={"origin": desk.house.url, "if-match": tag}
        )
        assert own.status_code == 200
        form = {"content-type": "text/plain", "if-match": tag}
        assert browser.post("/api/v1/config/changes", content=json.dumps({}), headers=form).status_code == 422


def test_a_folder_that_takes_nothing_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    before = desk.bytes()
    monkeypatch.setattr("config.edit.whole.stage", full)
    answer = desk.change(SEAT)
    assert (answer.status_code, "No space left" in answer.text) == (503, True)
    assert desk.bytes() == before
    monkeypatch.undo()
    assert desk.change(SEAT).status_code == 200


def test_what_a_process_can_not_take_up_is_saved_and_told(desk: Desk) -> None:
    answer = desk.change({"op": "add", "path": "/api", "value": {"listen": "127.0.0.1:1"}})
    assert answer.json()["needs_restart"] == ["api.listen"]


@pytest.mark.parametrize(
    "value",
    [
        "[" * 300 + "]" * 300,
        "[" * 20_000 + "]" * 20_000,
        '{"a":' * 300 + "1" + "}" * 300,
        "9" * 10_000,
        "1e400",
        "NaN",
        '"\\ud800"',
        '{"\\u0000": 1}',
        '{"' + "k" * 1000 + '": 1}',
    ],
    ids=range(9),
)
def test_a_value_made_to_hurt_is_refused(refusing: Desk, value: str) -> None:
    before, tag = refusing.bytes(), refusing.get().headers["etag"]
    body = f'{{"changes": [{{"op": "add", "path": "/stations/north/hours", "value": {value}}}]}}'
    headers = refusing.headers | {"if-match": tag, "content-type": "application/json"}
    answer = refusing.house.client.post("/api/v1/config/changes", content=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert refusing.bytes() == before


@pytest.mark.parametrize("name", ["\0", "~nobody-of-this-name/key", "a\0b", "x" * 5000])
def test_a_name_that_is_no_path_is_told(refusing: Desk, name: str) -> None:
    for path in ("/stations/yanshan/floor_plan", "/mqtt/password_file"):
        assert refusing.change({"op": "add", "path": path, "value": name}).status_code == 422
