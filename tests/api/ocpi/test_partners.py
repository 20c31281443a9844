"""Who may ask, the handshake with a partner that answers over HTTP, and what it is told afterwards."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.derived import Derived
from api.feeds.shared.configured import Configured
from api.live_view import Entry
from api.ocpi.partners import FILE, PartnerBook
from api.ocpi.push import Push
from api.ocpi.sender import Locations
from config.schema import Settings
from gateway.base.mishaps import Mishaps
from gateway.live.station_document import Document
from tests.api import conftest
from tests.api.conftest import MINUTE, NOON, House, serving
from tests.api.documents import document, resource
from tests.patience import until

INVITED = "token-A-of-the-app"


@dataclass
class Receiver:
    """A partner: its versions, its endpoints, and what it was sent."""

    server: ThreadingHTTPServer
    sent: list[tuple[str, str, dict[str, Any], str]] = field(default_factory=list)
    version: str = "2.2.1"
    refuses: int = 0
    knows: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def answering(receiver: list[Receiver]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            here = receiver[0]
            if self.path == "/versions":
                self.tell([{"version": here.version, "url": f"{here.url}/details"}])
            else:
                endpoint = {"identifier": "locations", "role": "RECEIVER", "url": f"{here.url}/emsp/locations/"}
                self.tell({"version": here.version, "endpoints": [endpoint]})

        def do_PATCH(self) -> None:
            here = receiver[0]
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if here.refuses > 0:
                here.refuses -= 1
                self.tell(None, 500)
            elif self.path.split("/")[5] not in here.knows:
                self.tell(None, 404)
            else:
                here.sent.append(("PATCH", self.path, body, self.headers["authorization"]))
                self.tell(None)

        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            receiver[0].knows.add(body["id"])
            receiver[0].sent.append(("PUT", self.path, body, self.headers["authorization"]))
            self.tell(None)

        def tell(self, data: object, status: int = 200) -> None:
            body = json.dumps({"status_code": 1000, "data": data}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    of: list[Receiver] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering(of))
    of.append(Receiver(server))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield of[0]
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    secret = tmp_path / "app"
    secret.write_text(INVITED + "\n")
    partner = {"id": "app", "token_file": str(secret), "allow_private": True}
    ocpi = {"country_code": "CN", "party_id": "YZN", "partners": [partner]}
    monkeypatch.setattr(conftest, "CONFIG", conftest.CONFIG | {"ocpi": ocpi})
    (folder / FILE).unlink(missing_ok=True)
    yield from serving(folder, public_url="https://stations.example")


def token(text: str) -> dict[str, str]:
    return {"authorization": "Token " + base64.b64encode(text.encode()).decode()}


def show(house: House, use: str = "free", at: int = NOON) -> None:
    pile = resource("pile-01", "charger", use=use, until=at + 5 * MINUTE) | {"type": "ev"}
    house.view.feed_threadsafe([document("yanshan", [pile], [], at)])


def ask(house: House, path: str, who: str = INVITED, **more: Any) -> httpx.Response:
    return house.client.request(more.pop("method", "GET"), f"/ocpi/{path}", headers=token(who), **more)


def register(house: House, receiver: Receiver, who: str = INVITED, method: str = "POST") -> httpx.Response:
    role = {"role": "EMSP", "party_id": "APP", "country_code": "CN", "business_details": {"name": "App"}}
    body = {"token": "theirs", "url": f"{receiver.url}/versions", "roles": [role]}
    return ask(house, "2.2.1/credentials", who, method=method, json=body)


def test_without_a_token_nobody_gets_anything(house: House) -> None:
    for path in ("versions", "2.2.1", "2.2.1/locations", "2.2.1/locations/yanshan", "2.2.1/credentials"):
        answer = house.get(f"/ocpi/{path}")
        assert (answer.status_code, answer.json()["status_code"]) == (401, 2001)
        assert ask(house, path, "another").status_code == 401
    plain = house.get("/ocpi/versions", headers={"authorization": f"Token {INVITED}"})
    assert plain.status_code == 200, "many send the token as it is"


def test_versions_lead_to_endpoints(house: House) -> None:
    versions = ask(house, "versions").json()
    assert versions["status_code"] == 1000
    assert versions["data"] == [{"version": "2.2.1", "url": "https://stations.example/ocpi/2.2.1"}]
    told = ask(house, "2.2.1").json()["data"]["endpoints"]
    assert {"identifier": "locations", "role": "SENDER", "url": "https://stations.example/ocpi/2.2.1/locations"} in told


def test_locations_are_pages(house: House) -> None:
    show(house)
    until(lambda: ask(house, "2.2.1/locations").json()["data"], "the station with its point")
    answer = ask(house, "2.2.1/locations?limit=1")
    assert [location["id"] for location in answer.json()["data"]] == ["yanshan"]
    assert (answer.headers["x-total-count"], "link" in answer.headers) == ("1", False)
    assert ask(house, "2.2.1/locations?date_from=2026-11-21T12:00:01Z").json()["data"] == []
    assert ask(house, "2.2.1/locations?offset=1").json()["data"] == []
    assert ask(house, "2.2.1/locations/yanshan/pile-01").json()["data"]["status"] == "AVAILABLE"
    assert ask(house, "2.2.1/locations/yanshan/pile-01/1").json()["data"]["standard"] == "GBT_AC"
    for missing in ("none", "yanshan/none", "yanshan/pile-01/9", "shaping"):
        answer = ask(house, f"2.2.1/locations/{missing}")
        assert (answer.status_code, answer.json()["status_code"]) == (404, 2003)


def test_a_partner_registers_once_and_has_a_new_token(house: House, receiver: Receiver, folder: Path) -> None:
    answer = register(house, receiver)
    ours = answer.json()["data"]
    assert (ours["url"], ours["roles"][0]["role"]) == ("https://stations.example/ocpi/versions", "CPO")
    assert ask(house, "versions").status_code == 401, "the first token is used up"
    assert ask(house, "2.2.1/credentials", ours["token"]).json()["data"] == ours
    assert register(house, receiver, ours["token"]).status_code == 405
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    newer = register(house, receiver, ours["token"], "PUT").json()["data"]["token"]
    assert ask(house, "versions", ours["token"]).status_code == 401
    assert ask(house, "2.2.1/credentials", newer, method="DELETE").status_code == 200
    assert ask(house, "versions", newer).status_code == 401
    assert ask(house, "versions").status_code == 200


def test_what_is_wrong_with_a_partner_is_told_and_nothing_is_agreed(house: House, receiver: Receiver) -> None:
    receiver.version = "2.1.1"
    assert register(house, receiver).json()["status_code"] == 3002
    gone = {"token": "t", "url": "http://127.0.0.1:9/versions", "roles": []}
    assert ask(house, "2.2.1/credentials", method="POST", json=gone).json()["status_code"] == 3001
    for bad in (b"{", b'{"token":"","url":"http://x","roles":[]}', b"[" * 30_000, b'{"token":"a\xc3\xa4"}'):
        answer = ask(house, "2.2.1/credentials", method="POST", content=bad)
        assert (answer.status_code, answer.json()["status_code"]) == (400, 2001)
    assert ask(house, "versions").status_code == 200


def test_a_registered_partner_is_told_of_changes(house: House, receiver: Receiver) -> None:
    show(house)
    register(house, receiver)
    until(lambda: receiver.sent, "the location that it did not know")
    method, path, body, authorization = receiver.sent[0]
    assert (method, path, body["evses"][0]["status"]) == ("PUT", "/emsp/locations/CN/YZN/yanshan", "AVAILABLE")
    assert authorization == token("theirs")["authorization"]
    show(house, "occupied")
    until(lambda: len(receiver.sent) == 2, "the change")
    assert receiver.sent[1][:2] == ("PATCH", "/emsp/locations/CN/YZN/yanshan/pile-01")
    assert receiver.sent[1][2]["status"] == "CHARGING"


def test_a_partner_that_fails_is_told_the_present_later(house: House, receiver: Receiver) -> None:
    show(house)
    register(house, receiver)
    until(lambda: receiver.sent, "the location")
    receiver.refuses = 1
    show(house, "occupied")
    until(lambda: receiver.refuses == 0, "it refuses")
    show(house, "reserved")
    house.clock.now = NOON + MINUTE
    until(lambda: len(receiver.sent) == 2, "it is told again")
    assert receiver.sent[1][2]["status"] == "RESERVED"


def test_another_token_in_the_file_ends_what_was_agreed(house: House, receiver: Receiver, tmp_path: Path) -> None:
    ours = register(house, receiver).json()["data"]["token"]
    (tmp_path / "app").write_text("token-of-today")
    assert ask(house, "versions", ours).status_code == 401
    assert ask(house, "versions", "token-of-today").status_code == 200


@pytest.mark.parametrize("kept", [("pile-02",), ()])
def test_a_point_that_leaves_the_configuration_is_told_as_removed(
    receiver: Receiver, tmp_path: Path, kept: tuple[str, ...]
) -> None:
    """Of a station that stays, and of one that goes with its points; once, after the partner was away."""
    (tmp_path / "app").write_text(INVITED)
    running, book = [configured(tmp_path, "pile-01", "pile-02")], PartnerBook(tmp_path)
    ocpi = running[0].ocpi
    assert ocpi is not None
    book.register(ocpi.partners[0], "theirs", f"{receiver.url}/versions", f"{receiver.url}/emsp/locations", NOON)
    now = [NOON]
    locations = Locations(Derived(lambda: running[0], Configured))
    push = Push(lambda: running[0], book, locations, lambda: now[0], Mishaps())
    push.heard(Entry(points("pile-01", "pile-02"), 1))
    push.step()
    assert [method for method, *_ in receiver.sent] == ["PUT"]
    running[0] = configured(tmp_path, *kept)
    if kept:
        push.heard(Entry(points(*kept), 2))
    receiver.refuses = 1
    push.step()
    now[0] += MINUTE
    for _ in range(3):
        push.step()
    told = {path.rpartition("/")[2]: body["status"] for method, path, body, _ in receiver.sent if method == "PATCH"}
    assert told == {name: "REMOVED" for name in ("pile-01", "pile-02") if name not in kept}
    assert len(receiver.sent) == 1 + len(told), "each once"


def configured(folder: Path, *names: str) -> Settings:
    resources = [{"id": name, "kind": "charger", "type": "ev"} for name in names]
    station = {
        "id": "yanshan",
        "location": {"lat": 22.765, "lon": 112.964},
        "areas": [{"id": "a", "resources": resources}],
    }
    partner = {"id": "app", "token_file": str(folder / "app"), "allow_private": True}
    ocpi = {"country_code": "CN", "party_id": "YZN", "partners": [partner]}
    stations = [station] if names else []
    return Settings.model_validate({"stations": stations, "store": {"path": str(folder)}, "ocpi": ocpi})


def points(*names: str) -> Document:
    shown = [resource(name, "charger", until=NOON + 60 * MINUTE) | {"type": "ev"} for name in names]
    return document("yanshan", shown, [], NOON)
