"""The shipped access list on a real mosquitto: who may say what, who hears what, and nothing beyond."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.mqtt import Broker, Session, Will
from tests.patience import PATIENCE_S, until
from tests.ports import free_port

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed"),
]

DEPLOY = Path(__file__).parents[2] / "deploy"
WATCHER = "watcher"  # the only user that the test adds: it sees and says everything

SAYS: dict[str, set[str]] = {
    "yanshan/door-1": {
        "yz/yanshan/door-1/state",
        "yz/yanshan/door-1/event",
        "yz/yanshan/door-1/availability",
    },
    "yanshan": {
        "yz/yanshan/door-1/state",
        "yz/yanshan/door-1/event",
        "yz/yanshan/door-1/availability",
        "yz/yanshan/seat-1/state",
        "yz-pile/yanshan/cp-1",
        "yz-reply/yanshan/nonce",
        "yz-box/yanshan",  # as a box of that station, which tells this centre
        "yz-deed/yanshan/staff",  # what its own staff did
        "yz-site/yanshan",
    },
    "yizhan-gateway": {
        "yz-live/yanshan",
        "yz-alert/yanshan/a1",
        "yz-ack/yanshan/door-1",
        "yz-ack/yanshan/seat-1",
        "yz-ack/shop/door-1",
        "yz-sys/gw",
        "yz-cmd/yanshan/box-1/call",  # `yizhan up` has the API in it
        "yz-cmd/yanshan/override",  # for the box of that station
        "yz-cmd/yanshan/staff",
        "yz-cmd/yanshan/check",
        "yz-cmd/yanshan/config",
        "yz-reply/yanshan/nonce",
        "homeassistant/status",
        "yz-probe/doctor/retained/one",
    },
    "yizhan-api": {
        "yz-cmd/yanshan/override",
        "yz-cmd/yanshan/staff",
        "yz-cmd/yanshan/check",
        "yz-cmd/yanshan/config",
        "yz-cmd/yanshan/door-1/unlock",
        "yz-cmd/yanshan/box-1/call",
        "yz-cmd/shop/door-1/unlock",
        "yz-probe/doctor/retained/one",
    },
    "zigbee2mqtt": {"zigbee2mqtt/door", "homeassistant/status"},
    "tasmota": {"tele/plug/SENSOR"},
    "shelly": {"shellies/plug/relay/0"},
    "chirpstack": {"application/a/device/d/event/up"},
}
HEARS: dict[str, set[str]] = {
    "yanshan/door-1": {"yz-ack/yanshan/door-1"},
    "yanshan": {
        "yz-ack/yanshan/door-1",
        "yz-ack/yanshan/seat-1",
        "yz-cmd/yanshan/door-1/unlock",
        "yz-cmd/yanshan/box-1/call",
        "yz-cmd/yanshan/override",  # of the centre's staff, for the box
        "yz-cmd/yanshan/staff",
        "yz-reply/yanshan/nonce",  # of the centre, on what its own staff did
        "yz-cmd/yanshan/check",
        "yz-cmd/yanshan/config",
        "yz-sys/gw",
    },
    "yizhan-gateway": {
        "yz/yanshan/door-1/state",
        "yz/yanshan/door-1/event",
        "yz/yanshan/door-1/availability",
        "yz/yanshan/seat-1/state",
        "yz/shop/door-1/state",
        "yz/shop/door-1/availability",
        *SAYS["yizhan-api"],  # `yz-probe` too
        "yz-deed/yanshan/staff",
        "yz-cmd/yanshan/else",  # it refuses it
        "yz-pile/yanshan/cp-1",
        "yz-reply/yanshan/nonce",
        "yz-box/yanshan",
        "yz-site/yanshan",
        "yz-sys/gw",
        "zigbee2mqtt/door",
        "tele/plug/SENSOR",
        "shellies/plug/relay/0",
        "application/a/device/d/event/up",
        "homeassistant/status",
    },
    "yizhan-api": {
        "yz-pile/yanshan/cp-1",
        "yz/yanshan/door-1/availability",
        "yz/shop/door-1/availability",
        "yz-live/yanshan",
        "yz-sys/gw",
        "yz-reply/yanshan/nonce",
        "yz-probe/doctor/retained/one",
    },
    "zigbee2mqtt": {"zigbee2mqtt/door", "homeassistant/status"},
    "tasmota": {"tele/plug/SENSOR"},
    "shelly": {"shellies/plug/relay/0"},
    "chirpstack": {"application/a/device/d/event/up"},
}
TOPICS = sorted(set().union(*SAYS.values(), *HEARS.values(), {"other/thing", "yz-cmd/yanshan/else"}))


class Client:
    """One user's session, with what it heard."""

    def __init__(self, port: int, user: str | None, *filters: str, will: Will | None = None) -> None:
        broker = Broker("127.0.0.1", port, username=user, password=user and f"secret of {user}", version=5)
        self.session = Session(broker, f"client of {user}", filters=filters, will=will, keep=False)
        self.heard: dict[str, bytes] = {}
        self.confirmed: set[int] = set()
        self.session.on_published = self._published

    def _published(self, mid: int) -> None:
        self.confirmed.add(mid)

    def pump(self, done: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, f"still waiting: {self.session.trouble}, heard: {sorted(self.heard)}"
            arrivals = self.session.poll(0.02)
            for topic, payload, _ in arrivals.frames if arrivals else ():
                self.heard[topic.decode()] = payload
            if arrivals:
                self.session.ack(arrivals.epoch, arrivals.mids)

    def connect(self) -> "Client":
        self.pump(lambda: self.session.subscribed)
        return self

    def say(self, topics: list[str], payload: bytes, *, retain: bool = False) -> None:
        """Publish, and wait until the broker has answered each."""
        said = {self.session.publish(topic, payload, retain=retain) for topic in topics}
        assert None not in said
        self.pump(lambda: said <= self.confirmed)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The shipped configuration, but for port, paths and one user more."""
    folder, port = tmp_path_factory.mktemp("broker"), free_port()
    (folder / "acl").write_text(
        (DEPLOY / "mosquitto.acl").read_text("utf-8") + f"\nuser {WATCHER}\ntopic readwrite #\n", "utf-8"
    )
    (folder / "passwords").touch(0o600)
    for user in (*SAYS, "shop/door-1", WATCHER):
        subprocess.run(["mosquitto_passwd", "-b", folder / "passwords", user, f"secret of {user}"], check=True)
    conf = (DEPLOY / "mosquitto.conf").read_text("utf-8")
    assert "listener 1883 127.0.0.1\n" in conf
    conf = conf.replace("listener 1883 ", f"listener {port} ").replace("/etc/mosquitto/", f"{folder}/")
    (folder / "mosquitto.conf").write_text(f"user root\npersistence_location {folder}/\n{conf}")
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(["mosquitto", "-c", folder / "mosquitto.conf"], stdout=log, stderr=log)
    try:
        until(lambda: _answers(port), (folder / "log").read_text())
        yield port
    finally:
        child.kill()
        child.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def client(port: int) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def connect(user: str | None, *filters: str, **more: Any) -> Client:
        made.append(Client(port, user, *filters, **more))
        return made[-1]

    yield connect
    for connected in made:
        connected.session.close(0.2)


@pytest.mark.parametrize("user", SAYS)
def test_a_user_can_say_this_and_nothing_else(user: str, client: Callable[..., Client]) -> None:
    watcher, speaker = client(WATCHER, "#").connect(), client(user).connect()
    speaker.say(TOPICS, b"by " + user.encode())
    watcher.session.publish("sentinel", b"")
    watcher.pump(lambda: "sentinel" in watcher.heard)
    assert {topic for topic, payload in watcher.heard.items() if payload == b"by " + user.encode()} == SAYS[user]


@pytest.mark.parametrize("user", HEARS)
def test_a_user_can_hear_this_and_nothing_else(user: str, client: Callable[..., Client]) -> None:
    watcher = client(WATCHER).connect()
    watcher.say(TOPICS, b"kept", retain=True)
    listener = client(user, "#", "+/+/#").connect()
    listener.pump(lambda: set(listener.heard) >= HEARS[user])
    watcher.say(TOPICS, b"new")
    last = max(HEARS[user])
    watcher.say([last], b"last")
    listener.pump(lambda: listener.heard[last] == b"last")
    assert set(listener.heard) == HEARS[user]
    watcher.say(TOPICS, b"", retain=True)


@pytest.mark.parametrize(
    ("user", "topic", "told"),
    [
        ("yanshan/door-1", "yz/yanshan/door-1/availability", True),
        ("yanshan/door-1", "yz/yanshan/seat-1/availability", False),
        ("yanshan/door-1", "yz/shop/door-1/availability", False),
        ("shop/door-1", "yz/yanshan/door-1/availability", False),
        ("yanshan/door-1", "yz-live/yanshan", False),
        ("yanshan/door-1", "yz-sys/gw", False),
        ("yanshan", "yz/yanshan/seat-1/availability", True),
        ("yanshan", "yz/shop/door-1/availability", False),
        ("yanshan", "yz-cmd/yanshan/override", False),
        ("yizhan-api", "yz-live/yanshan", False),
    ],
)
def test_a_last_will_is_bound_like_all_else(user: str, topic: str, told: bool, client: Callable[..., Client]) -> None:
    watcher = client(WATCHER, "#").connect()
    dying = client(user, will=Will(topic, b"the will")).connect()
    sock = dying.session._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)  # as a cut cable does
    client(user).connect()  # under the same id: before it is let in, the broker has told the will of the one before
    watcher.session.publish("sentinel", b"")
    watcher.pump(lambda: "sentinel" in watcher.heard)
    assert (watcher.heard.get(topic) == b"the will") is told
    watcher.say([topic], b"", retain=True)


@pytest.mark.parametrize("user", [None, "yanshan/door-9"])
def test_nobody_comes_in_without_a_name_that_the_broker_knows(user: str | None, client: Callable[..., Client]) -> None:
    stranger = client(user)
    stranger.pump(lambda: "uthori" in (stranger.session.trouble or ""))
    assert not stranger.session.connected
