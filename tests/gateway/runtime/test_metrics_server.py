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
    server = MetricsServer("127.0.0.1", 0, no_metrics, lambda: status)
    server.start()
    try:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            assert (answer.code, json.load(answer)) == (
                code,
                {"status": word, "trouble": ["x", *([degraded] if degraded else [])]},
            )
    finally:
        server.stop()
