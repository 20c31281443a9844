"""A robot that answers everything but yes, then yes: nothing is lost, and nothing passes for delivered before."""

import pytest

from config.schema.alerts import Channel
from gateway.notify.channels import sender_of
from gateway.notify.post import Outlet, Post
from tests.gateway.notify.samples import PLACES, T0, delivery
from tests.gateway.notify.stub import Answer, Provider
from tests.gateway.notify.test_post import Box

OK = Answer(200, {"errcode": 0, "errmsg": "ok"})
HOSTILE = {
    "500": Answer(500),
    "silence": Answer(200, {"errcode": 0}, delay_s=1.2),
    "429": Answer(429, headers={"Retry-After": "7"}),
    "200 with an error": Answer(200, {"errcode": 45009, "errmsg": "api freq out of limit"}),
    "200 with nonsense": Answer(200, ["?"]),
    "reset": Answer(reset=True),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_after_any_hostile_answer_the_message_still_arrives_and_only_then_counts(name: str, provider: Provider) -> None:
    provider.otherwise = OK
    provider.answers.append(HOSTILE[name])
    channel = {"id": "duty", "kind": "wecom", "url": provider.url, "allow_private": True, "timeout_s": 1}
    box, now = Box(), [T0]
    outlets = {"duty": Outlet("duty", sender_of(Channel.model_validate(channel)))}
    post = Post(box, box.record, outlets, PLACES, lambda: now[0])
    box.put(delivery())
    again = post.run()
    assert [row.state for row in box.rows.values()] == ["waiting"]
    assert box.rows["d1"].error
    assert again is not None
    if name == "429":
        assert again == T0 + 7000
    now[0] = again
    post.run()
    [done] = box.rows.values()
    assert (done.state, done.attempts, done.via) == ("delivered", 2, "duty")
    assert len(provider.requests) == 2
    post.run()
    assert len(provider.requests) == 2
