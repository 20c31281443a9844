"""A new kind of channel is one file: copied from its template, it takes alerts."""

from pathlib import Path

import pytest

from tests.drills.house import GrownHouse, grown
from tests.gateway.notify.stub import Answer, Provider

pytestmark = [pytest.mark.e2e]
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:1"}}
store: {{path: data, ballast_mib: 0}}
stations: [{{id: yanshan, name: {{zh: 雁山驿站}}, hours: "24/7", areas: []}}]
alerts: {{channels: [{{id: duty, kind: toy, url: "{url}", allow_private: true}}]}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> GrownHouse:
    return grown(tmp_path_factory.mktemp("house"), "gateway/notify/channels/_template.py", "toy.py")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(200, {"ok": True}), "channel duty: took the test message"),
        (Answer(200, {"error": "no such room"}), "channel duty: 127.0.0.1: no such room"),
        (Answer(503), "channel duty: 127.0.0.1: HTTP 503"),
    ],
)
def test_a_channel_copied_from_the_template_is_configured_and_delivers(
    house: GrownHouse, tmp_path: Path, answer: Answer, told: str
) -> None:
    with Provider(answer).running() as provider:
        (tmp_path / "yizhan.yaml").write_text(CONFIG.format(url=provider.url + "/hook"), encoding="utf-8")
        checked = house.yizhan("check", "--config", "yizhan.yaml", cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        said = house.yizhan("doctor", "--config", "yizhan.yaml", "--send-test", cwd=tmp_path).stdout
    assert told in said
    [request] = provider.requests
    assert "驿站" in request.json["text"]
