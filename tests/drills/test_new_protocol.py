"""A new protocol of a bus is one file: copied from its template, its device is on the broker and in the probe."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_bridge.emulator.serial.wire import Cable, Talker
from tests.conftest import Mosquitto
from tests.drills.house import GrownHouse, grown
from tests.e2e.rig import Yizhan

pytestmark = [pytest.mark.broker, pytest.mark.e2e]
OCCUPIED = bytes.fromhex("F001F1")
PROBE = """
import sys
from firmware_bridge.probe import probe
class Info:
    vid = pid = serial_number = None
    description = "a line"
    device = sys.argv[1]
print(*probe([Info()], listen_s=0.3), sep="\\n")
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> GrownHouse:
    return grown(tmp_path_factory.mktemp("house"), "firmware_bridge/protocols/_template.py", "toy_sensor.py")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Path]:
    """A line on which a toy sensor says again and again that somebody is there, with garbage between."""
    cable = Cable(tmp_path / "tty", Talker(0.05, lambda: b"\x00\xf0" + OCCUPIED)).start()
    yield cable.path
    cable.stop()


def configuration(folder: Path, line: Path, mqtt: int, **bus: object) -> None:
    bus = {"id": "lobby", "port": str(line), "protocol": "toy-sensor", **bus}
    bridge = {"station": "s1", "id": "box-1", "spool": {"path": "spool"}, "buses": [bus]}
    text = json.dumps({"mqtt": {"url": f"mqtt://127.0.0.1:{mqtt}"}, "store": {"path": "data"}, "bridge": bridge})
    (folder / "yizhan.yaml").write_text(text, encoding="utf-8")


def test_a_protocol_copied_from_the_template_brings_readings_to_the_broker(
    house: GrownHouse, line: Path, tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    broker = mosquitto_of()
    configuration(tmp_path, line, broker.port, device="seat-01")
    command = ["mosquitto_sub", "-p", str(broker.port), "-t", "yz/s1/seat-01/state", "-C", "1", "-W", "60"]
    listener = subprocess.Popen(command, stdout=subprocess.PIPE)
    with Yizhan(tmp_path, "bridge", "--config", "yizhan.yaml", env=house.environment):
        said = json.loads(listener.communicate()[0])
    assert said["occupied"] is True


def test_what_its_bus_lacks_is_told_with_the_line(house: GrownHouse, line: Path, tmp_path: Path) -> None:
    configuration(tmp_path, line, 1)
    told = house.yizhan("check", "--config", "yizhan.yaml", cwd=tmp_path)
    assert told.returncode == 2
    assert (
        told.stdout
        == "yizhan.yaml:1: bridge.buses.0: names no device; add device:, or devices: where several share the bus\n"
    )


def test_the_probe_recognizes_it(house: GrownHouse, line: Path) -> None:
    done = house.python(PROBE, str(line))
    assert f"port: {line}, baud: 9600, protocol: toy-sensor}}" in done.stdout, done.stderr
