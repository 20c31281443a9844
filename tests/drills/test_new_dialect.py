"""A new dialect is one file: copied from its template, its device is discovered, configured and believed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Mosquitto
from tests.drills.house import GrownHouse, grown
from tests.e2e.rig import Yizhan, free_port, get, publish, resource, until

pytestmark = [
    pytest.mark.broker,
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto is not installed"),
]
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
gateway: {{restart_grace_s: 0}}
api: {{listen: "127.0.0.1:{http}"}}
stations:
  - id: yanshan
    name: {{zh: 雁山驿站}}
    hours: "24/7"
    areas: [{{id: hall, resources: [{{id: seat-01, kind: seat, source: {{dialect: toy, topic: toy/sofa}}}}]}}]
"""
DISCOVER = """
from gateway.dialects.discover import DiscoveryListener
listener = DiscoveryListener()
listener.hear("toy/sofa", b'{"motion": true, "battery": 81}')
listener.hear("toy/sofa/noise", b'{"occupancy": true}')
print(*(line for finding in listener.findings() for line in finding.lines), sep="\\n")
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> GrownHouse:
    return grown(tmp_path_factory.mktemp("house"), "gateway/dialects/_template.py", "toy.py")


def test_a_dialect_copied_from_the_template_feeds_a_resource(
    house: GrownHouse, tmp_path: Path, mosquitto_of: Callable[..., Mosquitto]
) -> None:
    mqtt, http = mosquitto_of().port, free_port()
    (tmp_path / "yizhan.yaml").write_text(CONFIG.format(mqtt=mqtt, http=http), encoding="utf-8")
    with Yizhan(tmp_path, "up", "--config", "yizhan.yaml", env=house.environment) as running:
        until(lambda: running.child.poll() is not None or get(http, "/readyz")["status"] == "ready")

        def seat() -> dict[str, object]:
            told: dict[str, object] = resource(get(http, "/api/v1/stations/yanshan"), "seat-01")
            return told

        publish(mqtt, "toy/sofa", '{"motion": true, "battery": 81}')
        until(lambda: (seat()["use"], seat()["evidence"]) == ("occupied", "live"))
        publish(mqtt, "toy/sofa/online", "offline")
        until(lambda: seat()["evidence"] == "offline")


def test_it_is_discovered_with_a_line_for_the_configuration(house: GrownHouse) -> None:
    done = house.python(DISCOVER)
    seats = [line for line in done.stdout.splitlines() if "kind: seat" in line]
    assert len(seats) == 1, done.stderr
    assert seats[0].endswith("source: {dialect: toy, topic: toy/sofa}}")
    assert "toy/sofa/noise" not in done.stdout  # nobody else speaks there
