"""`yizhan doctor` and what a broker keeps: tried, and each trouble with its mend."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.chinese import told
from api.commands.api import _try_broker
from api.commands.broker_disk import disks
from api.commands.broker_trial import BrokerTraits, findings, retained_of, tried
from api.commands.doctor_broker import broker
from config.load import load
from config.schema import Settings
from config.schema.base import HostPort
from gateway.mqtt import Broker

pytestmark = pytest.mark.broker


def configured(folder: Path, port: int) -> Settings:
    (folder / "yizhan.yaml").write_text(f'mqtt: {{url: "mqtt://127.0.0.1:{port}"}}\nstore: {{path: data}}\n')
    return load(folder / "yizhan.yaml", {})


def test_a_broker_as_we_deploy_it_keeps_what_we_need(tmp_path: Path, mosquitto_of: Callable[..., Any]) -> None:
    lines = list(broker(configured(tmp_path, mosquitto_of("max_queued_messages 10000000").port)))
    assert [line.mark for line in lines] == ["ok", "ok"]
    assert "keeps sessions, 1200 messages for one that is away, and what is retained" in lines[1].text
    assert "保留会话" in told(lines[1].text)


def test_a_small_queue_is_told_with_its_mend_and_by_count(tmp_path: Path, mosquitto_of: Callable[..., Any]) -> None:
    options = ("max_queued_messages 100", "max_inflight_messages 10")
    lines = list(broker(configured(tmp_path, mosquitto_of(*options).port)))
    texts = [line.text for line in lines if line.mark == "warn"]
    assert any("takes 10 unacknowledged messages of ours" in text for text in texts)
    assert any("of 1200 messages for a session that is away" in text and "max_queued" in text for text in texts)


def test_nothing_of_the_trial_stays_at_the_broker(mosquitto_of: Callable[..., Any]) -> None:
    there = Broker("127.0.0.1", mosquitto_of().port)
    first, second = (tried(there, "doctor") for _ in range(2))
    assert first == second == BrokerTraits("all", session=True, queued=1200, at_once=1200)


def test_a_broker_that_retains_nothing_and_one_that_lets_us_try_nothing(
    tmp_path: Path, mosquitto_of: Callable[..., Any]
) -> None:
    assert retained_of(Broker("127.0.0.1", mosquitto_of("retain_available false").port), "doctor") in ("none", None)
    (tmp_path / "acl").write_text("topic readwrite yz/#\n")
    closed = Broker("127.0.0.1", mosquitto_of(f"acl_file {tmp_path / 'acl'}").port)
    assert tried(closed, "doctor") is None
    (line,) = findings(None, "one:1883")
    assert (line.mark, "yz-probe/#" in line.text) == ("warn", True)


@pytest.mark.parametrize(
    ("traits", "words"),
    [
        (BrokerTraits("by name", session=True, queued=1200, at_once=1000), ("nothing to a wildcard", "RabbitMQ 3.10")),
        (BrokerTraits("by node", session=True, queued=1200, at_once=1000), ("only at the node", "same one address")),
        (BrokerTraits("none", session=True, queued=1200, at_once=1000), ("retains nothing", "allow retained")),
        (BrokerTraits("all", session=False, queued=0, at_once=0), ("keeps no session", "allow persistent")),
        (BrokerTraits("all", session=True, queued=1000, at_once=1000), ("keeps 1000 of 1200", "max_queued_messages")),
        (BrokerTraits("all", session=True, queued=1200, at_once=10), ("sends 10 messages", "mqtt.prefetch")),
    ],
)
def test_each_trouble_of_a_broker_is_one_line_with_its_mend(traits: BrokerTraits, words: tuple[str, str]) -> None:
    (line,) = findings(traits, "one:1883")
    assert line.mark == "warn"
    assert all(word in line.text for word in words)


def test_an_api_alone_tells_at_its_start_that_a_wildcard_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("api.commands.broker_trial.retained_of", lambda *_: "by name")
    _try_broker(configured(tmp_path, 1883))
    assert "nothing to a wildcard" in caplog.text


def test_a_cluster_whose_nodes_retain_each_for_itself_is_found(mosquitto_of: Callable[..., Any]) -> None:
    """Two brokers that know nothing of each other are as a cluster of RabbitMQ 3.10 in that."""
    first, second = mosquitto_of().port, mosquitto_of().port
    cluster = Broker("127.0.0.1", first, others=(HostPort("127.0.0.1", second),))
    assert retained_of(cluster, "doctor") == "by node"
    assert retained_of(Broker("127.0.0.1", first), "doctor") == "all"


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What stands where NATS has its monitor, in a list of one."""
    said = [b""]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said[0])

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setattr("api.commands.broker_disk.MONITOR_PORT", server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield said
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("config", "mark"), [({"sync_interval": 120_000_000_000}, "warn"), ({"sync_always": True}, "ok")]
)
def test_a_nats_that_acknowledges_before_its_disk_is_warned_of(
    monitor: list[bytes], config: dict[str, Any], mark: str
) -> None:
    monitor[0] = json.dumps({"server_id": "X", "jetstream": {"config": config}}).encode()
    (line,) = disks([HostPort("127.0.0.1", 1883)])
    assert line.mark == mark
    assert ("sync_interval: always" in line.text) == (mark == "warn")


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b"{}", b'{"server_id": 1}', b'{"server_id": 1, "jetstream": []}', b"\xff" * 99]
)
def test_what_else_stands_there_is_no_nats(monitor: list[bytes], answer: bytes) -> None:
    monitor[0] = answer
    assert list(disks([HostPort("127.0.0.1", 1883)])) == []
