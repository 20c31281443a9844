"""The libraries of Standard Webhooks, of PyPI and of npm, verify what a running product sends."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.base.clock import now_ms
from tests.api.conftest import House, serving
from tests.api.documents import document, line, resource
from tests.api.webhooks.receiver import Hit, app_server
from tests.patience import until
from tests.readers.programs import HERE, node_readers, readers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from serving(tmp_path, subscriptions_allow_private=True)


def sent(house: House) -> tuple[str, Hit]:
    """A secret, and what was signed with it at the present time: verifiers refuse what is minutes old."""
    house.clock.now = now_ms()
    key = house.app.context.keyring.create("app", "app", house.clock.now)
    with app_server() as app:
        body = {"url": f"{app.url}/hook", "events": ["availability"], "stations": ["yanshan"]}
        made = house.client.post("/api/v1/subscriptions", json=body, headers={"authorization": f"Bearer {key}"})
        shown = document(
            "yanshan", [resource("seat", until=house.clock.now + 60_000)], [line("seat", 1, 1, 1)], house.clock.now
        )
        house.view.feed_threadsafe([shown])
        until(lambda: app.hits, "what was subscribed to")
        return str(made.json()["secret"]), app.hits[0]


def python(given: str) -> str:
    command = [str(readers() / "python"), str(HERE / "verify.py")]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=True).stdout


def node(given: str) -> str:
    node_readers()
    command = ["node", str(HERE / "verify.mjs")]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("verified", [python, node])
def test_a_library_verifies_what_we_sign_and_refuses_what_was_changed(
    house: House, verified: Callable[[str], str]
) -> None:
    secret, hit = sent(house)
    text = hit.body.decode()
    given = {"secret": secret, "body": text, "headers": hit.headers}
    assert verified(json.dumps(given)) == "right"
    assert verified(json.dumps(given | {"body": text.replace("free", "fr3e")})).startswith("wrong")
    assert verified(json.dumps(given | {"headers": hit.headers | {"webhook-id": "msg_other"}})).startswith("wrong")
