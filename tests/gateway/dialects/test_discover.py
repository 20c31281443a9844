"""Listening finds the devices, and its lines are ready to use."""

import pytest
import yaml

from config.schema import Settings
from gateway.dialects import Source, bind
from gateway.dialects.discover import DiscoveryListener, Finding, as_json
from tests.gateway.dialects.vectors import NOW, every_case, resource

TRAFFIC = (
    ("zigbee2mqtt/bridge/state", '{"state":"online"}'),
    ("zigbee2mqtt/bridge/devices", "[]"),
    ("zigbee2mqtt/front-door", '{"contact":true,"battery":100}'),
    ("zigbee2mqtt/front-door/availability", '{"state":"online"}'),
    ("homeassistant/binary_sensor/0x1/contact/config", '{"dev_cla":"door","stat_t":"zigbee2mqtt/front-door"}'),
    ("tele/kettle/LWT", "Online"),
    ("tele/kettle/SENSOR", '{"ENERGY":{"Power":1812}}'),
    ("shelly-presence/status/presencezone:200", '{"value":true,"num_objects":3}'),
    ("homeassistant/binary_sensor/garden/config", '{"dev_cla":"motion","stat_t":"garden/state"}'),
    ("garden/state", "ON"),
    ("rest-node/binary_sensor/seat_1/state", "ON"),
    ("application/A/device/E1/event/up", '{"deviceInfo":{"deviceName":"Seat 07"},"object":{"occupancy":"vacant"}}'),
    ("v3/app@ttn/devices/seat-9/up", '{"uplink_message":{"decoded_payload":{"occupancy":"vacant"}}}'),
    ("packs/7", '[{"bn":"urn:dev:x:","n":"people","v":3}]'),
    ("site/locker 1", '{"data":{"free":3,"total":9,"a.b":{"occupied":true}}}'),
    ("yz/yanshan/seat-01/state", '{"ts":1,"occupied":true}'),
    ("yz-live/yanshan", '{"usable":true,"open":true}'),
    ("$SYS/broker/uptime", "7"),
    ("noise", "\xff"),
    ("noise/2", '{"pressure":1013}'),
)


def heard(*traffic: tuple[str, str]) -> list[Finding]:
    listener = DiscoveryListener()
    for topic, payload in traffic:
        listener.hear(topic, payload.encode("latin-1"))
    return listener.findings()


def test_each_device_is_found_once_in_its_own_dialect() -> None:
    assert [(finding.dialect, finding.topic) for finding in heard(*TRAFFIC)] == [
        ("native", "yz/yanshan/seat-01/state"),
        ("chirpstack", "application/A/device/E1/event/up"),
        ("esphome", "rest-node/binary_sensor/seat_1"),
        ("homeassistant", "homeassistant/binary_sensor/garden/config"),
        ("senml", "packs/7"),
        ("shelly", "shelly-presence"),
        ("tasmota", "tele/kettle"),
        ("ttn", "v3/app@ttn/devices/seat-9/up"),
        ("zigbee2mqtt", "zigbee2mqtt/front-door"),
        ("json", "site/locker 1"),
    ]


def test_a_device_of_ours_is_one_finding_whatever_it_says() -> None:
    said = (
        ("yz/yanshan/seat-01/availability", '{"state":"online","boot":"b"}'),
        ("yz/yanshan/seat-01/state", '{"occupied":true,"boot":"b","seq":1}'),
        ("yz/yanshan/seat-01/event", '{"type":"help","status":"pressed"}'),
        ("yz/yanshan/seat-02/availability", '{"state":"offline"}'),
        ("yz/yanshan/seat-03/availability", '{"state":"asleep","status":"x"}'),
    )
    first, silent = heard(*said)
    assert (first.dialect, first.topic, first.reports) == ("native", "yz/yanshan/seat-01/state", ("presence",))
    assert first.lines[0] == "- {id: seat-01, kind: seat}"
    assert (silent.dialect, silent.topic, silent.lines) == ("native", "yz/yanshan/seat-02/state", ())


