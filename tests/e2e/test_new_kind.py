"""One file makes a kind: copied from the template, a shower is on every face of the product."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pages.chromium import CHROMIUM, Chromium
from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, resource
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(not (MOSQUITTO and CHROMIUM), reason="mosquitto or chromium is not installed"),
]
ROOT = Path(__file__).parents[2]
BOXES: dict[int, Path] = {}  # by its HTTP port, the configuration of a box
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
homeassistant: {{announce: true}}
stations:
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站}}
    hours: "24/7"
    areas:
      - id: bath
        resources:
          - {{id: shower-01, kind: shower}}
          - {{id: shower-02, kind: shower, source: {{dialect: zigbee2mqtt, topic: zigbee2mqtt/shower}}}}
          - {{id: seat-01, kind: seat}}
"""
IN_PYTHON = """
import json
from config.kinds import SPECS
from gateway.dialects.discover import DiscoveryListener
from gateway.influx.lines import Lines
from gateway.model import Resource
listener = DiscoveryListener()
listener.hear("zigbee2mqtt/shower", b'{"occupancy": true}')
shower = Resource("yanshan", "bath", "shower-01", "shower", "shower-01")
print(json.dumps({
    "discovered": [line for finding in listener.findings() for line in finding.lines],
    "copied": Lines([shower]).of(b"yz/yanshan/shower-01/state", b'{"ts": 1, "seq": 1, "occupied": true}', 1, 0),
}))
"""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The house with one file more."""
    house = tmp_path_factory.mktemp("house")
    for room in ("config", "gateway", "firmware_bridge", "api"):
        shutil.copytree(ROOT / room, house / room)  # with what Python has compiled of it
    shutil.copy(house / "config/kinds/_template.py", house / "config/kinds/shower.py")
    return house


@pytest.fixture(scope="module")
def product(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Its HTTP port and that of its broker; the first shower is free, the second taken."""
    folder, http = tmp_path_factory.mktemp("box"), free_port()
    environment = {"PYTHONPATH": str(grown)}
    with mosquitto(folder) as mqtt:
        BOXES[http] = folder / "yizhan.yaml"
        BOXES[http].write_text(CONFIG.format(http=http, mqtt=mqtt))
        with Yizhan(folder, "up", "--config", "yizhan.yaml", env=environment) as running:
            until(lambda: running.child.poll() is not None or get(http, "/readyz")["status"] == "ready")
            publish(mqtt, "yz/yanshan/shower-01/state", '{"occupied": false}')
            publish(mqtt, "zigbee2mqtt/shower", '{"occupancy": true}')
            until(lambda: resource(get(http, "/api/v1/stations/yanshan"), "shower-02")["use"] == "occupied")
            yield http, mqtt


def test_it_is_a_kind_of_the_document_and_of_the_list(product: tuple[int, int]) -> None:
    http, _ = product
    document = get(http, "/api/v1/stations/yanshan")
    free, taken = resource(document, "shower-01"), resource(document, "shower-02")
    assert (free["kind"], free["usable"], free["use"]) == ("shower", "yes", "free")
    assert (taken["usable"], taken["because"]) == ("no", ["occupied"])
    assert {"kind": "shower", "type": None, "total": 2, "usable_min": 1, "usable_max": 1} in document["summary"]
    assert [row["station"] for row in get(http, "/api/v1/stations?usable=shower")["stations"]] == ["yanshan"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/screen/yanshan", "[data-kind=shower]"),
        ("/m/yanshan", "[data-kind=shower]"),
        ("/stations/yanshan", "[data-resource=shower-01]"),
        ("/", "[data-kind=shower]"),
    ],
)
def test_it_is_on_every_page_by_its_own_name(
    product: tuple[int, int], chromium: Chromium, path: str, shown: str
) -> None:
    with closing(chromium.open(f"http://127.0.0.1:{product[0]}{path}?lang=zh", 1440, 900)) as page:
        page.wait(f"document.querySelector('{shown}') !== null")
        page.wait("document.body.innerText.includes('淋浴间')")
        page.wait(f"document.querySelector('{shown}').dataset.usable === 'yes' || {shown!r}.includes('resource')")
        assert page.errors == []


def test_it_is_in_the_report_and_in_tables(product: tuple[int, int], grown: Path) -> None:
    http, _ = product
    words = ["keys", "create", "--config", str(BOXES[http]), "--role", "viewer", "--name", "v"]
    program = [str(Path(sys.executable).with_name("yizhan")), *words]
    environment = {**os.environ, "PYTHONPATH": str(grown)}
    made = subprocess.run(program, capture_output=True, text=True, env=environment, cwd=BOXES[http].parent, check=True)
    key = made.stdout.split()[-1]
    report = _text(http, "/stations/yanshan/report?lang=zh", key)
    assert "2 号淋浴间" in report
    table = _text(http, "/api/v1/stations/yanshan/history?resource=shower-01&format=csv", key)
    assert "occupied" in table or "free" in table


def test_home_assistant_is_told_of_it(product: tuple[int, int], tmp_path: Path) -> None:
    _, mqtt = product
    command = ["mosquitto_sub", "-p", str(mqtt), "-t", "homeassistant/device/+/config", "-C", "1", "-W", "10"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE_S).stdout)
    assert said["components"]["shower-01"]["icon"] == "mdi:shower"


def test_it_is_discovered_and_copied(grown: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(grown)}
    done = subprocess.run(
        [sys.executable, "-c", IN_PYTHON], capture_output=True, text=True, env=environment, cwd=grown, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    assert any("kind: shower" in line for line in told["discovered"])
    assert told["copied"] == ["shower,resource=shower-01,station=yanshan occupied=1 1000001"]


def _text(port: int, path: str, key: str) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())
