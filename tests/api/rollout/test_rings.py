"""A new version goes from ring to ring, and stops where a box is not well with it."""

from dataclasses import replace

import msgspec
import pytest

from api.boxes import KnownBox
from api.rollout.rings import boxes_of, ring_before, verdict
from config.rings import RINGS, ring_of
from gateway.base.times import rfc3339
from gateway.live.box_lines import BoxLine, BoxWord
from tests.api.conftest import NOON

HOUR = 3_600_000
NEW = "1.1.0"


def box(name: str, **more: object) -> KnownBox:
    word = BoxWord(name, "online", version=NEW, since=rfc3339(NOON - 25 * HOUR), ring="ring0")
    return KnownBox(BoxLine(name, True, NOON, NOON, msgspec.structs.replace(word, **more)), "up")


def troubles(*boxes: KnownBox) -> tuple[str, ...]:
    return verdict(boxes, "ring0", NEW, 24, NOON).troubles


def test_a_ring_that_is_well_lets_the_next_have_it() -> None:
    result = verdict([box("a"), box("b"), box("other", ring="stable", version="1.0.0")], "ring0", NEW, 24, NOON)
    assert (result.boxes, result.troubles) == (2, ())


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (box("b", version="1.0.0", upgrade="rolled_back", upgrade_version=NEW), "b took 1.1.0 back and runs 1.0.0"),
        (box("b", version="1.0.0"), "b runs 1.0.0, not 1.1.0"),
        (box("b", since=rfc3339(NOON - 23 * HOUR)), "b has run 1.1.0 for less than 24 h since its last start"),
        (box("b", since="nonsense"), "b has run 1.1.0 for less than 24 h since its last start"),
        (replace(box("b"), state="down"), "b: its line is down"),
        (replace(box("b"), state="unknown"), "b: its line is unknown"),
        (KnownBox(BoxLine("home-1", True, NOON, NOON), "up"), "home-1 runs nobody knows what, not 1.1.0"),
    ],
)
def test_one_box_that_is_not_well_stops_it(bad: KnownBox, words: str) -> None:
    if bad.line.word is None:
        bad = replace(bad, line=replace(bad.line, box=next(f"b{n}" for n in range(99) if ring_of(f"b{n}") == "ring0")))
        words = words.replace("home-1", bad.line.box)
    assert troubles(box("a"), bad) == (words,)


def test_a_ring_in_which_no_box_is_lets_nothing_through() -> None:
    assert troubles(box("a", ring="stable")) == (
        "no box is in ring0: nobody has tried 1.1.0; set uplink.ring: ring0 at one",
    )


def test_of_many_troubles_ten_are_named() -> None:
    told = troubles(*(box(f"box-{number}", version="1.0.0") for number in range(30)))
    assert (len(told), told[-1]) == (11, "and 20 more")


def test_a_ring_follows_from_the_name_and_a_tenth_goes_first() -> None:
    count = {ring: sum(ring_of(f"box-{number}") == ring for number in range(2_000)) for ring in RINGS}
    assert 150 < count["ring0"] < 250
    assert 500 < count["ring1"] < 700
    assert [ring_before(ring) for ring in RINGS] == [None, "ring0", "ring1"]
    assert ring_of("yanshan-box") == ring_of("yanshan-box")
    assert [member.line.box for member in boxes_of([box("a"), box("b", ring="ring1")], "ring1")] == ["b"]
