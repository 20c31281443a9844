"""One session over both receive paths and three brokers: mosquitto by MQTT 5 and 3.1.1, and the embedded one."""

import itertools
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.mqtt import Arrivals, Broker, Session
from gateway.mqtt.embedded import EmbeddedBroker
from tests.conftest import Mosquitto
from tests.patience import PATIENCE_S
from tests.ports import free_port

BROKERS = {"mosquitto-5": 5, "mosquitto-3.1.1": 4, "embedded": 4}
_names = itertools.count()


@pytest.fixture(scope="module", params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    port = free_port()
    if request.param == "embedded":
        ours = EmbeddedBroker("127.0.0.1", port)
        ours.start()
        yield Broker("127.0.0.1", port, version=BROKERS[request.param])
        ours.stop()
        return
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    mosquitto = Mosquitto(Path(tmp_path_factory.mktemp("mosquitto")), port)
    mosquitto.start()
    yield Broker("127.0.0.1", port, version=BROKERS[request.param])
    mosquitto.kill()


@dataclass
class Client:
    """A session with what it has received so far."""

    session: Session
    got: list[tuple[bytes, bytes, int]]
    arrivals: list[Arrivals]

    def pump(self, done: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
        end = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < end, f"still waiting; trouble: {self.session.trouble}, got: {self.got[-3:]}"
            self.take(self.session.poll(0.02))

    def take(self, arrivals: Arrivals | None) -> None:
        if arrivals is not None:
            self.arrivals.append(arrivals)
            self.got += arrivals.frames

    def acknowledge(self) -> None:
        """All that came, in order."""
        for arrival in self.arrivals:
            self.session.ack(arrival.epoch, arrival.mids)
        self.arrivals.clear()

    def payloads(self) -> list[bytes]:
        return [frame[1] for frame in self.got]

    def drop(self) -> None:
        """Lose the connection without a word, as a cut cable does."""
        sock = self.session._client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)
        self.pump(lambda: not self.session.connected)


@pytest.fixture
def topic() -> str:
    return f"test/{next(_names)}"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Client]]:
    """Connect a session; it is closed at the end. Reconnects come at once, so that tests are quick."""
    monkeypatch.setattr("gateway.mqtt.dialer.BACKOFF_S", 0.0)
    made: list[Client] = []

    def connect(broker: Broker, *filters: str, wait: bool = True, name: str | None = None, **options: Any) -> Client:
        connected = Client(Session(broker, name or f"client-{next(_names)}", filters=filters, **options), [], [])
        made.append(connected)
        if wait:
            connected.pump(lambda: connected.session.connected and connected.session.subscribed)
        return connected

    yield connect
    for connected in made:
        connected.session.close(0.2)
