"""Every line that discover prints is put in a configuration, and reads there the very message it was made from."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from api.commands.check import checked
from config.kinds import SPECS
from gateway.core import plan
from gateway.core.pipeline import Pipeline
from gateway.dialects.discover import DiscoveryListener, Finding
from gateway.dialects.discover.findings import Offer
from gateway.dialects.discover.overheard import SAMPLE_BYTES
from gateway.model import Message
from tests.gateway.dialects.vectors import NOW, every_case

HOUSE = """\
stations:
  - id: {station}
    name: {{zh: 驿站}}
    areas:
      - id: hall
        name: {{zh: 厅}}
        resources:
{lines}
"""
CASES = [pytest.param(case["messages"], id=f"{dialect}: {case['name']}") for dialect, case in every_case()]
# What the documented payloads leave out: devices of ours, odd names, names that YAML takes for something else.
MORE = [
    ("yz/yanshan/Seat_01/state", '{"occupied":true}'),
    ("yz/yanshan/123/state", '{"people":3,"battery_pct":50}'),
    ("zigbee2mqtt/on", '{"occupancy":true}'),
    ("zigbee2mqtt/0x00158d0001a2b3c4", '{"contact":true}'),
    ("zigbee2mqtt/2026-11-21", '{"state":"ON","power":7}'),
    ('zigbee2mqtt/前门 "左"\\ 🚪', '{"contact":true}'),
    ("tele/1e3/SENSOR", '{"ENERGY":{"Power":4}}'),
    ("site/~", '{"null":{"occupancy":true}}'),
    ("site/12:30", '{"a b":{"c: d":{"free":3,"total":9}}}'),
]


def heard(*messages: tuple[str, str]) -> list[Finding]:
    listener = DiscoveryListener()
    for topic, payload in messages:
        listener.hear(topic, payload.encode(), NOW)
    return listener.findings()


def house(folder: Path, station: str, *lines: str) -> Pipeline:
    """The core over a configuration file with these lines; a mistake of `yizhan check` fails the test."""
    path = folder / "house.yaml"
    body = "".join(f"          {line}\n" for line in lines)
    path.write_text(HOUSE.format(station=station, lines=body), encoding="utf-8")
    settings = checked(path)
    live = plan.build(settings, settings.stations, lambda _station, _area: None, NOW)
    return Pipeline(live, plan.foreign(settings, live))


def told(pipeline: Pipeline, *messages: tuple[str, str]) -> dict[str, str]:
    """The evidence of each resource after these messages; none of them may be refused."""
    for topic, payload in messages:
        pipeline.handle(Message(topic.encode(), payload.encode(), NOW), NOW)
        assert not pipeline.quarantined, (topic, payload)
    return {
        facts.resource.id: facts.axes.evidence
        for station in pipeline.live.stations.values()
        for facts in station.facts()
    }


def each_offer(findings: list[Finding]) -> list[tuple[Finding, Offer]]:
    return [(finding, offer) for finding in findings for offer in finding.offers]


def reads(folder: Path, finding: Finding, offer: Offer, *messages: tuple[str, str]) -> None:
    """The line alone in a configuration: nothing is refused, and what it says is the value that the place then has."""
    evidence = told(house(folder, finding.station or "s", offer.line), *messages)[offer.resource["id"]]
    kind = SPECS[offer.resource["kind"]]
    if kind.value_signals.isdisjoint(offer.says):  # a plug's power before its relay, or a device that described itself
        assert offer.says or finding.dialect == "homeassistant", offer.line
        assert evidence in ("never", "live"), offer.line
    else:
        assert evidence in ("live", "stale"), offer.line  # stale: it told an old time


@pytest.mark.parametrize("messages", CASES)
def test_a_line_reads_the_very_message_it_was_made_from(tmp_path: Path, messages: list[dict[str, Any]]) -> None:
    for sent in messages:
        message = sent["topic"], sent["payload"]
        for finding, offer in each_offer(heard(message)):
            reads(tmp_path, finding, offer, message)


@pytest.mark.parametrize("messages", CASES)
def test_a_line_made_from_a_conversation_reads_the_last_word_of_it(
    tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    said = [(message["topic"], message["payload"]) for message in messages]
    for finding, offer in each_offer(heard(*said)):
        kind, place = offer.resource["kind"], (finding.dialect, finding.topic)
        last = next(sent for sent in reversed(said) if (place, kind) in seems_to_feed(sent))
        evidence = told(house(tmp_path, finding.station or "s", offer.line), last)
        assert evidence[offer.resource["id"]] in ("live", "stale", "never"), offer.line


def seems_to_feed(message: tuple[str, str]) -> set[tuple[tuple[str, str], str]]:
    """The device of a message, and the kinds of which it tells something, readable or not."""
    (*findings,) = heard(message)
    return {
        ((finding.dialect, finding.topic), kind)
        for finding in findings
        for kind in (
            *(offer.resource["kind"] for offer in finding.offers),
            *(unused.kind for unused in finding.refused),
        )
        if kind is not None
    }


@pytest.mark.parametrize("message", MORE, ids=[topic for topic, _ in MORE])
def test_odd_names_come_through_the_file(tmp_path: Path, message: tuple[str, str]) -> None:
    offers = each_offer(heard(message))
    assert offers
    for finding, offer in offers:
        assert yaml.safe_load(offer.line) == [offer.resource]
        reads(tmp_path, finding, offer, message)


def test_all_lines_of_all_devices_stand_together_in_one_configuration(tmp_path: Path) -> None:
    said = [
        ("zigbee2mqtt/lounge/sensor", '{"occupancy":true}'),
        ("zigbee2mqtt/yard/sensor", '{"contact":true}'),
        ("tele/sensor/SENSOR", '{"ENERGY":{"Power":1800}}'),
    ]
    offers = [offer for _, offer in each_offer(heard(*said))]
    assert len({offer.resource["id"] for offer in offers}) == len(offers) > 4
    evidence = told(house(tmp_path, "s", *(offer.line for offer in offers)), *said)
    assert set(evidence.values()) == {"live"}


def test_a_line_never_takes_an_id_that_is_taken() -> None:
    listener = DiscoveryListener()
    listener.hear("zigbee2mqtt/seat-01", b'{"occupancy":true}')
    listener.hear("yz/yanshan/seat-02/state", b'{"occupied":true}')
    native, foreign = listener.findings({"seat-01", "seat-02"})
    assert foreign.offers[0].resource["id"] == "seat-01-2"
    assert native.offers[0].resource == {"id": "seat-02-2", "kind": "seat", "device": "seat-02"}
    assert native.station == "yanshan"


def test_what_was_told_earlier_is_not_forgotten_when_the_device_speaks_of_something_else() -> None:
    (seat,) = heard(("zigbee2mqtt/a", '{"occupancy":true}'), ("zigbee2mqtt/a", '{"battery":50}'))
    assert seat.offers[0].resource["kind"] == "seat"
    assert seat.offers[0].says == {"occupied": True}


def test_the_last_message_decides_what_it_says_and_whether_it_can_be_read() -> None:
    topic = "zigbee2mqtt/a"
    (seat,) = heard((topic, '{"occupancy":true}'), (topic, '{"occupancy":false}'))
    assert (seat.offers[0].says, seat.heard_at, seat.messages) == ({"occupied": False}, NOW, 2)
    (broken,) = heard((topic, '{"occupancy":true}'), (topic, '{"occupancy":"maybe"}'))
    assert broken.offers == ()
    assert (broken.refused[0].kind, broken.refused[0].reason) == ("seat", "unreadable")


def test_a_device_that_described_itself_says_what_it_says_on_the_topics_it_named() -> None:
    config = ("homeassistant/binary_sensor/garden/config", '{"dev_cla":"motion","stat_t":"garden/state"}')
    (silent,) = heard(config)
    assert silent.offers[0].says == {}
    (spoke,) = heard(config, ("garden/state", "ON"))
    assert (spoke.offers[0].says, spoke.messages) == ({"occupied": True}, 2)
    (odd,) = heard(config, ("garden/state", "perhaps"))
    assert odd.unused[0] == "seat: what was heard can't be read (unknown_value)"


def test_a_device_without_a_line_says_why() -> None:
    (battery,) = heard(("zigbee2mqtt/remote", '{"battery":90,"linkquality":3}'))
    assert battery.unused == ("resource: it tells battery_pct alone, by which no place or instrument is known",)
    (button,) = heard(("zigbee2mqtt/button", '{"action":"single"}'))
    assert button.unused[0].startswith("resource: it has said nothing that we know a use for")
    (long,) = heard((f"zigbee2mqtt/{'a' * 1100}", '{"occupancy":true}'))
    assert {refusal.reason for refusal in long.refused} == {"bad_line"}


def test_free_text_of_a_device_is_not_shown() -> None:
    (pile,) = heard(("yz/yanshan/pile/state", '{"status":"Charging","error":"call Mr Li","fault":"x","power_w":3}'))
    assert {offer.resource["kind"]: dict(offer.says) for offer in pile.offers}["charger"] == {
        "status": "Charging",
        "power_w": 3,
    }


def test_a_flood_takes_no_more_than_its_room() -> None:
    listener = DiscoveryListener(devices=3, samples_bytes=100)
    for number in range(9):
        listener.hear(f"zigbee2mqtt/{number}", b'{"occupancy":true,"power":%d}' % number)
    findings = listener.findings()
    assert [finding.topic[-1] for finding in findings] == ["0", "1", "2"]
    listener.hear("zigbee2mqtt/0", b'{"occupancy":true,"x":"' + b"x" * SAMPLE_BYTES + b'"}')
    assert listener.findings()[0].offers == findings[0].offers
    tight = DiscoveryListener(samples_bytes=10)
    tight.hear("zigbee2mqtt/a", b'{"occupancy":true}')
    (nothing,) = tight.findings()
    assert {refusal.reason for refusal in nothing.refused} == {"not_kept"}


def test_a_device_that_is_known_is_not_looked_for() -> None:
    listener = DiscoveryListener(known=frozenset({"yz/s/seat-01/state", "node"}))
    for topic in ("yz/s/seat-01/state", "yz/s/seat-02/state"):
        listener.hear(topic, b'{"occupied":true}')
    for topic in ("node/binary_sensor/seat_1/state", "node2/binary_sensor/seat_1/state"):
        listener.hear(topic, b"ON")
    assert [finding.topic for finding in listener.findings()] == ["yz/s/seat-02/state", "node2/binary_sensor/seat_1"]
