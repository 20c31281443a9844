"""What a source may say, what a payload may be, and what a template may do."""

from typing import get_args

import pytest

from config.schema.station import Dialect
from gateway.dialects import DIALECTS, BadSource, Decoder, Source, Unreadable, bind
from gateway.dialects.base import longest, millis
from gateway.dialects.shared.ha_template import compile_template
from gateway.dialects.shared.paths import parse, pick
from tests.gateway.dialects.vectors import NOW, cases, decoder, resource


@pytest.mark.parametrize(
    ("source", "kind", "mend"),
    [
        (Source("zigbee", "a/b"), "seat", "'zigbee' is no dialect; use one of chirpstack, esphome"),
        (Source("zigbee2mqtt", "zigbee2mqtt/+"), "seat", "without \\+ and #"),
        (Source("zigbee2mqtt", "z/a", availability_topic="#"), "seat", "without \\+ and #"),
        (Source("tasmota", "plug1"), "appliance", "as in tele/NAME"),
        (Source("shelly", "shelly1"), "door", "as in bthomesensor:200 or input:0"),
        (Source("shelly", "shelly1", field="switch:0"), "seat", "as in presencezone:201"),
        (Source("esphome", "node"), "seat", "as in binary_sensor/seat_1"),
        (Source("json", "a"), "seat", "as in {occupied: a.b}"),
        (Source("json", "a", fields={"open": "x"}), "seat", "a seat has no signal 'open'; use one of battery_pct"),
        (Source("json", "a", field="a..b"), "seat", "is no path; write it like a.b"),
        (Source("json", "a", field="x", values={"running_above_w": "much"}), "charger", "write watts, as in 15"),
    ],
)
def test_a_source_that_cannot_work_says_how_to_mend_it(source: Source, kind: str, mend: str) -> None:
    with pytest.raises(BadSource, match=mend):
        bind(source, resource(kind))


SOURCES = {
    "native": Source("native", "x"),
    "zigbee2mqtt": Source("zigbee2mqtt", "zigbee2mqtt/x"),
    "tasmota": Source("tasmota", "tele/x", field="Switch1"),
    "shelly": Source("shelly", "shelly1"),
    "homeassistant": Source("homeassistant", "homeassistant/binary_sensor/x/config"),
    "chirpstack": Source("chirpstack", "application/a/device/x"),
    "ttn": Source("ttn", "v3/a/devices/x"),
    "senml": Source("senml", "x"),
    "json": Source("json", "x", field="a"),
}


def seat_decoder(dialect: str) -> Decoder:
    """A decoder of this dialect for a seat; for one that has no line above, that of its first vector."""
    return bind(SOURCES[dialect], resource("seat")) if dialect in SOURCES else decoder(dialect, cases(dialect)[0])


@pytest.mark.parametrize("dialect", [dialect for dialect in DIALECTS if dialect != "esphome"])  # its values are words
def test_the_same_impossible_payloads_are_refused_everywhere(dialect: str) -> None:
    bound = seat_decoder(dialect)
    topic = next(
        topic_filter for topic_filter in bound.filters if not topic_filter.endswith(("online", "LWT", "availability"))
    )
    for payload, reason in (
        (b" " * (longest(topic.encode()) + 1), "too_long"),
        (b"[" * 30_000, "too_deep"),
        (b'{"a": "\xff"}', "encoding"),
        (b'{"a": ', "not_json"),
    ):
        with pytest.raises(Unreadable) as refused:
            bound.decode(topic, payload, NOW)
        # a typed decoder sees at the first byte that this is no object
        assert refused.value.reason in (reason, "wrong_type"), (dialect, payload[:10])


def test_a_message_on_a_topic_of_somebody_else_is_not_for_us() -> None:
    for dialect in DIALECTS:
        assert seat_decoder(dialect).decode("somebody/else", b"{}", NOW) is None


@pytest.mark.parametrize(
    ("written", "document", "shown"),
    [
        ("{{ value }}", "ON", "ON"),
        ("{{value_json.a.b}}", {"a": {"b": 1}}, 1),
        ("{{ value_json['a b'][\"c\"].d }}", {"a b": {"c": {"d": True}}}, True),
        ("{{- value_json.list[1] -}}", {"list": [1, 2]}, 2),
        ("{{ value_json.x | default('OFF') }}", {}, None),
        ("{{ value_json.x | float(0) | round(1) }}", {"x": "2.26"}, 2.3),
        ("{{ value_json.x | int }}", {"x": 2.9}, 2),
        ("{{ value_json.x | is_defined }}", {"x": "ON"}, "ON"),
    ],
)
def test_a_template_of_the_subset_shows_what_jinja_would(written: str, document: object, shown: object) -> None:
    compiled = compile_template(written)
    assert compiled is not None
    assert compiled[1](document) == shown


@pytest.mark.parametrize(
    "written",
    [
        "{{ 'ON' if value_json.x else 'OFF' }}",
        "{{ value_json.x > 3 }}",
        "{{ value_json.__class__.__mro__ | list }}",
        "{{ value_json.x() }}",
        "{% if value_json.x %}ON{% endif %}",
        "{{ states('sensor.x') }}",
        "{{ value_json.x + 1 }}",
        "{{ value_json.x }}W",
        "{{ value.x }}",
        "{{ value_json." + "a." * 200 + "b }}",
        "",
    ],
)
def test_any_other_template_is_left_alone(written: str) -> None:
    assert compile_template(written) is None


def test_a_hostile_template_takes_no_time() -> None:
    for hostile in ("{{ value_json" + " " * 240, "{{ value_json|" + "d|" * 110, "{{ value" + "[" * 240):
        assert compile_template(hostile) is None


def test_a_path_walks_objects_and_lists_and_never_raises() -> None:
    document = {"a": {"b.c": [{"d": 7}]}}
    assert pick(document, parse("a.'b.c'.0.d")) == 7
    assert pick(document, parse(".")) is document
    for wrong in ("a.x", "a.'b.c'.1", "a.'b.c'.d", "a.'b.c'.99999999999"):
        assert pick(document, parse(wrong)) is None


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2026-11-21T02:00:00Z", NOW),
        ("2026-11-21T10:00:00.000000000+08:00", NOW),
        (NOW, NOW),
        (NOW / 1000, NOW),
        ("2026-11-21T02:00:00", None),  # whose clock?
        (12.5, None),  # seconds since boot
        (True, None),
        ("soon", None),
        (10**30, None),
        (None, None),
    ],
)
def test_only_a_time_that_stands_on_its_own_is_a_time(written: object, ms: int | None) -> None:
    assert millis(written) == ms


def test_the_configuration_offers_exactly_these_dialects() -> None:
    assert set(get_args(Dialect)) == set(DIALECTS)
