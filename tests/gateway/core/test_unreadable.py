"""A value that we could not read never leaves the old one looking live; what is beside it costs itself."""

import pytest

from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.kinds.known import Counters
from gateway.model import Axes, Message, Resource
from tests.gateway.core.test_sources import START, facts, pipeline, settings
from tests.gateway.world import Town

SEAT = {"id": "s", "kind": "seat", "source": {"dialect": "zigbee2mqtt", "topic": "zigbee2mqtt/s"}}
JSON = {"id": "s", "kind": "seat", "source": {"dialect": "json", "topic": "hall", "fields": {"occupied": "seat"}}}
PLUG = {"id": "s", "kind": "appliance", "source": {"dialect": "tasmota", "topic": "tele/s"}}


def raw(core: Pipeline, topic: str, payload: bytes, *, retained: bool = False) -> Axes:
    core.handle(Message(topic.encode(), payload, START, retained), START)
    return facts(core, "s").axes


def core_hears(core: Pipeline, device: str, payload: bytes) -> None:
    core.handle(Message(f"yz/y/{device}/state".encode(), payload, START), START)


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff\xfe", b'{"occupied":"grmpf"}', b'{"occupied":7}', b"7", b'{"x":"' + b"x" * 17_000 + b'"}',
                b'{"occupied":true,"card":"11010519491231002X"}'],
)  # fmt: skip
def test_a_state_that_nobody_can_read_makes_the_place_suspect_at_once(payload: bytes) -> None:
    town = Town({"id": "seat", "kind": "seat"})
    town.hear("seat", {"occupied": False})
    changes = town.hear("seat", payload).changes
    assert [(change.after.evidence, change.after.because, change.cause) for change in changes] == [
        ("suspect", ("suspect", "unreadable"), "unreadable")
    ]
    assert town.document()["areas"][0]["resources"][0]["because"] == ["suspect", "unreadable"]
    town.hear("seat", {"occupied": False})
    assert town.axes("seat").usable == "yes"


def test_an_unreadable_event_or_availability_or_repeat_changes_no_place() -> None:
    town = Town({"id": "seat", "kind": "seat"})
    town.hear("seat", {"boot": "b", "seq": 5, "occupied": False})
    for which, payload in (
        ("event", b"{"),
        ("availability", b"maybe"),
        ("state", b'{"boot":"b","seq":5,"occupied":7}'),
    ):
        assert not town.hear("seat", payload, which).changes
    assert not town.hear("seat", b"{", retained=True).changes
    assert town.axes("seat").evidence == "live"


def test_a_place_never_heard_stays_so_and_one_fallen_silent_says_that() -> None:
    town = Town({"id": "seat", "kind": "seat", "ttl": 60})
    town.hear("seat", b"{")
    assert town.axes("seat").because == ("never", "use_unknown")
    town.hear("seat", {"occupied": False})
    town.hear("seat", b"{")
    town.wait(61_000)
    assert town.axes("seat").because == ("stale",)


@pytest.mark.parametrize(
    ("source", "topic", "good", "bad"),
    [
        (SEAT, "zigbee2mqtt/s", b'{"occupancy":false}', b'{"occupancy":"maybe"}'),
        (SEAT, "zigbee2mqtt/s", b'{"occupancy":false}', b"{"),
        (SEAT, "zigbee2mqtt/s", b'{"occupancy":false}', b"\xff"),
        (JSON, "hall", b'{"seat":false}', b'{"seat":7}'),
        (JSON, "hall", b'{"seat":false}', b'{"seat":'),
    ],
)
def test_a_foreign_value_that_nobody_can_read_does_too(source: dict, topic: str, good: bytes, bad: bytes) -> None:
    core = pipeline(source)
    assert raw(core, topic, good).evidence == "live"
    assert raw(core, topic, bad).because == ("suspect", "unreadable")
    assert raw(core, topic, good).evidence == "live"


