"""The five axes: every one of their 1,080 points against the contract's own words."""

import json
from itertools import product
from pathlib import Path

import pytest

from gateway import model
from gateway.model import (
    ACCESSES,
    AXES,
    EVIDENCES,
    HEALTHS,
    LIFECYCLES,
    REASONS,
    USES,
    Arrival,
    Mark,
    Stored,
    axes_of,
    marks_in,
)

CONTRACT_ORDER = [
    "planned", "removed", "fault", "maintenance", "closed", "staff_only", "not_enterable", "never", "stale", "offline",
    "suspect", "unreadable", "hours_unknown", "use_unknown", "empty", "occupied", "away", "reserved", "blocked",
]  # fmt: skip


def usable(lifecycle, health, access, use, evidence):
    """Contract section 4, first match wins."""
    rules = [
        (lifecycle != "active", "no"),
        (health in {"fault", "maintenance"}, "no"),
        (access in {"closed", "staff_only"}, "no"),
        (evidence != "live" or "unknown" in {access, use}, "unknown"),
        (use != "free", "no"),
        (True, "yes"),
    ]
    return next(answer for holds, answer in rules if holds)


@pytest.mark.parametrize("lifecycle", LIFECYCLES)
def test_usable_and_because_of_every_point(lifecycle):
    for point in product([lifecycle], HEALTHS, ACCESSES, USES, EVIDENCES):
        axes = axes_of(*point)
        assert axes.usable == usable(*point)
        says = {lifecycle, axes.health, axes.evidence}
        says |= {"hours_unknown" if axes.access == "unknown" else axes.access}
        says |= {"use_unknown" if axes.use == "unknown" else axes.use}
        assert list(axes.because) == [reason for reason in CONTRACT_ORDER if reason in says]


def test_a_value_that_could_not_be_read_is_suspect_and_says_why():
    axes = axes_of("active", "ok", "open", "free", "suspect", Mark.UNREADABLE)
    assert (axes.usable, axes.because) == ("unknown", ("suspect", "unreadable"))
    assert axes_of("active", "fault", "closed", "unknown", "suspect", Mark.UNREADABLE).because == (
        "fault", "closed", "suspect", "unreadable", "use_unknown",
    )  # fmt: skip
    stale = axes_of("active", "ok", "open", "free", "stale", Mark.UNREADABLE)
    assert stale is axes_of("active", "ok", "open", "free", "stale")
    assert all(AXES[known.code] is known for known in AXES)


def test_where_nobody_can_come_in_what_says_it_is_open_is_unknown_and_says_why():
    axes = axes_of("active", "ok", "open", "free", "live", Mark.BARRED)
    assert (axes.usable, axes.because) == ("unknown", ("not_enterable",))
    assert axes_of("active", "ok", "open", "occupied", "stale", Mark.BARRED).because == (
        "not_enterable", "stale", "occupied",
    )  # fmt: skip
    assert axes_of("active", "fault", "open", "free", "live", Mark.BARRED).usable == "no"
    assert axes_of("active", "ok", "closed", "free", "live", Mark.BARRED) is axes_of(
        "active", "ok", "closed", "free", "live"
    ), "nobody promised it"


def test_what_is_blocked_because_nothing_is_left_says_so():
    axes = axes_of("active", "ok", "open", "blocked", "live", Mark.EMPTY)
    assert (axes.usable, axes.because) == ("no", ("empty", "blocked"))
    assert axes_of("active", "ok", "open", "free", "live", Mark.EMPTY) is axes_of(
        "active", "ok", "open", "free", "live"
    )


def test_the_marks_of_a_point_stand_among_its_reasons_and_lead_back_to_it():
    for axes in AXES:
        assert axes_of(*axes[:5], marks_in(axes.because)) is axes


def test_the_reasons_are_the_contracts_in_its_order():
    assert list(REASONS) == CONTRACT_ORDER


def test_the_bits_that_the_journal_stores_never_change_their_meaning():
    assert {flag.name: flag.value for flag in Stored} == {"RETAINED": 1, "TS_SUSPECT": 2, "ANEW": 4, "LATE": 8}
    assert {flag.name: flag.value for flag in Arrival} == {"RETAINED": 1, "QOS1": 2, "AGAIN": 4, "DUP": 8}
    for flag in (*Arrival, *Stored):
        number = getattr(model, str(flag.name))
        assert (type(number), number) == (int, flag.value)  # an IntFlag would costs as much as a third of a message


def test_the_codes_that_history_stores_never_change_their_meaning():
    """Append only: a code written by an older version must mean the same for ever."""
    kept = json.loads((Path(__file__).parents[1] / "vectors" / "axes.json").read_text())
    assert {str(axes.code): list(axes[:5]) for axes in AXES if str(axes.code) in kept} == kept
