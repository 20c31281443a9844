"""What waits for the disk, and what only seems to."""

import threading
from dataclasses import replace

import pytest

from gateway.runtime.limits import IntakeLimits
from tests.gateway.runtime.test_gateway import listener, run, settings  # noqa: F401  fixtures
from tests.patience import until

pytestmark = pytest.mark.broker


def test_what_asks_for_nothing_fills_no_inbox(run, listener):  # noqa: F811
    """Repeats with QoS 0 are neither stored nor acknowledged: however many come, the gateway stays at the broker."""
    gateway = run()
    gateway.intake.inbox.limits = replace(gateway.intake.inbox.limits, inbox_bytes=4_000, inbox_patience_s=0.2)
    payload = b'{"boot":"b","seq":1,"occupied":true,"fault":"%s"}' % (b"x" * 100)
    listener.session.publish("yz/yanshan/seat-0/state", payload, qos=1)
    listener.until(lambda: gateway.intake.stored == 1)
    for turn in range(1, 31):
        for _ in range(20):
            listener.session.publish("yz/yanshan/seat-0/state", payload, qos=0)
        listener.until(lambda heard=20 * turn: gateway.pipeline.counters["duplicate"] == heard)
        until(lambda: gateway.intake.inbox.bytes == 0)
    listener.say(0, 2)
    listener.until(lambda: gateway.intake.stored == 2)
    assert gateway.intake.pipeline.counters["duplicate"] == 600
    assert gateway.intake.pipeline.counters["overflows"] == 0


def test_repeats_that_wait_to_be_acknowledged_fill_it_like_others(run, listener, monkeypatch):  # noqa: F811
    gateway = run()
    monkeypatch.setattr(gateway.intake.inbox, "limits", IntakeLimits(inbox_messages=50, inbox_patience_s=600))
    gate, commit = threading.Event(), gateway.store.commit
    monkeypatch.setattr(
        gateway.store, "commit", lambda batch, *more: (not batch.payloads or gate.wait(600)) and commit(batch, *more)
    )
    listener.say(0, 1)
    listener.until(
        lambda: gateway.intake.committing.busy is not None and len(gateway.intake.committing.busy.outcome.batch) == 1
    )
    for _ in range(200):
        listener.say(0, 1)
        listener.poll()
    listener.until(lambda: gateway.pipeline.counters["overflows"] == 1)
    gate.set()
    listener.until(lambda: gateway.pipeline.counters["duplicate"] == 200)
    assert (gateway.session.epoch, gateway.session.reconnects) == (1, 0)
