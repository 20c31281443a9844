"""Sources beside each other: one topic for several resources, one device for several, the time where it stands."""

import json
from typing import Any

import pytest

from config.schema import Settings
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.dialects import BadSource
from gateway.evidence.facts import Facts
from gateway.model import Message

START = 1_795_226_400_000
HALL = {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/hall"}


def settings(*resources: dict[str, Any]) -> Settings:
    areas = [{"id": "a", "name": {"zh": "x"}, "resources": resources}]
    return Settings.model_validate({"stations": [{"id": "y", "name": {"zh": "x"}, "areas": areas}]})


def pipeline(*resources: dict[str, Any]) -> Pipeline:
    configured = settings(*resources)
    live = plan.build(configured, configured.stations, lambda *_: None, START)
    return Pipeline(live, plan.foreign(configured, live))


def say(core: Pipeline, topic: str, body: Any, now: int = START) -> None:
    core.handle(Message(topic.encode(), json.dumps(body).encode(), now), now)


def facts(core: Pipeline, name: str) -> Facts:
    return next(facts for facts in core.live.stations["y"].facts() if facts.resource.id == name)


def plug(number: int) -> dict[str, Any]:
    source = {"dialect": "shelly", "topic": "strip", "field": f"switch:{number}"}
    return {"id": f"pile-{number}", "kind": "charger", "type": "ebike", "source": source}


def test_each_of_two_resources_on_one_topic_takes_its_own_part() -> None:
    core = pipeline(plug(0), plug(1))
    meters = {"switch:0": {"id": 0, "output": True, "apower": 90}, "switch:1": {"id": 1, "output": True, "apower": 0}}
    say(core, "strip/events/rpc", {"src": "strip", "method": "NotifyStatus", "params": meters})
    assert (facts(core, "pile-0").known.use, facts(core, "pile-1").known.use) == ("occupied", "free")
    say(core, "strip/events/rpc", {"src": "strip", "method": "NotifyStatus", "params": {"switch:1": {"apower": 80}}})
    assert (facts(core, "pile-0").known.use, facts(core, "pile-1").known.use) == ("occupied", "occupied")


@pytest.mark.parametrize("order", [1, -1])
def test_one_resource_that_cannot_read_a_message_keeps_it_from_no_other(order: int) -> None:
    counted = {"dialect": "json", "topic": "hall", "fields": {"people": "count"}}
    sat = {"dialect": "json", "topic": "hall", "fields": {"occupied": "seat"}}
    resources = [{"id": "room", "kind": "room", "source": counted}, {"id": "seat", "kind": "seat", "source": sat}]
    core = pipeline(*resources[::order])
    say(core, "hall", {"count": "many", "seat": True})
    assert facts(core, "seat").known.use == "occupied"
    assert facts(core, "room").known.use == "unknown"
    assert core.quarantined == {"wrong_type": 1}


def test_one_foreign_device_may_feed_resources_of_several_kinds() -> None:
    core = pipeline(
        {"id": "seat", "kind": "seat", "source": HALL},
        {"id": "room", "kind": "room", "device": "seat"},
        {"id": "door", "kind": "door", "device": "seat"},
    )
    say(core, "zigbee2mqtt/hall", {"occupancy": True})
    assert not core.quarantined
    assert [facts(core, name).known.use for name in ("seat", "room", "door")] == ["occupied", "occupied", "unknown"]
    assert len(core.outcome.batch) == 1


def test_a_resource_beside_it_hears_the_same_topic_by_a_source_of_its_own() -> None:
    core = pipeline({"id": "seat", "kind": "seat", "source": HALL}, {"id": "door", "kind": "door", "source": HALL})
    say(core, "zigbee2mqtt/hall", {"occupancy": False, "contact": True})
    assert [facts(core, name).known.use for name in ("seat", "door")] == ["free", "free"]


def test_two_sources_cannot_speak_for_one_device() -> None:
    twins = [plug(0) | {"device": "strip"}, plug(1) | {"device": "strip"}]
    with pytest.raises(BadSource, match=r"stations\.y\.pile-1\.source: the source of pile-0 already speaks"):
        pipeline(*twins)
    ((path, told),) = plan.mistakes(settings(*twins))
    assert path[-3:] == ("resources", 1, "source")
    assert "leave device: out" in told


@pytest.mark.parametrize("topic", ["yz/y/seat-01/state", "yz-live/y", "yz"])
def test_a_topic_of_ours_is_no_source(topic: str) -> None:
    with pytest.raises(BadSource, match="name its device instead"):
        pipeline({"id": "seat", "kind": "seat", "source": {"dialect": "native", "topic": topic}})


@pytest.mark.parametrize(
    ("source", "topic", "body"),
    [
        (HALL, "zigbee2mqtt/hall", {"occupancy": True}),
        ({"dialect": "tasmota", "topic": "tele/hall", "field": "Switch1"}, "tele/hall/SENSOR", {"Switch1": "ON"}),
        ({"dialect": "json", "topic": "hall", "field": "occupied"}, "hall", {"occupied": True}),
        ({"dialect": "native", "topic": "old/hall"}, "old/hall/state", {"occupied": True}),
    ],
)
def test_the_time_is_read_where_the_source_says_in_every_dialect(
    source: dict[str, Any], topic: str, body: dict[str, Any]
) -> None:
    core = pipeline({"id": "seat", "kind": "seat", "source": source | {"ts": "meta.at"}})
    say(core, topic, body | {"meta": {"at": START - 5_000}})
    seat = facts(core, "seat")
    assert (seat.known.use, seat.fresh.observed_at) == ("occupied", START - 5_000)
    say(core, topic, body | {"meta": {"at": START - 9_000}})
    assert core.counters["late"] == 1
    say(core, topic, body | {"meta": {"at": START - 5_000}})
    assert core.counters["duplicate"] == 1
    say(core, topic, body | {"meta": {"at": "this morning"}}, START + 1)
    assert facts(core, "seat").fresh.observed_at == START + 1  # what is no time is not believed


def test_a_plain_word_has_no_time_and_is_read_all_the_same() -> None:
    source = {"dialect": "esphome", "topic": "node/binary_sensor/seat", "ts": "at"}
    core = pipeline({"id": "seat", "kind": "seat", "source": source})
    core.handle(Message(b"node/binary_sensor/seat/state", b"ON", START), START)
    assert (facts(core, "seat").known.use, facts(core, "seat").fresh.observed_at) == ("occupied", START)
