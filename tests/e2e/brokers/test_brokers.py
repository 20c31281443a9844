"""A gateway and an API beside it on brokers of other makes: nothing is lost or double, and what is away is told."""

import json
import signal
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.mqtt import Broker, Session
from tests.e2e.brokers.programs import NATS, RABBITMQ, BrokerNode, nats, rabbitmq, started
from tests.e2e.rig import Yizhan, free_port, get, resource, yizhan
from tests.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

CONFIG = """\
mqtt: {{url: [{nodes}], reconnect_max_s: 2}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:{metrics}"}}
stations:
  - {{id: yanshan, hours: "24/7", areas: [{{id: lounge, resources: [{{id: seat-01, kind: seat, ttl: 3600}}]}}]}}
"""
NO_RABBITMQ = "rabbitmq-server is not installed: apt-get install rabbitmq-server"
NO_NATS = "nats-server is not installed: apt-get install nats-server"


@pytest.fixture(
    params=[
        pytest.param(rabbitmq, marks=pytest.mark.skipif(RABBITMQ is None, reason=NO_RABBITMQ), id="rabbitmq"),
        pytest.param(nats, marks=pytest.mark.skipif(NATS is None, reason=NO_NATS), id="nats"),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerNode]:
    make: Callable[[Path], list[BrokerNode]] = request.param
    (node,) = started(make(tmp_path))
    yield node
    node.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[BrokerNode]]:
    nodes = started(nats(tmp_path, 3))
    yield nodes
    for node in nodes:
        node.kill()


class Seat:
    """A device that numbers its messages and keeps each until the broker has it."""

    def __init__(self, nodes: list[BrokerNode]) -> None:
        first, *others = [("127.0.0.1", node.port) for node in nodes]
        self.session = Session(Broker(*first, others=tuple(others)), "seat-01", reconnect_max_s=1)  # type: ignore[arg-type]
        self._confirmed: set[int] = set()
        self.session.on_published = self._confirmed.add
        self.seq = 0

    def __enter__(self) -> "Seat":
        until(lambda: self.session.poll(0.05) or self.session.connected, what="the device connected")
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def say(self, count: int) -> None:
        for _ in range(count):
            self.seq += 1
            body = {"boot": "a", "seq": self.seq, "oldest": 1, "occupied": self.seq % 2 == 1}
            self._say(json.dumps(body).encode())

    def _say(self, payload: bytes) -> None:
        mid: int | None = None

        def taken() -> bool:
            nonlocal mid
            if mid is None or not self.session.connected:
                mid = self.session.publish("yz/yanshan/seat-01/state", payload)
            self.session.poll(0.02)
            return mid in self._confirmed

        until(taken, what="the broker taking a message")


def configured(folder: Path, nodes: list[BrokerNode]) -> tuple[int, int]:
    """Ports of the API, and of the gateway's metrics."""
    http, metrics = free_port(), free_port()
    urls = ", ".join(f'"mqtt://127.0.0.1:{node.port}"' for node in nodes)
    (folder / "yizhan.yaml").write_text(CONFIG.format(nodes=urls, http=http, metrics=metrics))
    return http, metrics


def stored(folder: Path) -> list[int]:
    lines = yizhan(folder, "export", "--config", "yizhan.yaml").stdout.splitlines()
    return [json.loads(line)["seq"] for line in lines]


def ready(port: int) -> bool:
    return bool(get(port, "/readyz"))


def test_what_came_while_the_gateway_was_away_is_stored_once_and_an_api_alone_shows_it(
    tmp_path: Path, broker: BrokerNode
) -> None:
    http, metrics = configured(tmp_path, [broker])
    words = ("gateway", "--config", "yizhan.yaml")
    with Seat([broker]) as seat:
        with Yizhan(tmp_path, *words) as gateway:
            until(lambda: ready(metrics), what="the gateway ready")
            seat.say(20)
            assert gateway.stop()[0] == 0
        seat.say(30)
        with Yizhan(tmp_path, *words) as gateway:
            until(lambda: len(stored(tmp_path)) == seat.seq, what="what waited in the session")
            with Yizhan(tmp_path, "api", "--config", "yizhan.yaml"):  # starts later than the document was made
                until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["use"] == "free")
                seat.say(1)
                until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "seat-01")["use"] == "occupied")
                gateway.stop(signal.SIGKILL)
                told = "gateway gateway is offline"
                until(lambda: told in json.dumps(status_of(http)), what="the will of a killed gateway")
    assert sorted(stored(tmp_path)) == list(range(1, seat.seq + 1))


def status_of(http: int) -> object:
    """What the API says of itself, whether it is well or not."""
    try:
        return get(http, "/readyz")
    except urllib.error.HTTPError as error:
        return json.load(error)


@pytest.mark.skipif(NATS is None, reason=NO_NATS)
def test_a_node_of_the_cluster_dies_and_the_gateway_goes_on_by_the_next_one(
    tmp_path: Path, cluster: list[BrokerNode]
) -> None:
    _, metrics = configured(tmp_path, cluster)
    with (
        Yizhan(tmp_path, "gateway", "--config", "yizhan.yaml") as gateway,
        Seat(cluster[::-1]) as seat,
    ):
        until(lambda: ready(metrics), what="the gateway ready")
        seat.say(20)
        cluster[0].kill()
        seat.say(20)
        until(lambda: ready(metrics), what="the gateway at the next node")
        seat.say(20)
        until(lambda: len(stored(tmp_path)) == seat.seq, what="all of it stored")
        assert any(f"connected to 127.0.0.1:{node.port}" in gateway.errors for node in cluster[1:])
    assert sorted(stored(tmp_path)) == list(range(1, seat.seq + 1))
