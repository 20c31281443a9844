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
    ("subscribed", "code", "word"), [(True, 200, "ready"), (False, 503, "not ready")], ids=["granted", "not granted"]
)
def test_a_gateway_is_ready_only_when_its_subscriptions_are_granted(subscribed: bool, code: int, word: str) -> None:
    status = Status(connected=True, subscribed=subscribed, store_ok=True, troubles=("x",), started_at=0)
    server = MetricsServer("127.0.0.1", 0, no_metrics, lambda: status)
    server.start()
    try:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            assert (answer.code, json.load(answer)) == (code, {"status": word, "trouble": ["x"]})
    finally:
        server.stop()
