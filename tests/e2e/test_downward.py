"""What staff do at the centre is at the box, or waits for it; whatever is killed, it is done once. Real processes."""

import contextlib
import json
import shutil
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.commands import Gate, SeenNonces, sign
from gateway.mqtt import Broker, Session
from tests.e2e.rig import MOSQUITTO, Yizhan, get, publish
from tests.e2e.test_uplink import ALONE, BOX, House, asked, boxes, brokers
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto")]

OVERRIDE = "/api/v1/stations/yanshan/override"


@dataclass
class District:
    """A centre whose gateway and API are processes of their own, and a box; `key` and `box_key` are for their APIs."""

    centre: House
    box: House
    key: dict[str, str]
    box_key: dict[str, str]
    gateway: Yizhan

    def restart(self) -> None:
        """kill -9 of the centre's gateway, and its next start."""
        self.gateway.stop(signal.SIGKILL)
        self.gateway.__exit__(None)
        self.gateway = Yizhan(self.centre.folder, "gateway", "--config", "yizhan.yaml")

    def at_box(self) -> list[str]:
        lines = asked(self.box.http, "/api/v1/audit", self.box_key)["audit"]
        return [line["detail"].split(" ")[0] for line in lines if line["what"] == "override"]

    def errands(self) -> list[tuple[str, str]]:
        return [
            (errand["what"], errand["state"]) for row in boxes(self.centre.http, self.key) for errand in row["errands"]
        ]


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto-clients is not installed")
    alone = ALONE + 'gateway: {{metrics_listen: "127.0.0.1:0"}}\n'  # its own port may be another's
    centre = House(tmp_path / "centre", alone, "")
    told = BOX.replace("id: box-1,", "id: box-1, command_key_file: centre.key,")
    box = House(tmp_path / "box", told, centre=centre.broker.port, confirm="box")
    with brokers(centre, box), contextlib.ExitStack() as ends:
        gateway = Yizhan(centre.folder, "gateway", "--config", "yizhan.yaml")
        key_file = centre.folder / "data" / "command.key"
        until(key_file.exists, what="the centre's key")
        shutil.copy(key_file, box.folder / "centre.key")
        key, box_key = centre.key(), box.key()
        ends.enter_context(Yizhan(centre.folder, "api", "--config", "yizhan.yaml"))
        until(lambda: get(centre.http, "/healthz"), what="the centre's API")
        made = District(centre, box, key, box_key, gateway)
        ends.callback(lambda: made.gateway.__exit__(None))
        yield made


def put(http: int, key: dict[str, str], **word: Any) -> dict[str, Any]:
    more = key | {"Content-Type": "application/json"}
    body = json.dumps(word).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{http}{OVERRIDE}", body, more, method="PUT")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def hours(count: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=count)).isoformat()


def test_what_staff_set_by_hand_beside_a_gateway_waits_for_the_line_and_is_done_once(district: District) -> None:
    centre, box, key = district.centre, district.box, district.key
    with box.up() as up:
        until(lambda: centre.shown("seat-01"), what="the station at the centre")
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        told = put(centre.http, key, status="closed", until=hours(1))["box"]
        assert told["box"] == "box-1"
        until(lambda: box.shown("seat-01")["access"] == "closed", what="the closing at the box")
        until(lambda: centre.shown("seat-01")["access"] == "closed", what="the closing at the centre")
        until(lambda: district.errands() == [("override", "done")])
        up.stop(signal.SIGKILL)
    until(lambda: boxes(centre.http, key)[0]["line"] == "down", what="the line known to be down")
    told = put(centre.http, key, status="staff_only", until=hours(2))["box"]
    assert (told["box"], told["state"]) == ("box-1", "waiting")
    assert district.errands()[0] == ("override", "waiting")
    district.restart()
    with box.up() as up:
        until(lambda: box.shown("seat-01")["access"] == "staff_only", what="what waited, at the box")
        until(lambda: centre.shown("seat-01")["access"] == "staff_only", what="the same at the centre")
        until(lambda: district.errands()[0] == ("override", "done"))
        up.stop(signal.SIGKILL)
    with box.up():
        until(lambda: get(box.http, "/readyz"))
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        put(centre.http, key, status=None)
        until(lambda: box.shown("seat-01")["access"] != "staff_only", what="its end at the box")
        until(lambda: district.errands()[0] == ("override", "done"))
        assert district.at_box() == ["taken", "staff_only", "closed"], "each once, whatever was killed"