def test_a_message_that_may_not_have_held_the_value_and_a_strangers_change_nothing() -> None:
    core = pipeline(SEAT)
    raw(core, "zigbee2mqtt/s", b'{"occupancy":false}')
    for topic in ("zigbee2mqtt/s/availability", "zigbee2mqtt/other", "zigbee2mqtt/bridge/state"):
        assert raw(core, topic, b"{").evidence == "live"
    assert raw(core, "zigbee2mqtt/s", b"{", retained=True).evidence == "live"
    plug = pipeline(PLUG)
    raw(plug, "tele/s/STATE", b'{"POWER":"ON"}')
    raw(plug, "tele/s/SENSOR", b'{"ENERGY":{"Power":900}}')
    raw(plug, "stat/s/POWER", b"ON")
    assert raw(plug, "tele/s/STATE", b"{").evidence == "live"


def test_a_bad_value_beside_the_main_one_costs_itself_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    core = pipeline(SEAT)
    for _ in range(3):
        assert raw(core, "zigbee2mqtt/s", b'{"occupancy":false,"battery":255}').evidence == "live"
    assert core.foreign.remarks.counts == {"y/s battery_pct": 3}
    assert caplog.text.count("y/s battery_pct") == 1
    assert not core.outcome.rejected


def test_what_was_unreadable_outlives_a_snapshot_of_the_facts() -> None:
    from gateway.evidence.facts import KEPT

    assert "fresh.unreadable" in KEPT


def test_two_resources_on_one_device_are_both_told() -> None:
    both = settings(SEAT, {"id": "t", "kind": "seat", "device": "s"})
    live = plan.build(both, both.stations, lambda *_: None, START)
    core = Pipeline(live, plan.foreign(both, live))
    raw(core, "zigbee2mqtt/s", b'{"occupancy":false}')
    raw(core, "zigbee2mqtt/s", b'{"occupancy":[]}')
    assert facts(core, "s").axes.because == facts(core, "t").axes.because == ("suspect", "unreadable")


def test_a_number_in_utf_16_stands_nowhere() -> None:
    town = Town({"id": "seat", "kind": "seat"})
    outcome = town.hear("seat", '{"card":"11010519491231002X"}'.encode("utf-16-le"))
    assert [(message.reason, message.payload) for message in outcome.rejected] == [("identity_number", b"")]


def test_a_message_that_nobody_can_read_is_named_by_its_device_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    tasmota = {"dialect": "tasmota", "topic": "tele/plug"}
    core = pipeline({"id": "s", "kind": "seat"}, {"id": "p", "kind": "charger", "type": "ev", "source": tasmota})
    for _ in range(3):
        raw(core, "yz/y/s/state", b"{")
        raw(core, "tele/plug/SENSOR", b"{")
        raw(core, "yz/elsewhere/s/state", b"{")
    assert core.foreign.remarks.counts == {"y/s message": 3, "y/p message": 3}
    assert caplog.text.count("y/s message: can't be read (not_json) and is in quarantine") == 1


def test_a_word_that_nobody_knows_is_named_once_with_who_says_it(caplog: pytest.LogCaptureFixture) -> None:
    core = pipeline({"id": "p", "kind": "charger", "type": "ev"}, {"id": "m", "kind": "appliance", "type": "other"})
    for seq in range(3):
        core_hears(core, "p", b'{"boot":"a","seq":%d,"status":"Charged"}' % seq)
    core_hears(core, "m", b'{"status":"11010519491231002X call"}')
    for _ in range(2):
        core.name_words()
    told = core.foreign.remarks.counts
    assert told["y/p status 'Charged'"] == 3
    assert not any("110105" in what for what in told)
    assert caplog.text.count("status 'Charged': is a word that we don't know") == 1


def test_a_flood_of_words_is_named_within_bounds() -> None:
    counters, resource = Counters(), Resource("y", "a", "p", "charger", "p")
    for n in range(3 * Counters.MOST):
        counters.not_understood(resource, f"word {n}")
    assert (counters["unknown_status"], len(counters.words)) == (3 * Counters.MOST, Counters.MOST)
