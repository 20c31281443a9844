"""`yizhan bridge` as an operator runs it: a process, a broker, a gateway, boards on pseudo-terminals."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.emulator.serial.board import Board
from firmware_bridge.emulator.serial.osdp_reader import OsdpReader
from firmware_bridge.emulator.serial.wire import Cable, Machine, Talker
from firmware_bridge.frames import line, packet
from firmware_bridge.spool import Spool
from firmware_bridge.spool_file import FILE
from tests import product
from tests.conftest import Mosquitto
from tests.patience import promptly, until

pytestmark = [pytest.mark.broker, pytest.mark.e2e]
PLANTED = "11010519491231002X"


class Box:
    """One station box: configuration, processes, and what the gateway has stored in the end."""

    def __init__(self, folder: Path, broker: Mosquitto, buses: list[dict[str, Any]], **bridge: Any) -> None:
        self.folder, self.broker = folder, broker
        self._config = folder / "config.yaml"
        self._running: dict[str, product.Process] = {}
        resources = [{"id": "seat-01", "kind": "room"}, {"id": "door-1", "kind": "door"}]
        area = {"id": "a", "name": {"zh": "区"}, "resources": resources}
        settings = {
            "mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}", "keepalive_s": 5},
            "store": {"path": "data"},
            "gateway": {"metrics_listen": "127.0.0.1:0", "ack_interval_s": 1},
            "stations": [{"id": "s1", "name": {"zh": "站"}, "areas": [area]}],
            "bridge": {"station": "s1", "id": "box-1", "spool": {"path": "spool"}, "buses": buses, **bridge},
        }  # fmt: skip
        self._config.write_text(json.dumps(settings))

    def start(self, command: str) -> product.Process:
        with (self.folder / f"{command}.log").open("ab") as log:
            child = product.start(command, "--config", str(self._config), stderr=log)
        self._running[command] = child
        return child

    @property
    def config(self) -> Path:
        return self._config

    def write_buses(self, buses: list[dict[str, Any]]) -> None:
        settings = json.loads(self._config.read_text())
        settings["bridge"]["buses"] = buses
        self._config.write_text(json.dumps(settings))

    def kill(self, command: str) -> None:
        child = self._running.pop(command)
        child.kill()
        child.wait()

    def stop(self) -> None:
        for child in self._running.values():
            child.send_signal(signal.SIGTERM)
        for child in self._running.values():
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()

    def held(self) -> int:
        """Messages that the gateway has not confirmed."""
        spool = Spool(self.folder / "spool", 1 << 30)
        count = sum(len(spool.after(device, 0, 1 << 20)) for device in spool.devices())
        spool.close()
        return count

    def exported(self) -> list[dict[str, Any]]:
        done = product.run("export", "--config", str(self._config))
        done.check_returncode()
        return [json.loads(row) for row in done.stdout.splitlines()]


@pytest.fixture
def box(tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]) -> Iterator[Callable[..., Box]]:
    made: list[Box] = []

    def make(buses: list[dict[str, Any]], **bridge: Any) -> Box:
        made.append(Box(tmp_path, mosquitto_of(), buses, **bridge))
        return made[-1]

    yield make
    for running in made:
        running.stop()


def survive(box: Callable[..., Box], tmp_path: Path, kills: int, patience_s: float) -> None:
    board = Board("seat-01")
    cable = Cable(tmp_path / "tty", board, baud=115_200, tick_s=0.01).start()
    chance = random.Random(kills)
    station = box([{"id": "lobby", "port": str(cable.path), "baud": 115_200, "protocol": "yizhan"}])
    try:
        station.start("gateway")
        station.start("bridge")
        until(lambda: len(board.confirmed) > 5)
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 1.0))
            station.kill("bridge")
            station.start("bridge")
            time.sleep(chance.uniform(0.2, 1.0))
            station.broker.kill()
            station.broker.start()
        board.limit = board.count
        until(board.link.idle)
        until(lambda: station.held() == 0, patience_s=patience_s)
    finally:
        station.stop()
        cable.stop()
    stored = [row["data"]["people"] for row in station.exported() if "people" in row["data"]]
    assert sorted(stored) == list(range(1, board.count + 1))
    assert set(board.confirmed) <= set(stored)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_the_bridge_confirmed_is_stored_once_though_bridge_and_broker_are_killed(
    box: Callable[..., Box], tmp_path: Path
) -> None:
    survive(box, tmp_path, 2, 300)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_thirty_kills_of_the_bridge_and_thirty_of_the_broker_lose_and_double_nothing(
    box: Callable[..., Box], tmp_path: Path
) -> None:
    survive(box, tmp_path, 30, 300)


def test_it_stops_cleanly_and_says_goodbye_for_all_its_devices(box: Callable[..., Box], tmp_path: Path) -> None:
    from gateway.mqtt import Broker, Session

    cable = Cable(tmp_path / "tty", Board("seat-01"), baud=115_200).start()
    station = box([{"id": "lobby", "port": str(cable.path), "baud": 115_200, "protocol": "yizhan"}])
    watch = Session(Broker("127.0.0.1", station.broker.port), "watch", filters=["yz/#"], keep=False)
    told: dict[str, list[str]] = {}

    def look() -> dict[str, list[str]]:
        arrivals = watch.poll(0.05)
        for topic, payload, _ in arrivals.frames if arrivals else ():
            if topic.endswith(b"/availability"):
                told.setdefault(topic.decode(), []).append(json.loads(payload)["state"])
        return told

    try:
        until(lambda: look() is not None and watch.subscribed)
        child = station.start("bridge")
        wanted = {"yz/s1/box-1/availability": ["online"], "yz/s1/seat-01/availability": ["online"]}
        until(lambda: look() == wanted)
        begin = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
        assert promptly(begin, 5)
        until(lambda: all(states[-1] == "offline" for states in look().values()))
        killed = station.start("bridge")
        until(lambda: look()["yz/s1/box-1/availability"][-1] == "online")
        killed.kill()
        killed.wait()
        until(lambda: look()["yz/s1/box-1/availability"][-1] == "offline")  # the last will
    finally:
        cable.stop()
        watch.close()


def test_buses_come_and_go_by_a_reload_and_the_others_go_on(box: Callable[..., Box], tmp_path: Path) -> None:
    from gateway.mqtt import Broker, Session

    cables = {name: Cable(tmp_path / f"tty-{name}", Board(name), baud=115_200).start() for name in ("one", "two")}
    buses = {
        name: {"id": name, "port": str(cable.path), "baud": 115_200, "protocol": "yizhan", "device": name}
        for name, cable in cables.items()
    }
    station = box([buses["one"]])
    watch = Session(Broker("127.0.0.1", station.broker.port), "watch", filters=["yz/#"], keep=False)
    told: dict[str, list[str]] = {}

    def look(name: str) -> list[str]:
        arrivals = watch.poll(0.05)
        for topic, payload, _ in arrivals.frames if arrivals else ():
            if topic.endswith(b"/availability"):
                state = json.loads(payload)["state"] if payload else "cleared"
                told.setdefault(topic.decode().split("/")[2], []).append(state)
        return told.get(name, [])

    def reload() -> str:
        done = product.run("reload", "--config", str(station.config))
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        until(lambda: look("") is not None and watch.subscribed)
        child = station.start("bridge")
        until(lambda: look("one") == ["online"])
        station.write_buses([buses["one"], buses["two"]])
        assert reload().startswith("bridge-")
        until(lambda: look("two") == ["online"])
        station.write_buses([buses["one"]])
        child.send_signal(signal.SIGHUP)
        until(lambda: look("two")[-2:] == ["offline", "cleared"])
        station.write_buses([buses["one"] | {"protocol": "nonsense"}])
        child.send_signal(signal.SIGHUP)
        until(lambda: b"nothing has changed" in (tmp_path / "bridge.log").read_bytes())
        assert (look("one"), child.poll()) == (["online"], None)
    finally:
        for cable in cables.values():
            cable.stop()
        watch.close()


def test_a_planted_identity_number_at_every_reader_is_in_no_topic_file_or_log(
    box: Callable[..., Box], tmp_path: Path
) -> None:
    from gateway.mqtt import Broker, Session

    key = tmp_path / "card_key"
    key.write_text(bytes(range(32)).hex())
    key.chmod(0o600)
    raw = PLANTED.encode()
    bodies = [
        b'{"v":1,"id":"door-1","seq":1,"ev":"card","card":"%b"}', b'{"v":1,"id":"door-1","seq":2,"err":"%b"}',
        b'{"v":1,"id":"door-1","seq":3,"fw":"%b"}', b'{"v":1,"id":"%b","seq":4,"occ":1}',
        b'{"v":1,"id":"door-1","seq":5,"ev":"%b"}', b'{"v":1,"id":"door-1","seq":6,"st":"%b"}',
        b'{"v":1,"id":"door-1","seq":7,"occ":1,"more":"%b"}',
    ]  # fmt: skip
    spoken = b"".join(line.seal(body % raw) for body in bodies) + raw + b"\n"
    packed = packet.seal(packet.Packet(packet.JSON, 1, b'{"ev":"card","card":"%b"}' % raw))
    reply = bytes.fromhex("AAAAAA9669 0508 0000 90") + raw.ljust(1_284, b"\0")
    osdp = OsdpReader(1)
    machines: dict[str, Machine] = {
        "yizhan": Talker(0.3, lambda: spoken), "yizhan-cobs": Talker(0.3, lambda: b"\0" + packed),
        "serial-card": Talker(0.3, lambda: raw + b"\r\n\x02" + raw + b"\x03A"),
        "wiegand": Talker(0.3, lambda: raw + b"\r"),
        "sdt": Talker(0.3, lambda: reply), "osdp": osdp, "ap3000": Talker(0.3, lambda: raw),
    }  # fmt: skip
    cables = [Cable(tmp_path / f"tty-{name}", machine).start() for name, machine in machines.items()]
    buses = [
        {"id": name, "port": str(tmp_path / f"tty-{name}"), "protocol": name, "device": "x-" + name}
        for name in machines
    ]
    buses[0].pop("device")
    station = box(buses, card_key_file=str(key))
    watch = Session(Broker("127.0.0.1", station.broker.port), "watch", filters=["#"], keep=False)
    seen: list[bytes] = []

    def look() -> list[bytes]:
        arrivals = watch.poll(0.05)
        seen.extend(topic + b" " + payload for topic, payload, _ in (arrivals.frames if arrivals else ()))
        return seen

    try:
        station.start("gateway")
        station.start("bridge")
        until(lambda: any(b"x-osdp/availability" in message and b"online" in message for message in look()))
        osdp.present("".join(f"{byte:08b}" for byte in raw[:16]))
        until(lambda: any(b"x-osdp/event" in message for message in look()))
        until(lambda: any(b"door-1/event" in message for message in look()))
        limits = Path(f"/proc/{station._running['bridge'].pid}/limits").read_text()
        assert "Max core file size 0 0 bytes" in " ".join(limits.split())
    finally:
        station.stop()
        watch.close()
        for cable in cables:
            cable.stop()
    assert sum(b'"card":"' in message for message in seen) >= 2
    assert not [message for message in seen if raw in message.upper()]
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "config.yaml":
            assert raw not in path.read_bytes(), path
    assert (tmp_path / "spool" / FILE).exists()


def test_the_bridge_loads_no_web_server_and_no_protocol_it_does_not_speak(tmp_path: Path) -> None:
    program = (
        "import sys\nimport api.commands.bridge\nimport firmware_bridge.runtime\n"
        "from config.schema.bridge import BusSettings\n"
        "from firmware_bridge import protocols\nfrom firmware_bridge.door import Doors, Rules\n"
        "protocols.build(BusSettings.model_validate({'id': 'b', 'port': 'x', 'protocol': 'yizhan'}), Doors(Rules()))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    loaded = set(done.stdout.split())
    assert not loaded & {"uvicorn", "fastapi", "starlette", "pymodbus", "osdp_sys", "aio_ld2410", "influxdb_client"}


@pytest.mark.parametrize(
    ("bus", "word"),
    [
        ({"protocol": "wiegand", "device": "d"}, b"card_key_file"),
        ({"protocol": "dlt645", "devices": [{"device": "a"}, {"device": "b"}]}, b"address"),
    ],
)
def test_what_a_bus_lacks_is_told_before_anything_starts(
    box: Callable[..., Box], tmp_path: Path, bus: dict[str, Any], word: bytes
) -> None:
    station = box([{"id": "b", "port": "/dev/x", **bus}])
    assert station.start("bridge").wait(60) == 2
    assert word in (tmp_path / "bridge.log").read_bytes()
