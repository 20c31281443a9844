"""What Home Assistant is told follows its documented schema, and is as honest as the document."""

import json
import re
from typing import Any

import pytest

from gateway.dialects.shared.ha_config import entities
from gateway.homeassistant.announce import announce, states, withdraw
from gateway.live.station_document import OpenNow, ShownArea, ShownInstrument, ShownResource, StationDocument
from gateway.model import EVIDENCES, Resource, axes_of

SEAT = Resource("yanshan", "lounge", "seat-01", "seat", "seat-01", name={"zh": "窗边一号"}, ttl_ms=180_000)
OLD = Resource("yanshan", "lounge", "seat-00", "seat", "seat-00", lifecycle="removed")
# home-assistant.io, integration mqtt: device discovery payload and MQTT binary sensor
SHARED = {"device", "origin", "components", "state_topic", "command_topic", "qos", "encoding", "availability"}
ENTITY = {
    "platform", "unique_id", "name", "icon", "device_class", "state_topic", "value_template", "payload_on",
    "payload_off", "expire_after", "off_delay", "json_attributes_topic", "json_attributes_template", "availability",
    "availability_mode", "availability_topic", "availability_template", "entity_category", "enabled_by_default",
    "force_update", "qos",
}  # fmt: skip


def announced() -> tuple[str, dict[str, object]]:
    topic, payload = announce("yanshan", {"zh": "雁山", "en": "Yanshan"}, [SEAT, OLD], gateway="gw-1")
    return topic, json.loads(payload)


def test_the_config_message_follows_the_documented_schema() -> None:
    topic, body = announced()
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    assert set(body) <= SHARED
    assert body["device"] == {"identifiers": ["yizhan_yanshan"], "name": "雁山", "manufacturer": "yizhan"}
    assert body["origin"] == {"name": "yizhan"}
    (entity,) = body["components"].values()  # type: ignore[attr-defined]
    assert set(entity) <= ENTITY
    assert entity["platform"] == "binary_sensor"
    assert entity["unique_id"] == "yizhan_yanshan_seat-01"
    assert not {"availability_topic", "availability"} <= set(entity)  # the two exclude each other


def test_detectors_and_the_air_are_entities_of_their_own_classes_and_a_counter_is_none() -> None:
    kinds = (
        ("smoke", "hazard", "smoke"),
        ("leak", "hazard", "leak"),
        ("air", "climate", None),
        ("gate", "counter", None),
    )
    things = [Resource("yanshan", "hall", name, kind, name, sort) for name, kind, sort in kinds]
    components = json.loads(announce("yanshan", {}, things, gateway="gw-1")[1])["components"]
    assert {name: entity["device_class"] for name, entity in components.items()} == {
        "smoke": "smoke", "leak": "moisture", "air-temperature_c": "temperature", "air-humidity_pct": "humidity",
        "air-co2_ppm": "carbon_dioxide", "air-pm25_ugm3": "pm25", "air-illuminance_lx": "illuminance",
    }  # fmt: skip
    assert components["smoke"]["value_template"] == "{{ value_json['smoke'].alarm }}"
    gauge = components["air-co2_ppm"]
    assert (gauge["platform"], gauge["unit_of_measurement"]) == ("sensor", "ppm")
    assert gauge["value_template"] == "{{ value_json['air']['values'].get('co2_ppm') }}"
    assert len({entity["unique_id"] for entity in components.values()}) == len(components)


@pytest.mark.parametrize(("evidence", "alarm"), [("live", True), ("live", False), ("stale", None), ("never", None)])
def test_what_is_told_of_a_detector_is_what_its_document_says(evidence: str, alarm: bool | None) -> None:
    words: dict[str, Any] = {"health": "ok", "evidence": evidence, "by": "sensor", "observed_at": None}
    smoke = ShownInstrument("smoke", "hazard", "smoke", alarm=alarm, values={}, valid_until=None, **words)
    gate = ShownInstrument("gate", "counter", None, alarm=None, values={}, valid_until=None, **words)
    shown = StationDocument(
        station="yanshan", name={}, as_of="", valid_until=None, open=OpenNow("yes", None), summary=[],
        areas=[ShownArea("hall", {}, [], [smoke, gate])],
    )  # fmt: skip
    told = json.loads(states(shown)[1])
    assert set(told) == {"smoke"}
    assert told["smoke"]["alarm"] == {True: "yes", False: "no", None: "None"}[alarm]
    assert told["smoke"]["availability"] == ("offline" if evidence == "stale" else "online")


def test_our_own_reader_understands_what_we_announce() -> None:
    topic, payload = announce("yanshan", {"zh": "雁山"}, [SEAT], gateway="gw-1")
    (entity,) = entities(topic, payload) or []
    assert (entity.key, entity.state_topic, entity.on, entity.off) == ("seat-01", "yz-ha/yanshan", "yes", "no")
    assert entity.expire_after_ms == SEAT.ttl_ms
    assert entity.mode == "all"
    assert [presence.topic for presence in entity.presences] == ["yz-sys/gw-1", "yz-ha/yanshan"]


def _document(usable: Any, evidence: Any) -> StationDocument:
    seat = ShownResource(
        "seat-01", "seat", None, usable, (evidence,), "active", "ok", "open", "free", evidence, None, None, None
    )
    return StationDocument(
        station="yanshan", name={}, as_of="2026-06-01T02:00:00Z", valid_until=None, open=OpenNow("yes", None),
        summary=[], areas=[ShownArea("lounge", {}, [seat])],
    )  # fmt: skip


def _shown(usable: str, evidence: str) -> tuple[str, str]:
    """(state, availability) as Home Assistant reads them by our own templates."""
    (entity,) = entities(*announce("yanshan", {}, [SEAT], gateway="gw-1")) or []
    topic, payload = states(_document(usable, evidence))
    assert topic == entity.state_topic
    value, presence = entity.template, entity.presences[1].template
    assert value is not None
    assert presence is not None
    return str(value(json.loads(payload))), str(presence(json.loads(payload)))


@pytest.mark.parametrize(
    ("usable", "evidence", "state", "availability"),
    [
        ("yes", "live", "yes", "online"),
        ("no", "live", "no", "online"),
        ("unknown", "live", "None", "online"),
        ("unknown", "never", "None", "online"),
        ("unknown", "suspect", "None", "online"),
        ("unknown", "stale", "None", "offline"),
        ("unknown", "offline", "None", "offline"),
        ("no", "offline", "no", "online"),  # closed or out of order: known without its sensor
    ],
)
def test_unknown_and_offline_are_kept_apart(usable: str, evidence: str, state: str, availability: str) -> None:
    assert _shown(usable, evidence) == (state, availability)


def test_whatever_the_evidence_only_a_live_value_is_shown_as_usable() -> None:
    for evidence in EVIDENCES:
        usable = axes_of("active", "ok", "open", "free", evidence).usable
        assert (_shown(usable, evidence)[0] == "yes") == (evidence == "live")


def test_an_empty_message_takes_the_device_back() -> None:
    assert withdraw("yanshan") == (announced()[0], b"")