def test_forged_replayed_and_expired_commands_change_nothing_at_the_box(district: District) -> None:
    centre, box, key = district.centre, district.box, district.key
    topic = "yz-cmd/yanshan/override"
    secret = (box.folder / "centre.key").read_text().strip().encode()

    def said(status: str, nonce: str, ends_s: int, by: bytes = secret) -> bytes:
        now = datetime.now(UTC).timestamp() * 1000
        word = {"status": status, "until": int(now) + 3_600_000, "by": "li"}
        text = {"nonce": nonce, "expires": int(now) + ends_s * 1000, "by": "li", "override": word}
        return sign(by, topic, json.dumps(text).encode())

    with box.up():
        until(lambda: centre.shown("seat-01"), what="the station at the centre")
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        publish(centre.broker.port, topic, said("maintenance", "f" * 16, 30, b"x" * 64))
        publish(centre.broker.port, topic, said("maintenance", "e" * 16, -1))
        first = said("closed", "a" * 16, 50)
        publish(centre.broker.port, topic, first)
        until(lambda: box.shown("seat-01")["access"] == "closed", what="what is signed and in time")
        publish(centre.broker.port, topic, said("staff_only", "b" * 16, 50))
        until(lambda: box.shown("seat-01")["access"] == "staff_only")
        publish(centre.broker.port, topic, first)
        publish(centre.broker.port, topic, said("busy", "c" * 16, 50))
        until(lambda: box.shown("seat-01")["use"] == "occupied", what="what came behind the copy")
        assert box.shown("seat-01")["access"] == "staff_only"
        assert box.shown("seat-01")["health"] == "ok"
        assert sorted(district.at_box()) == ["busy", "closed", "staff_only"]


