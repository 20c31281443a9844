"""What a document from a broker may claim, and what it may still claim when nobody renews it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.longest import ANYTHING_MS
from api.times import from_rfc3339, rfc3339
from api.wire_documents import read, received, withdraw, without_areas
from gateway.live.station_document import deadline
from gateway.model import EVIDENCES, USES
from tests.api.conftest import MINUTE, NOON
from tests.api.documents import document, line, resource

OPENING_GRACE_MS = 2_000
MAX_BYTES = 4 << 20


LONG = {"a": 366 * 86_400_000}
SEATS = document(
    "s",
    [resource("a", until=NOON + MINUTE), resource("b", until=NOON + 2 * MINUTE),
     resource("c", use="occupied", until=NOON + MINUTE)],
    [line("seat", 3, 2, 2)],
    NOON,
)  # fmt: skip


def test_a_forecast_goes_with_the_values_that_it_was_made_from() -> None:
    taken = {**line("seat", 1, 0, 0), "next_free": {"at": "…", "from": "…", "to": "…"}}
    held = document("s", [resource("a", use="occupied", until=NOON + MINUTE)], [taken], NOON)
    assert json.loads(withdraw(held.body, NOON).body)["summary"] == [taken]
    assert "next_free" not in json.loads(withdraw(held.body, NOON + MINUTE).body)["summary"][0]


def test_the_deadline_is_that_of_the_first_live_value() -> None:
    assert deadline(SEATS.shown) == NOON + MINUTE


def test_a_document_without_live_values_has_no_deadline() -> None:
    dead = document("s", [resource("a", evidence="stale", until=NOON)], [line("seat", 1, 0, 1)], NOON)
    assert deadline(dead.shown) is None


def test_at_its_end_a_value_is_stale_and_unknown_and_the_rest_stays() -> None:
    later = json.loads(withdraw(SEATS.body, NOON + MINUTE).body)
    a, b, c = later["areas"][0]["resources"]
    assert (a["usable"], a["because"], a["evidence"]) == ("unknown", ["stale"], "stale")
    assert (b["usable"], b["evidence"]) == ("yes", "live")
    assert (c["usable"], c["because"]) == ("unknown", ["stale", "occupied"])
    assert later["summary"] == [line("seat", 3, 1, 3)]
    assert later["as_of"] == rfc3339(NOON + MINUTE)
    assert later["valid_until"] == rfc3339(NOON + 2 * MINUTE)
    assert a["since"] == rfc3339(NOON + MINUTE)


def test_a_latched_fault_outlasts_staleness() -> None:
    broken = document("s", [resource("a", health="fault", until=NOON)], [line("seat", 1, 0, 0)], NOON - 1)
    later = json.loads(withdraw(broken.body, NOON).body)
    assert later["areas"][0]["resources"][0]["usable"] == "no"
    assert later["areas"][0]["resources"][0]["because"] == ["fault", "stale"]
    assert later["summary"] == [line("seat", 1, 0, 0)]


def test_lockers_are_counted_in_units() -> None:
    banks = [
        resource("east", "locker", until=NOON, free=4, total=10),
        resource("west", "locker", until=NOON + 1, free=3, total=8),
    ]
    later = json.loads(withdraw(document("s", banks, [line("locker", 18, 7, 7)], NOON - 1).body, NOON).body)
    assert later["summary"] == [line("locker", 18, 3, 13)]


def test_after_the_turn_of_opening_hours_nobody_knows_whether_it_is_open() -> None:
    closing = document(
        "s",
        [resource("a", until=NOON + MINUTE)],
        [line("seat", 1, 1, 1)],
        NOON,
        open={"now": "yes", "until": rfc3339(NOON)},
    )
    assert deadline(closing.shown) == NOON + OPENING_GRACE_MS
    later = json.loads(withdraw(closing.body, NOON + OPENING_GRACE_MS).body)
    assert later["open"] == {"now": "unknown", "until": None, "proof": "unproved", "proved_at": None}
    assert later["areas"][0]["resources"][0]["because"] == ["hours_unknown"]
    assert later["summary"] == [line("seat", 1, 0, 1)]


def test_what_it_does_not_know_it_keeps() -> None:
    extra = document(
        "s", [resource("a", until=NOON, note="x")], [line("seat", 1, 1, 1) | {"mood": 3}], NOON - 1, tide=7
    )
    later = json.loads(withdraw(extra.body, NOON).body)
    assert later["tide"] == 7
    assert later["areas"][0]["resources"][0]["note"] == "x"
    assert later["summary"][0]["mood"] == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, SEATS.body.replace(b"live", b"alive"),
                                  SEATS.body.replace(b"2026", b"nope")])  # fmt: skip
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        received("s", body, NOON, LONG)


def test_a_document_of_another_station_is_refused() -> None:
    with pytest.raises(ValueError, match="'s'"):
        received("t", SEATS.body, NOON, LONG)


times = st.integers(0, 10)


@given(st.lists(st.tuples(st.sampled_from(USES), st.sampled_from(EVIDENCES), times), max_size=6), times)
def test_nothing_is_live_past_its_end_and_counts_agree_with_the_resources(facts: list, after: int) -> None:
    made = [
        resource(f"r{at}", use=use, evidence=evidence, until=NOON + end)
        for at, (use, evidence, end) in enumerate(facts)
    ]
    answers = [row["usable"] for row in made]
    least = answers.count("yes")
    first = document("s", made, [line("seat", len(made), least, least + answers.count("unknown"))], NOON)
    now = NOON + after
    later = json.loads(withdraw(first.body, now).body)
    shown = later["areas"][0]["resources"]
    assert all(from_rfc3339(row["valid_until"]) > now for row in shown if row["evidence"] == "live")
    answers = [row["usable"] for row in shown]
    assert later["summary"][0]["usable_min"] == answers.count("yes")
    assert later["summary"][0]["usable_max"] == answers.count("yes") + answers.count("unknown")
    ends = deadline(read(json.dumps(later).encode()))
    assert ends is None or ends > now


def test_a_document_from_far_ahead_or_for_years_is_not_believed():
    day = 86_400_000

    def why(made_at: int, until: int) -> str:
        body = document("s", [resource("a", until=until)], [line("seat", 1, 1, 1)], made_at).body
        try:
            received("s", body, NOON, LONG)
        except ValueError as error:
            return str(error)
        return ""

    assert why(NOON, NOON + 60_000) == ""
    assert why(NOON + 600_000, NOON + 366 * day) == ""
    assert "lies ahead" in why(NOON + 600_001, NOON)
    assert "claims to hold" in why(NOON, NOON + 400 * day)


def test_how_large_and_how_deep_a_document_may_be():
    def padded(extra: bytes) -> bytes:
        return SEATS.body[:-1] + b',"extra":' + extra + b"}"

    with pytest.raises(ValueError, match="bytes"):
        received("s", padded(b'"' + b"x" * MAX_BYTES + b'"'), NOON, LONG)
    with pytest.raises(ValueError, match="too deep"):
        received("s", padded(b"[" * 200 + b"]" * 200), NOON, LONG)
    brackets = padded(b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\" {{{{"')
    assert received("s", brackets, NOON, LONG).body == brackets
    assert json.loads(withdraw(brackets, NOON + MINUTE).body)["extra"].startswith("[[")


def test_what_could_not_be_served_again_later_is_refused_at_once():
    for extra in (b"1e999", b'"\xff"', b'"\\ud800"'):
        with pytest.raises(ValueError):
            received("s", SEATS.body[:-1] + b',"extra":' + extra + b"}", NOON, LONG)


def test_a_document_is_one_line_of_a_stream():
    spaced = SEATS.body.replace(b',"open"', b'\r\n,"open"')
    assert received("s", spaced, NOON, LONG).body == SEATS.body.replace(b',"open"', b'  ,"open"')


def test_the_list_shows_all_but_the_areas_also_what_it_does_not_know():
    tidal = document("s", [], [], NOON, tide={"m": 1.0})
    assert json.loads(without_areas(tidal.body)) == {
        name: value for name, value in json.loads(tidal.body).items() if name != "areas"
    }


def test_no_value_is_live_for_longer_than_its_ttl_whatever_the_document_says():
    """Renewed or not: `until` of what staff set by hand is capped too, and comes again with the next document."""
    made = NOON - MINUTE
    claims = [
        resource("a", until=made + 366 * 86_400_000),
        resource("b", until=made + 30_000, note="x"),
        resource("stale", evidence="stale", until=made + 9 * MINUTE),
        resource("unheard-of", until=made + 400 * 86_400_000 // 2),
    ]
    body = document("s", claims, [line("seat", 4, 3, 4)], made, tide=7).body
    shown = received("s", body, NOON, {"a": 3 * MINUTE, "b": 3 * MINUTE, "stale": MINUTE})
    told = json.loads(shown.body)
    ends = [row["valid_until"] for row in told["areas"][0]["resources"]]
    assert ends == [
        rfc3339(made + 3 * MINUTE),
        rfc3339(made + 30_000),
        rfc3339(made + 9 * MINUTE),
        rfc3339(made + ANYTHING_MS),
    ]
    assert told["valid_until"] == rfc3339(made + 30_000)
    assert (told["tide"], told["areas"][0]["resources"][1]["note"]) == (7, "x")
    assert read(shown.body) == shown.shown


def test_a_document_that_claims_no_more_than_it_may_is_kept_to_the_byte():
    body = document("s", [resource("a", until=NOON + MINUTE)], [line("seat", 1, 1, 1)], NOON).body
    assert received("s", body, NOON, {"a": MINUTE}).body == body
