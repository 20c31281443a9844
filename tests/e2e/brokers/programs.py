"""Brokers of other makes on loopback, alone or as a cluster, each with the configuration of deploy/brokers."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.patience import until
from tests.ports import free_port

RABBITMQ = next((str(path) for path in Path("/usr/lib/rabbitmq").glob("bin/rabbitmq-server")), None)
NATS = shutil.which("nats-server")
ARTEMIS = next(
    (str(path) for path in [Path(os.environ.get("ARTEMIS_HOME", "/opt/artemis")) / "bin/artemis"] if path.is_file()),
    None,
)
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
DEPLOYED = Path(__file__).parents[3] / "deploy"


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


def deployed(name: str, **changes: str) -> str:
    """The file of deploy/ with these words for others. AssertionError where one does not stand there."""
    return changed((DEPLOYED / name).read_text(), list(changes.items()))


def changed(text: str, changes: list[tuple[str, str]]) -> str:
    for old, new in changes:
        assert old in text, f"{old!r} stands there no more"
        text = text.replace(old, new)
    return text


def mosquitto(folder: Path, count: int = 1, lines: tuple[str, ...] | None = None) -> list[BrokerNode]:
    """One node as a site has it, without users; `lines` stand instead of those about what is kept."""
    assert count == 1, "it has no cluster"
    text = (DEPLOYED / "mosquitto.conf").read_text()
    kept = (
        lines
        if lines is not None
        else tuple(
            line for line in text.splitlines() if line.startswith(("persistence", "autosave", "max_", "set_tcp"))
        )
    )
    home = folder / "mosquitto"
    home.mkdir()
    port = free_port()
    more = ("user root", f"listener {port} 127.0.0.1", "allow_anonymous true", f"persistence_location {home}/")
    (home / "mosquitto.conf").write_text("\n".join((*more, *kept)) + "\n")
    return [BrokerNode(port, [str(MOSQUITTO), "-c", str(home / "mosquitto.conf")], dict(os.environ))]


def rabbitmq(folder: Path, count: int = 1, classic: bool = False) -> list[BrokerNode]:
    """Nodes that need no name in any DNS. `classic`: each session on one of them, as by default."""
    epmd, names = _names_of_erlang(), [f"yizhan{free_port()}@localhost" for _ in range(count)]
    text = (DEPLOYED / "brokers/rabbitmq/rabbitmq.conf").read_text()
    lines = [line for line in text.splitlines() if not line.startswith(("cluster_", "mqtt.listeners"))]
    if classic or count == 1:
        lines = [line for line in lines if "durable_queue_type" not in line]
    if count > 1:
        lines += [
            "cluster_formation.peer_discovery_backend = classic_config",
            "cluster_partition_handling = pause_minority",
        ]
        lines += [f"cluster_formation.classic_config.nodes.{at + 1} = {name}" for at, name in enumerate(names)]
    lines = [line.replace("allow_anonymous = false", "allow_anonymous = true") for line in lines]
    nodes = []
    for number, name in enumerate(names):
        home = folder / f"rabbitmq-{number}"
        home.mkdir()
        mqtt = free_port()
        own = (f"listeners.tcp.1 = 127.0.0.1:{free_port()}", f"mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}")
        (home / "rabbitmq.conf").write_text("\n".join((*lines, *own)) + "\n")
        (home / "enabled_plugins").write_text((DEPLOYED / "brokers/rabbitmq/enabled_plugins").read_text())
        (home / ".erlang.cookie").write_text("COOKIEOFTHISTEST")
        (home / ".erlang.cookie").chmod(0o400)
        env = {
            **os.environ,
            "HOME": str(home),
            "RABBITMQ_NODENAME": name,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        nodes.append(BrokerNode(mqtt, [str(RABBITMQ)], env))
    return nodes


def _names_of_erlang() -> int:
    """The port of the daemon by which nodes find each other. They would start one themselves, and leave it behind."""
    port = free_port()
    daemon = subprocess.Popen(["epmd", "-port", str(port), "-address", "127.0.0.1"], stdin=subprocess.DEVNULL)
    atexit.register(daemon.kill)
    return port


def nats(folder: Path, count: int = 1, lazy: bool = False) -> list[BrokerNode]:
    """A server alone, or a cluster that keeps each session and message three times. `lazy`: as by default, on disk when
    it is convenient."""
    text = (DEPLOYED / "brokers/nats/nats.conf").read_text()
    ports = [free_port() for _ in range(count)]
    nodes = []
    for number, route in enumerate(ports):
        home = folder / f"nats-{number}"
        home.mkdir()
        mqtt = free_port()
        routes = ", ".join(f'"nats://127.0.0.1:{peer}"' for peer in ports)
        asked = '"nats://node-1:6222", "nats://node-2:6222", "nats://node-3:6222"'
        changes = [
            ("server_name: node-1", f"server_name: node-{number + 1}"),
            ('listen: "127.0.0.1:4222"', f'listen: "127.0.0.1:{free_port()}"'),
            ('http: "127.0.0.1:8222"', f'http: "127.0.0.1:{free_port()}"'),
            ("/var/lib/nats", f"{home}/store"),
            ('"0.0.0.0:1883"', f'"127.0.0.1:{mqtt}"'),
            ('"0.0.0.0:6222"', f'"127.0.0.1:{route}"'),
            (asked, routes),
            *([("  sync_interval: always\n", "")] if lazy else []),
            *([("stream_replicas: 3", "stream_replicas: 1")] if count == 1 else []),
        ]
        own = changed(text, changes)
        (home / "nats.conf").write_text(own[: own.index("cluster {")] if count == 1 else own)
        nodes.append(
            BrokerNode(mqtt, [str(NATS), "-c", str(home / "nats.conf"), "-l", str(home / "nats.log")], dict(os.environ))
        )
    return nodes


def artemis(folder: Path, count: int = 1) -> list[BrokerNode]:
    """Nodes on one journal, of which the first to have its lock is at work."""
    text = (DEPLOYED / "brokers/artemis/broker.xml").read_text()
    ports = [(free_port(), free_port()) for _ in range(max(2, count))]
    nodes = []
    for number in range(count):
        home, (core, mqtt), (other, _) = folder / f"artemis-{number}", ports[number], ports[1 - number]
        words = (
            "--user a --password b --allow-anonymous --silent --no-autotune --no-web --no-amqp-acceptor "
            "--no-hornetq-acceptor --no-stomp-acceptor --no-mqtt-acceptor --java-memory 512M"
        )
        subprocess.run(
            [str(ARTEMIS), "create", str(home), *words.split()], check=True, capture_output=True, timeout=300
        )
        changes = [
            ("<name>node-1", f"<name>node-{number + 1}"),
            ("/var/lib/artemis/shared", f"{folder}/artemis-shared"),
            ("tcp://node-1:61616", f"tcp://127.0.0.1:{core}"),
            ("tcp://node-2:61616", f"tcp://127.0.0.1:{other}"),
            ("tcp://node-1:1883", f"tcp://127.0.0.1:{mqtt}"),
        ]
        own = changed(text, changes)
        if number:
            primary = "<primary><failover-on-shutdown>true</failover-on-shutdown></primary>"
            then = "<failover-on-shutdown>true</failover-on-shutdown><allow-failback>false</allow-failback>"
            backup = f"<backup>{then}</backup>"
            own = changed(own, [(primary, backup)])
        (home / "etc/broker.xml").write_text(own)
        nodes.append(BrokerNode(mqtt, [str(home / "bin/artemis"), "run"], dict(os.environ)))
    return nodes


MAKES: dict[str, tuple[Callable[[Path], list[BrokerNode]], object]] = {
    "mosquitto": (mosquitto, MOSQUITTO),
    "nats": (lambda folder: nats(folder, 3), NATS),
    "nats, lazy fsync": (lambda folder: nats(folder, 3, lazy=True), NATS),
    "rabbitmq": (lambda folder: rabbitmq(folder, 3), RABBITMQ),
    "rabbitmq, classic queues": (lambda folder: rabbitmq(folder, 3, classic=True), RABBITMQ),
    "artemis": (lambda folder: artemis(folder, 2), ARTEMIS),
}
"""How to make the nodes of each, and what is None where it is not installed."""


def started(nodes: list[BrokerNode]) -> list[BrokerNode]:
    """All of them, of which one at least listens (a node that waits for another one's lock does not)."""
    for node in nodes:
        node.start()
        until(lambda: any(map(hears, nodes)), what="a broker listening")
    return nodes


def hears(node: BrokerNode) -> bool:
    try:
        return node.listening()
    except OSError:
        return False
