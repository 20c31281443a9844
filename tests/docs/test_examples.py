"""What stands in docs/examples works against the product."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.base.clock import now_ms
from tests.api.conftest import House, serving
from tests.api.documents import document, line, resource
from tests.patience import until
from tests.ports import free_port

EXAMPLES = Path("docs/examples")
NODE = shutil.which("node")
RECEIVERS = [
    pytest.param([sys.executable, str(EXAMPLES / "receiver.py")], id="python"),
    pytest.param(
        [NODE or "", str(EXAMPLES / "receiver.mjs")], id="node",
        marks=pytest.mark.skipif(NODE is None, reason="left out: there is no node"),
    ),
]  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    for house in serving(tmp_path, subscriptions_allow_private=True):
        house.clock.now = now_ms()
        yield house


def show(house: House, use: str = "free") -> None:
    now = house.clock.now
    shown = [resource("seat-01", use=use, until=now + 60_000), resource("seat-02", evidence="never")]
    free = int(use == "free")
    house.view.feed_threadsafe([document("yanshan", shown, [line("seat", 2, free, free + 1)], now)])


@pytest.mark.parametrize("command", RECEIVERS)
def test_a_receiver_takes_what_we_sign_and_nothing_else(house: House, command: list[str]) -> None:
    port, now = free_port(), house.clock.now
    url = f"http://127.0.0.1:{port}/hook"
    key = house.app.context.keyring.create("app", "app", now)
    body = {"url": url, "events": ["availability"], "stations": ["yanshan"]}
    made = house.client.post("/api/v1/subscriptions", json=body, headers={"authorization": f"Bearer {key}"})
    secret = made.json()["secret"]
    receiver = subprocess.Popen([*command, str(port), secret], stdout=subprocess.PIPE, text=True)
    try:
        forged = {"webhook-id": "x", "webhook-timestamp": str(now // 1000), "webhook-signature": "v1,AAAA"}
        answer = until(lambda: _posted(url, forged), "the receiver listening")
        assert answer.status_code == 401
        assert receiver.stdout is not None
        show(house)
        assert receiver.stdout.readline().startswith("yanshan: seat 1-2/2 until ")
        show(house, "occupied")
        assert receiver.stdout.readline().startswith("yanshan: seat 0-1/2 until ")
    finally:
        receiver.kill()
        receiver.wait()
        assert receiver.stdout is not None
        receiver.stdout.close()


def _posted(url: str, headers: dict[str, str]) -> httpx.Response | None:
    try:
        return httpx.post(url, content=b"{}", headers=headers)
    except httpx.TransportError:
        return None


@pytest.mark.skipif(NODE is None, reason="left out: there is no node")
def test_the_page_of_the_mini_program_says_no_more_than_the_document(house: House) -> None:
    show(house)
    command = [NODE or "", "tests/docs/mini_program.mjs", house.url, "yanshan"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    live, over = json.loads(done.stdout)
    assert live["name"] == "yanshan"
    assert live["rows"] == [{"key": "seat:", "name": "座位", "text": "至少 1", "usable": "yes"}]
    assert over["rows"] == [{"key": "seat:", "name": "座位", "text": "未知", "usable": "unknown"}]
    assert over["open"] == "是否开放不详"
