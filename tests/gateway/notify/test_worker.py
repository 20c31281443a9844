import threading

import pytest

from config.schema.alerts import Channel
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import InvariantError
from gateway.notify.post import Outlet, Post
from gateway.notify.trial import send_tests
from gateway.notify.worker import DeadMan, NotifyWorker
from tests.gateway.notify.samples import PLACES, delivery
from tests.gateway.notify.stub import Answer, Provider
from tests.gateway.notify.test_post import Box
from tests.gateway.notify.test_post import Channel as Taker
from tests.patience import until


def test_the_thread_sends_when_woken_and_ends_when_told() -> None:
    box, taker = Box(), Taker()
    post = Post(box, box.record, {"duty": Outlet("duty", taker)}, PLACES, now_ms)
    worker = NotifyWorker(post, now_ms)
    worker.start()
    assert worker.name == "notify"
    box.put(delivery(at=1))
    worker.wake()
    until(lambda: len(taker.got) == 1)
    assert worker.end(60)
    assert worker.failed is None


def test_a_fault_of_ours_is_told_once_and_the_thread_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    box, taker, tries = Box(), Taker(), list[None]()
    post = Post(box, box.record, {"duty": Outlet("duty", taker)}, PLACES, now_ms)
    real = post.run

    def run() -> int | None:
        tries.append(None)
        if len(tries) <= 2:
            raise TypeError("a fault of ours")
        return real()

    post.run = run  # type: ignore[method-assign]
    mishaps = Mishaps()
    worker = NotifyWorker(post, now_ms, mishaps=mishaps)
    worker.start()
    until(lambda: len(tries) == 1)
    worker.wake()
    until(lambda: len(tries) == 2)
    box.put(delivery(at=1))
    worker.wake()
    until(lambda: len(taker.got) == 1)
    assert worker.end(60)
    assert worker.failed is None
    assert caplog.text.count("the post, which is tried again: a fault of this program") == 1
    assert mishaps.take() == [(None, "TypeError")] * 2


def test_a_thread_that_dies_leaves_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    def breaks() -> int | None:
        raise InvariantError("a promise of ours does not hold")

    box = Box()
    post = Post(box, box.record, {}, PLACES, now_ms)
    post.run = breaks  # type: ignore[method-assign]
    worker = NotifyWorker(post, now_ms)
    worker.start()
    worker.join(60)
    assert isinstance(worker.failed, InvariantError)
    assert "thread notify died" in caplog.text


def test_the_dead_man_is_told_that_we_live_only_while_all_is_well(provider: Provider) -> None:
    well = threading.Event()
    well.set()
    switch = DeadMan(provider.url + "/ping", 60_000, well.is_set)
    assert switch.run(1_000_000) == 1_060_000
    assert switch.run(1_030_000) == 1_060_000
    well.clear()
    switch.run(1_060_000)
    assert [request.method for request in provider.requests] == ["GET"]


def test_a_dead_man_that_does_not_answer_is_remembered_and_forgiven(provider: Provider) -> None:
    provider.answers.append(Answer(500))
    switch = DeadMan(provider.url, 1000, lambda: True)
    switch.run(0)
    assert switch.failed is not None
    switch.run(1000)
    assert switch.failed is None


def test_a_trial_tells_what_the_provider_really_said(provider: Provider) -> None:
    provider.answers.extend(
        [Answer(200, {"errcode": 0}), Answer(200, {"errcode": 93000, "errmsg": "invalid webhook url"})]
    )
    channels = [
        Channel.model_validate({"id": name, "kind": "wecom", "url": provider.url, "allow_private": True})
        for name in ("good", "bad")
    ]
    channels.append(Channel.model_validate({"id": "empty", "kind": "wecom"}))
    results = dict(send_tests(channels, PLACES, "http://h.example/", 1000))
    assert results["good"] is None
    assert "93000" in (results["bad"] or "")
    assert "url" in (results["empty"] or "")
    content = provider.requests[0].json["markdown"]["content"]
    assert content.startswith("**🔵 【测试】雁山驿站 · 车棚 · 一号桩 · 设备失联**")
    assert "](http://h.example/)" in content
