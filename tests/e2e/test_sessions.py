"""Sessions and failed log-ins where the gateway and two APIs are processes of their own beside one store."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, get, mosquitto, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.slow,
    pytest.mark.skipif(not (MOSQUITTO and shutil.which("mosquitto_pub")), reason="mosquitto is not installed"),
]
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: {store}, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
alerts: {{raise_delay_s: 0}}
stations:
  - {{id: yanshan, areas: [{{id: hall, resources: [{{id: seat-01, kind: seat}}]}}]}}
"""


def test_what_ends_in_one_process_ends_in_the_other_and_many_failures_are_an_alert(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with mosquitto(tmp_path) as mqtt:
        for name, http in zip(("one", "two"), ports, strict=True):
            text = CONFIG.format(mqtt=mqtt, http=http, store=tmp_path / "data")
            (tmp_path / f"{name}.yaml").write_text(text)
        words = ("keys", "create", "--config", "one.yaml", "--role", "viewer", "--name", "Li")
        key = yizhan(tmp_path, *words).stdout.split()[-1]
        with (
            Yizhan(tmp_path, "gateway", "--config", "one.yaml"),
            Yizhan(tmp_path, "api", "--config", "one.yaml"),
            Yizhan(tmp_path, "api", "--config", "two.yaml"),
        ):
            for http in ports:
                until(lambda: get(http, "/healthz")["status"] == "ok")  # noqa: B023
            _ends_everywhere(ports, key)
            _is_told(ports[1], key)


def _ends_everywhere(ports: list[int], key: str) -> None:
    first, two = (f"http://127.0.0.1:{http}" for http in ports)
    with httpx.Client(timeout=60) as browser:
        assert browser.post(f"{first}/login", data={"key": key}).status_code == 303
        assert browser.get(f"{two}/api/v1/session").json()["name"] == "Li"
        (session,) = browser.get(f"{two}/api/v1/sessions").json()["sessions"]
        assert httpx.delete(
            f"{two}/api/v1/sessions/{session['id']}", headers={"authorization": f"Bearer {key}"}, timeout=60
        ).is_success
        assert [browser.get(f"{base}/api/v1/session").status_code for base in (first, two)] == [401, 401]


def _is_told(http: int, key: str) -> None:
    base = f"http://127.0.0.1:{http}"
    bearer = {"authorization": f"Bearer {key}"}

    def guess(_number: int) -> int:
        return httpx.post(f"{base}/login", data={"key": "wrong"}, timeout=120).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(guess, range(24))) <= {401, 429}
        right = httpx.post(f"{base}/login", data={"key": key}, timeout=60)
    assert right.status_code == 303, "a right one beside them is let in"

    def alerts() -> list[str]:
        answer = httpx.get(f"{base}/api/v1/alerts?state=open", headers=bearer, timeout=60)
        return [alert["kind"] for alert in answer.json().get("alerts", [])]

    until(lambda: "log_ins_failing" in alerts())
