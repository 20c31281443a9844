"""Foreign devices feed the same core: events, renames, long lists, and a number that nobody may store."""

from config.schema import Settings
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.model import Message

START = 1_795_226_400_000
ADDRESS = "0x00158d00018255df"
SEAT = {
    "id": "s",
    "kind": "seat",
    "source": {
        "dialect": "zigbee2mqtt",
        "topic": f"zigbee2mqtt/{ADDRESS}",
        "fields": {"event": "action"},
        "values": {"single": "help"},
    },
}


def pipeline() -> Pipeline:
    areas = [{"id": "a", "name": {"zh": "x"}, "resources": [SEAT]}]
    settings = Settings.model_validate({"stations": [{"id": "y", "name": {"zh": "x"}, "areas": areas}]})
    live = plan.build(settings, settings.stations, lambda *_: None, START)
    return Pipeline(live, plan.foreign(settings, live))


def say(core: Pipeline, topic: str, payload: str) -> None:
    core.handle(Message(topic.encode(), payload.encode(), START), START)


def test_a_button_is_an_event_and_what_is_stored_is_native() -> None:
    core = pipeline()
    say(core, f"zigbee2mqtt/{ADDRESS}", '{"occupancy": true, "action": "single"}')
    assert [event.type for _, event, _ in core.outcome.happened] == ["help"]
    assert core.outcome.batch.topics[-1].startswith(b"yz/y/s/")


def test_a_renamed_device_is_followed_however_long_the_list_that_says_so() -> None:
    core = pipeline()
    others = f'{{"ieee_address": "0x1", "friendly_name": "{"x" * 20_000}"}}'
    say(core, "zigbee2mqtt/bridge/devices", f'[{{"ieee_address": "{ADDRESS}", "friendly_name": "w"}}, {others}]')
    say(core, "zigbee2mqtt/w", '{"occupancy": true}')
    assert not core.quarantined
    assert core.live.stations["y"].areas[0].facts[0].known.use == "occupied"
    assert "zigbee2mqtt/w" in core.foreign.filters


def test_an_identity_number_is_refused_in_any_dialect() -> None:
    core = pipeline()
    say(core, f"zigbee2mqtt/{ADDRESS}", '{"occupancy": "11010519491231002X"}')
    assert core.quarantined == {"identity_number": 1}
    assert not core.outcome.rejected[0].payload


def test_a_large_network_is_listed_in_one_message_and_one_too_large_is_said() -> None:
    core = pipeline()
    others = ",".join(f'{{"ieee_address": "0x{n}", "friendly_name": "{"x" * 900}"}}' for n in range(400))
    say(core, "zigbee2mqtt/bridge/devices", f'[{{"ieee_address": "{ADDRESS}", "friendly_name": "w"}}, {others}]')
    assert not core.quarantined
    assert "zigbee2mqtt/w" in core.foreign.filters
    say(core, "zigbee2mqtt/bridge/devices", "[" + " " * 1_000_000 + "]")
    assert core.quarantined == {"too_large": 1}