def post(house: House, key: dict[str, str], path: str, **body: Any) -> dict[str, Any]:
    more = key | {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{house.http}/api/v1{path}", json.dumps(body).encode(), more)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def help_called(house: House, key: dict[str, str]) -> dict[str, Any]:
    """The alert about the call for help; KeyError while there is none."""
    alerts = asked(house.http, "/api/v1/alerts?kind=help", key)["alerts"]
    if not alerts:
        raise KeyError("help")
    return dict(alerts[0])


def order_at(house: House, key: dict[str, str]) -> tuple[str, str]:
    order = asked(house.http, "/api/v1/orders", key)["orders"][0]  # IndexError while there is none
    return order["assignee"], order["state"]


def test_an_alert_and_its_order_are_worked_on_from_both_ends(district: District) -> None:
    centre, box, key, box_key = district.centre, district.box, district.key, district.box_key
    with box.up() as up:
        until(lambda: centre.shown("door"), what="the station at the centre")
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        publish(box.broker.port, "yz/yanshan/door/event", '{"boot": "b1", "seq": 1, "type": "help"}')
        mine = until(lambda: help_called(centre, key), what="the call at the centre")
        until(lambda: help_called(box, box_key), what="the call at the box")
        post(centre, key, f"/alerts/{mine['id']}/acknowledge")
        until(lambda: help_called(box, box_key)["state"] == "acknowledged", what="who takes care, at the box")
        up.stop(signal.SIGKILL)
    until(lambda: boxes(centre.http, key)[0]["line"] == "down", what="the line known to be down")
    given = post(centre, key, "/orders", alert=mine["id"], assignee="chen", title="go and look")
    assert (given["box"]["box"], given["box"]["state"]) == ("box-1", "waiting")
    district.restart()
    with box.up() as up:
        until(lambda: order_at(box, box_key) == ("chen", "assigned"), what="the order, at the box")
        ours = asked(box.http, "/api/v1/orders", box_key)["orders"][0]["id"]
        post(box, box_key, f"/orders/{ours}/accept")
        until(lambda: order_at(centre, key) == ("chen", "accepted"), what="who accepted it, at the centre")
        up.stop(signal.SIGKILL)
    with box.up():
        until(lambda: get(box.http, "/readyz"))
        post(box, box_key, f"/orders/{ours}/done")
        until(lambda: order_at(centre, key) == ("chen", "done"), what="that it is done, at the centre")
        post(centre, key, f"/orders/{given['id']}/verify")
        until(lambda: order_at(box, box_key) == ("chen", "closed"), what="that it was seen, at the box")
        deeds = ["acknowledge", "assign", "accept", "done", "verify"]
        here, there = ("test", "test@box-1"), ("test@centre", "test")
        for house, its_key, (of_centre, of_box) in ((centre, key, here), (box, box_key, there)):
            lines = asked(house.http, "/api/v1/audit", its_key)["audit"]
            told = [(line["what"], line["who"]) for line in reversed(lines) if line["what"] in deeds]
            assert [what for what, _ in told] == deeds, "each once, whatever was killed"
            assert [who for _, who in told] == [of_centre, of_centre, of_box, of_box, of_centre]


def configured(house: House, key: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The station as its box has it, and the tag."""
    request = urllib.request.Request(f"http://127.0.0.1:{house.http}/api/v1/config?station=yanshan", headers=key)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer), answer.headers["etag"]


def change(district: District, *changes: dict[str, Any], path: str = "/changes") -> tuple[int, dict[str, Any]]:
    """Asked for at the centre, made of what it shows now."""
    centre, (_, tag) = district.centre, configured(district.centre, district.key)
    body = {"why": "a test", "changes": changes} if changes else {"why": "back"}
    more = district.key | {"Content-Type": "application/json", "If-Match": tag}
    address = f"http://127.0.0.1:{centre.http}/api/v1/config{path}"
    request = urllib.request.Request(address, json.dumps(body).encode(), more)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_admin_of_the_centre_changes_the_station_of_a_box(district: District) -> None:
    centre, box, key = district.centre, district.box, district.key
    lounge = "/stations/yanshan/areas/lounge/resources"
    with box.up() as up:
        until(lambda: centre.shown("seat-01"), what="the station at the centre")
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        status, told = change(district, {"op": "add", "path": f"{lounge}/seat-09", "value": {"kind": "seat"}})
        assert (status, told["box"]["state"]) == (200, "done"), told
        assert "seat-09" in (box.folder / "yizhan.yaml").read_text()
        until(lambda: centre.shown("seat-09"), what="the new seat at the centre")
        version = until(lambda: configured(centre, key)[0]["version"] == told["version"] and told["version"])
        status, refused = change(district, {"op": "add", "path": f"{lounge}/x", "value": {"kind": "sofa"}})
        assert (status, refused["errors"][0]["name"].split("/")[-1]) in ((422, "x"), (422, "kind"))
        status, refused = change(district, {"op": "add", "path": f"{lounge}/seat-09/source", "value": {"topic": "x"}})
        assert status == 403
        up.stop(signal.SIGKILL)
    until(lambda: boxes(centre.http, key)[0]["line"] == "down", what="the line known to be down")
    status, told = change(district, path=f"/versions/{version - 1}/restore?station=yanshan")
    assert (status, told["box"]["state"]) == (202, "waiting")
    district.restart()
    with box.up():
        until(lambda: district.errands()[0] == ("config", "done"), what="what waited")
        assert (box.folder / "yizhan.yaml").read_text() == box.config
        until(lambda: "seat-09" not in json.dumps(configured(centre, key)[0]), what="its end at the centre")


def test_an_unlock_and_a_call_reach_a_bridge_of_the_box_and_its_piles_are_known_at_the_centre(
    district: District,
) -> None:
    centre, box, key = district.centre, district.box, district.key
    own_key = box.folder / "data" / "command.key"
    pile = json.dumps({"bridge": "bridge-1", "protocol": "ocpp1.6", "since": "", "devices": ["pile-1"]})
    with box.up(), Bridge(box, own_key) as bridge:
        until(lambda: centre.shown("door"), what="the station at the centre")
        until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
        publish(box.broker.port, "yz-pile/yanshan/cp-1", pile, "-r")
        piles = "/api/v1/stations/yanshan/piles"
        until(lambda: asked(centre.http, piles, key)["piles"], what="the pile at the centre")
        answer = post(centre, key, "/piles/cp-1/calls", action="Reset", payload={"type": "Soft"})
        assert answer["result"] == {"status": "Accepted"}
        topic = "yz-cmd/yanshan/door/unlock"
        now = int(datetime.now(UTC).timestamp() * 1000)
        text = json.dumps({"nonce": "u" * 16, "expires": now + 50_000, "by": "li"}).encode()
        secret = (box.folder / "centre.key").read_bytes().strip()
        publish(centre.broker.port, topic, sign(b"x" * 64, topic, text))
        publish(centre.broker.port, topic, sign(secret, topic, text))
        until(lambda: "unlock" in bridge.done, what="the unlock at the bridge")
        assert bridge.done == ["call", "unlock"]


class Bridge(threading.Thread):
    """One of the box: it does what is signed with the box's key, and answers calls."""

    def __init__(self, box: House, key_file: Path) -> None:
        super().__init__(daemon=True)
        self.done: list[str] = []
        until(key_file.exists, what="the box's key")
        self._key = key_file.read_bytes().strip()
        filters = ["yz-cmd/yanshan/+/unlock", "yz-cmd/yanshan/+/call"]
        self._session = Session(Broker("127.0.0.1", box.broker.port), "bridge-1", filters=filters, keep=False)
        self._gate, self._ended = Gate(lambda: self._key, SeenNonces()), threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            arrivals = self._session.poll(0.05)
            for topic, payload, _ in arrivals.frames if arrivals is not None else ():
                now = int(datetime.now(UTC).timestamp() * 1000)
                order = self._gate.open(topic, payload, now)
                self.done.append(order.path[-1])
                to = f"yz-reply/yanshan/{order.nonce}"
                head = {"nonce": order.nonce[::-1], "expires": now + 30_000, "by": "bridge-1"}
                said = json.dumps({**head, "result": {"status": "Accepted"}}).encode()
                self._session.publish(to, sign(self._key, to, said))
            if arrivals is not None:
                self._session.ack(arrivals.epoch, arrivals.mids)

    def __enter__(self) -> "Bridge":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(5)
        self._session.close()
