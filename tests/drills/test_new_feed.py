"""A new feed is one file: copied from its template, it is a route that says no more than the documents do."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message

import pytest

from tests.drills.house import GrownHouse, grown
from tests.e2e.rig import Yizhan, free_port, get, until

pytestmark = [pytest.mark.e2e]
CONFIG = """\
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
stations:
  - id: yanshan
    name: {{zh: 雁山驿站, en: Yanshan}}
    hours: "24/7"
    areas: [{{id: hall, resources: [{{id: seat-01, kind: seat}}]}}]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> GrownHouse:
    return grown(tmp_path_factory.mktemp("house"), "api/feeds/_template.py", "toy.py")


@pytest.fixture(scope="module")
def http(house: GrownHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, port = tmp_path_factory.mktemp("box"), free_port()
    (folder / "yizhan.yaml").write_text(CONFIG.format(mqtt=free_port(), http=port), encoding="utf-8")
    with Yizhan(folder, "up", "--config", "yizhan.yaml", env=house.environment) as running:
        until(lambda: running.child.poll() is not None or get(port, "/readyz")["status"] == "ready")
        yield port


def ask(port: int, query: str = "", **headers: str) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/feeds/toy.json{query}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_feed_copied_from_the_template_is_answered(http: int) -> None:
    status, headers, body = ask(http, "?lang=en")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert headers["access-control-allow-origin"] == "*"
    assert json.loads(body) == [{"id": "yanshan", "name": "Yanshan", "open": "yes", "usable": 0}]


def test_an_answer_that_somebody_has_is_not_sent_again(http: int) -> None:
    _, headers, _ = ask(http)
    status, _, body = ask(http, **{"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_a_query_that_it_cannot_take_is_told(http: int) -> None:
    status, _, body = ask(http, "?lang=fr")
    assert status == 422
    assert "lang" in body.decode()


def test_it_stands_in_the_document_of_the_api(http: int) -> None:
    assert "/feeds/toy.json" in get(http, "/openapi.json")["paths"]
