"""Brokers of other makes on loopback: RabbitMQ and its MQTT plugin, NATS and its MQTT listener, alone or three."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from tests.patience import until
from tests.ports import free_port

RABBITMQ = next((str(one) for one in Path("/usr/lib/rabbitmq").glob("bin/rabbitmq-server")), None)
NATS = shutil.which("nats-server")

_RABBITMQ = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}
mqtt.allow_anonymous = true
mqtt.prefetch = 1000
"""
_NATS = """\
server_name: node-{number}
listen: "127.0.0.1:{nats}"
jetstream {{ store_dir: "{folder}/store" }}
mqtt {{ listen: "127.0.0.1:{mqtt}", max_ack_pending: 5000{replicas} }}
{cluster}
"""


class BrokerNode:
    """One node: `start`, `kill`, and `start` again with what it had kept."""

    def __init__(self, port: int, words: list[str], env: dict[str, str]) -> None:
        self.port, self._words, self._env = port, words, env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(self._words, env=self._env, start_new_session=True, **quiet)  # type: ignore[call-overload]

    def listening(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def kill(self) -> None:
        """The whole group: RabbitMQ is a shell with an Erlang machine below it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(60)
            self._process = None


def rabbitmq(folder: Path) -> list[BrokerNode]:
    """One node, which needs no name in any DNS."""
    home = folder / "rabbitmq"
    home.mkdir()
    amqp, mqtt = free_port(), free_port()
    (home / "rabbitmq.conf").write_text(_RABBITMQ.format(amqp=amqp, mqtt=mqtt))
    (home / "enabled_plugins").write_text("[rabbitmq_mqtt].")
    env = {
        **os.environ,
        "HOME": str(home),
        "RABBITMQ_NODENAME": f"yizhan{mqtt}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    return [BrokerNode(mqtt, [str(RABBITMQ)], env)]


def nats(folder: Path, count: int = 1) -> list[BrokerNode]:
    """A server alone, or a cluster that keeps each session and message three times."""
    routes = [free_port() for _ in range(count)]
    nodes = []
    for number, route in enumerate(routes):
        home = folder / f"nats-{number}"
        home.mkdir()
        others = ", ".join(f'"nats://127.0.0.1:{one}"' for one in routes)
        cluster = f'cluster {{ name: c, listen: "127.0.0.1:{route}", routes: [{others}] }}' if count > 1 else ""
        mqtt = free_port()
        text = _NATS.format(
            number=number, nats=free_port(), folder=home, mqtt=mqtt, cluster=cluster,
            replicas=f", stream_replicas: {count}" if count > 1 else "",
        )  # fmt: skip
        (home / "nats.conf").write_text(text)
        nodes.append(BrokerNode(mqtt, [str(NATS), "-c", str(home / "nats.conf")], dict(os.environ)))
    return nodes


def started(nodes: list[BrokerNode]) -> list[BrokerNode]:
    for node in nodes:
        node.start()
    for node in nodes:
        until(node.listening, what="the broker listening")
    return nodes
