"""What a gateway alone tells a supervisor."""

import json
import urllib.error
import urllib.request

import pytest

from gateway.runtime.metrics import MetricsServer
from gateway.runtime.status import Metrics, Status


def no_metrics() -> Metrics:
    raise AssertionError("nobody asked for metrics")


@pytest.mark.parametrize(
    ("subscribed", "degraded", "code", "word"),
    [
        (True, None, 200, "ready"),
        (True, "the configuration has mistakes", 200, "degraded"),
        (False, None, 503, "not ready"),
        (False, "the configuration has mistakes", 503, "not ready"),
    ],
    ids=["granted", "files with mistakes", "not granted", "neither"],
)
def test_a_gateway_is_ready_only_when_its_subscriptions_are_granted(
    subscribed: bool, degraded: str | None, code: int, word: str
) -> None:
    status = Status(
        connected=True, subscribed=subscribed, store_ok=True, troubles=("x",), started_at=0, degraded=degraded
    )
    assert asked(status, "/readyz") == (
        code,
        {"status": word, "trouble": ["x", *([degraded] if degraded else [])]},
    )


def asked(status: Status, path: str) -> tuple[int, object]:
    """Code and body that a gateway in this state answers."""
    server = MetricsServer("127.0.0.1", 0, no_metrics, lambda: status)
    server.start()
    try:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.code, json.load(answer)
    finally:
        server.stop()


def test_a_gateway_whose_subscriptions_are_not_granted_says_no_ok() -> None:
    words = []
    for subscribed in (True, False):
        status = Status(True, subscribed, True, (), 0)
        _, body = asked(status, "/healthz")
        words.append(body)
    assert words == [{"status": "ok", "troubles": []}, {"status": "trouble", "troubles": []}]


def test_the_address_in_use_stands_beside_the_word() -> None:
    status = Status(True, True, True, (), 0, broker="node-2:8883")
    assert asked(status, "/readyz") == (200, {"status": "ready", "trouble": [], "broker": "node-2:8883"})