@pytest.mark.parametrize(
    ("topic", "payload", "lines"),
    [
        ("zigbee2mqtt/k", '{"smoke":false,"test":false}', ["hazard, type: smoke"]),
        ("zigbee2mqtt/k", '{"water_leak":false,"battery":9}', ["hazard, type: leak, power: battery"]),
        ("zigbee2mqtt/k", '{"carbon_monoxide":false}', ["hazard, type: co"]),
        ("zigbee2mqtt/k", '{"temperature":21,"humidity":40}', ["climate"]),
        ("tele/k/SENSOR", '{"SI7021":{"Temperature":23.6,"Humidity":46.1}}', ["climate"]),
        ("shelly-k/status/smoke:0", '{"id":0,"alarm":false}', ["hazard, type: smoke"]),
        ("shelly-k/status/flood:0", '{"id":0,"alarm":false}', ["hazard, type: leak"]),
        ("node/binary_sensor/kitchen_smoke/state", "OFF", ["hazard, type: smoke"]),
        ("homeassistant/binary_sensor/k/config", '{"dev_cla":"gas","stat_t":"k/state"}', ["hazard, type: gas"]),
        ("application/A/device/k/event/up", '{"object":{"line_1_total_in":1,"line_1_total_out":2}}', ["counter"]),
        (
            "v3/a/devices/k/up",
            '{"uplink_message":{"decoded_payload":{"leakage_status":"leak"}}}',
            ["hazard, type: leak"],
        ),
        ("packs/k", '[{"n":"co2","v":612}]', ["climate"]),
        ("yz/yanshan/k/state", '{"alarm":false}', ["hazard, type: smoke"]),
        ("yz/yanshan/k/state", '{"in":1,"out":2}', ["counter"]),
        ("site/k", '{"gas":false}', ["hazard, type: gas"]),
    ],
)
def test_what_measures_or_warns_is_proposed_as_what_it_is(topic: str, payload: str, lines: list[str]) -> None:
    (finding,) = heard((topic, payload))
    assert [line.partition("kind: ")[2].partition(", source")[0].rstrip("}") for line in finding.lines] == lines


def test_what_it_reports_grows_with_every_message() -> None:
    door = next(finding for finding in heard(*TRAFFIC) if finding.dialect == "zigbee2mqtt")
    assert door.reports == ("open", "battery_pct")
    assert door.messages == 2


def test_every_line_is_a_resource_that_the_configuration_takes_and_a_dialect_can_bind() -> None:
    lines = [line for finding in heard(*TRAFFIC) for line in finding.lines]
    for number, line in enumerate(lines):
        item = yaml.safe_load(line)[0] | {"id": f"thing-{number}"}
        settings = Settings.model_validate(
            {
                "stations": [
                    {"id": "s", "name": {"zh": "站"}, "areas": [{"id": "a", "name": {"zh": "区"}, "resources": [item]}]}
                ]
            }
        )
        source = settings.stations[0].areas[0].resources[0].source
        if source is not None:
            given = Source(source.dialect, source.topic, source.field, source.fields)
            assert bind(given, resource(item["kind"], item.get("type"))).filters
    assert (
        "- {id: seat-07, kind: seat, source: {dialect: chirpstack, topic: application/A/device/E1/event/up}}" in lines
    )
    assert (
        '- {id: locker-1, kind: locker, source: {dialect: json, topic: "site/locker 1", fields: {free: data.free}}}'
        in lines
    )


def test_a_bound_line_reads_the_message_it_was_made_from() -> None:
    (door,) = heard(TRAFFIC[2])
    decoder = bind(Source("zigbee2mqtt", door.topic), resource("door"))
    decoded = decoder.decode(TRAFFIC[2][0], TRAFFIC[2][1].encode(), NOW)
    assert decoded is not None
    assert decoded.signals["open"] is False


def test_the_documented_traffic_of_every_dialect_never_raises() -> None:
    listener = DiscoveryListener()
    for _, case in every_case():
        for message in case["messages"]:
            listener.hear(message["topic"], message["payload"].encode())
    dialects = {finding.dialect for finding in listener.findings()}
    assert dialects >= {"zigbee2mqtt", "tasmota", "shelly", "homeassistant", "esphome", "chirpstack", "ttn"}


def test_a_staff_page_gets_plain_values() -> None:
    (door,) = as_json(heard(TRAFFIC[2]))
    assert door["reports"] == ["open", "battery_pct"]
    assert [line.split(",")[1] for line in door["lines"]] == [" kind: door", " kind: safety"]  # type: ignore[attr-defined]


def test_only_lines_that_read_what_was_heard_are_printed_and_the_others_say_why() -> None:
    (plain,) = heard(("shelly-i4/status/switch:0", '{"output":true,"apower":12.5}'))
    assert [line.split(",")[1] for line in plain.lines] == [" kind: charger", " kind: appliance"]
    (odd,) = heard(("zigbee2mqtt/odd", '{"contact":7,"battery":3}'))
    assert odd.lines == ()
    assert odd.unused == (
        "door: what was heard can't be read (wrong_type)",
        "safety: what was heard can't be read (wrong_type)",
    )
    assert as_json([odd])[0]["unused"] == list(odd.unused)


def test_every_line_reads_a_message_that_it_came_from() -> None:
    for finding in heard(*TRAFFIC):
        for line in finding.lines:
            written = yaml.safe_load(line)[0]
            if "source" not in written or written["source"]["dialect"] == "homeassistant":
                continue
            bound = bind(Source(**written["source"]), resource(written["kind"], written.get("type")))
            told = [bound.decode(topic, payload.encode("latin-1"), NOW) for topic, payload in TRAFFIC]
            assert any(decoded is not None and decoded.signals for decoded in told), line
