"""What people set by hand: by whom, for how long, and that it reaches the gateway as a command it takes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.auth import Keyring
from api.live_view import LiveView
from api.server import bind, serve
from config.schema import Settings
from gateway.policy.override import read_command
from gateway.runtime.status import Status
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON

HOUR = 3_600_000
SOON, LATE = "2026-11-21T22:00:00+08:00", "2026-11-23T20:00:00+08:00"


class Desk:
    """The API with a partner venue, and what it told the gateway."""

    def __init__(self, folder: Path) -> None:
        SqliteStore(folder, NOON, ballast_mib=0).close()
        (folder / "token").write_text("fruit-shop-7f3a9b21c0\n")
        areas = [{"id": "lounge", "resources": [{"id": "seat-01", "kind": "seat"}, {"id": "nursing", "kind": "room"}]}]
        self.settings = Settings.model_validate(
            {
                "store": {"path": folder},
                "stations": [
                    {"id": "shop", "areas": areas, "partner": {"token_file": "token", "valid_hours": 12}},
                    {"id": "yanshan", "areas": areas, "region": ["广东"]},
                ],
            },
            context={"base": folder, "check_files": True},
        )
        self.told: list[tuple[str, bytes]] = []
        self.up = True
        status = Status(True, True, True, (), NOON)
        self.app = create_app(
            LiveView(self.settings.stations, lambda: NOON), lambda: SqliteReader(folder), self.settings, lambda: status,
            registry=CollectorRegistry(), now=lambda: NOON, command=self._command,
        )  # fmt: skip
        self._stop, sock = threading.Event(), bind("127.0.0.1", 0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{sock.getsockname()[1]}", timeout=60, verify=False)
        self._thread = threading.Thread(
            target=serve, args=(self.app, sock, self._stop), kwargs={"trusted_proxies": "127.0.0.1"}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.client.close()
        self._stop.set()
        self._thread.join(60)

    def key(self, role: str, **scope: list[str]) -> dict[str, str]:
        return {"authorization": f"Bearer {Keyring.of(self.settings).create('Li', role, NOON, **scope)}"}  # type: ignore[arg-type]

    def command(self) -> tuple[str, object]:
        topic, payload = self.told[-1]
        return topic, read_command(payload, NOON)

    def _command(self, topic: str, payload: bytes) -> None:
        if not self.up:
            raise ConnectionError("no broker")
        self.told.append((topic, payload))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


PARTNER = {"x-partner-token": "fruit-shop-7f3a9b21c0"}


def test_an_operator_sets_one_seat_and_the_gateway_can_read_it(desk):
    word = {"status": "maintenance", "until": SOON, "resource": "seat-01", "note": "leg loose"}
    answer = desk.client.put("/api/v1/stations/yanshan/override", json=word, headers=desk.key("operator"))
    assert (answer.status_code, answer.json()["until"]) == (202, "2026-11-21T14:00:00Z")
    topic, command = desk.command()
    assert topic == "yz-cmd/yanshan/override"
    assert (command.resource, command.override.status, command.override.by) == ("seat-01", "maintenance", "Li")
    assert command.override.until == NOON + 2 * HOUR


def test_without_a_status_it_is_taken_back(desk):
    answer = desk.client.put("/api/v1/stations/yanshan/override", json={}, headers=desk.key("operator"))
    assert (answer.status_code, desk.command()[1].override) == (202, None)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ({"status": "closed"}, 422),
        ({"status": "closed", "until": "2026-11-21T11:00:00Z"}, 422),
        ({"status": "closed", "until": "2028-01-01T00:00:00Z"}, 422),
        ({"status": "closed", "until": "2026-11-21T18:00:00"}, 422),
        ({"status": "shut", "until": SOON}, 422),
        ({"status": "closed", "until": SOON, "forever": True}, 422),
        ({"status": "closed", "until": SOON, "area": "roof"}, 404),
        ({"status": "closed", "until": SOON, "resource": "seat-99"}, 404),
        ({"status": "closed", "until": SOON, "resource": "seat-01", "area": "lounge"}, 422),
    ],
)
def test_what_has_no_sense_is_refused_and_told_to_nobody(desk, word, status):
    told = len(desk.told)
    answer = desk.client.put("/api/v1/stations/yanshan/override", json=word, headers=desk.key("operator"))
    assert (answer.status_code, len(desk.told)) == (status, told)


def test_who_may_not_may_not(desk):
    word, url = {"status": "closed", "until": SOON}, "/api/v1/stations/yanshan/override"
    assert desk.client.put(url, json=word).status_code == 401
    assert desk.client.put(url, json=word, headers=desk.key("viewer")).status_code == 403
    assert desk.client.put(url, json=word, headers=desk.key("operator", stations=["shop"])).status_code == 404
    assert desk.client.put(url, json=word, headers=PARTNER).status_code == 401, "another venue's link"
    assert desk.client.put("/api/v1/partner/override", json=word, headers={"x-partner-token": "x"}).status_code == 401


@pytest.mark.parametrize("url", ["/api/v1/partner/override", "/api/v1/stations/shop/override"])
@pytest.mark.parametrize(
    ("asked", "hours"), [({"until": SOON}, 2), ({"until": LATE}, 12), ({}, 12)], ids=["shorter", "longer", "unsaid"]
)
def test_a_partner_sets_its_own_venue_for_no_longer_than_its_link_allows(desk, url, asked, hours):
    answer = desk.client.put(url, json={"status": "free", **asked}, headers=PARTNER)
    assert answer.status_code == 202
    topic, command = desk.command()
    assert topic == "yz-cmd/shop/override"
    assert command.override.until == NOON + hours * HOUR
    assert (command.partner, command.override.partner) == (True, True)
    desk.client.put(url, json={}, headers=PARTNER)
    assert desk.command()[1].partner, "what is taken back is the partner's own"


@pytest.mark.parametrize("word", [{"status": "maintenance"}, {"status": "staff_only"}, {"resource": "seat-01"}])
def test_a_partner_says_only_what_a_partner_may(desk, word):
    answer = desk.client.put("/api/v1/partner/override", json={"until": SOON, **word}, headers=PARTNER)
    assert answer.status_code == 403


def test_a_gateway_that_cannot_be_told_is_said_so(desk):
    desk.up = False
    answer = desk.client.put("/api/v1/partner/override", json={"status": "free"}, headers=PARTNER)
    desk.up = True
    assert answer.status_code == 503


@pytest.mark.parametrize("what", ["history", "utilization"])
def test_what_a_room_did_all_day_is_for_viewers_with_a_key(desk, what):
    url = f"/api/v1/stations/yanshan/{what}?resource=nursing&to=2026-11-01T00:00:00Z"
    assert desk.client.get(url).status_code == 401
    assert desk.client.get(url, headers=desk.key("viewer", stations=["shop"])).status_code == 403
    assert desk.client.get(url, headers=desk.key("viewer")).status_code == 200
    assert desk.client.get(url.replace("nursing", "seat-01")).status_code == 200
