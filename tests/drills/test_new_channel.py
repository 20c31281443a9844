"""A new kind of channel is one file: copied from its template, it takes alerts."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.drills.house import GrownHouse, grown
from tests.gateway.notify.stub import Answer, Provider

pytestmark = [pytest.mark.e2e]
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:1"}}
store: {{path: data, ballast_mib: 0}}
stations: [{{id: yanshan, name: {{zh: 雁山驿站}}, hours: "24/7", areas: []}}]
alerts: {{channels: [{channels}]}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> GrownHouse:
    return grown(tmp_path_factory.mktemp("house"), "gateway/notify/channels/_template.py", "toy.py")


ANSWERS = {
    "taken": (Answer(200, {"ok": True}), "channel taken: took the test message"),
    "refused": (Answer(200, {"error": "no such room"}), "channel refused: 127.0.0.1: no such room"),
    "away": (Answer(503), "channel away: 127.0.0.1: HTTP 503"),
}


def test_a_channel_copied_from_the_template_is_configured_and_delivers(house: GrownHouse, tmp_path: Path) -> None:
    with ExitStack() as running:
        providers = {name: running.enter_context(Provider(answer).running()) for name, (answer, _) in ANSWERS.items()}
        channels = (
            f'{{id: {name}, kind: toy, url: "{provider.url}/hook", allow_private: true}}'
            for name, provider in providers.items()
        )
        (tmp_path / "yizhan.yaml").write_text(CONFIG.format(channels=", ".join(channels)), encoding="utf-8")
        checked = house.yizhan("check", "--config", "yizhan.yaml", cwd=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        said = house.yizhan("doctor", "--config", "yizhan.yaml", "--send-test", cwd=tmp_path).stdout
    for name, (_, told) in ANSWERS.items():
        assert told in said
        [request] = providers[name].requests
        assert "驿站" in request.json["text"]
