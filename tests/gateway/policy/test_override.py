"""What people set by hand."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kinds import SPECS
from gateway.commands import CommandError
from gateway.model import axes_of
from gateway.policy.override import (
    NOTHING,
    PARTNER,
    STATUSES,
    Command,
    Override,
    Overrides,
    OverrideTarget,
    SetStatus,
    encode_command,
    read_command,
)

NOW = 1_780_000_000_000
LATER = NOW + 3_600_000
SEAT = ("yanshan", "lounge", "seat-01")
NONCE = "0123456789abcdef"


def holding(**words: SetStatus) -> Overrides:
    targets = {
        "station": OverrideTarget("yanshan"),
        "area": OverrideTarget("yanshan", "lounge"),
        "seat": OverrideTarget("yanshan", None, "seat-01"),
    }
    overrides = Overrides()
    for where, status in words.items():
        overrides.put(targets[where], Override(status, LATER, "staff"))
    return overrides


@pytest.mark.parametrize(
    ("status", "sensed", "usable", "because"),
    [
        ("closed", ("ok", "open", "free", "live"), "no", ("closed",)),
        ("open", ("ok", "closed", "free", "live"), "yes", ()),
        ("open", ("ok", "open", "free", "stale"), "unknown", ("stale",)),
        ("staff_only", ("ok", "open", "free", "live"), "no", ("staff_only",)),
        ("maintenance", ("ok", "open", "free", "live"), "no", ("maintenance",)),
        ("maintenance", ("fault", "open", "free", "live"), "no", ("maintenance",)),
        ("free", ("ok", "open", "unknown", "never"), "yes", ()),
        ("free", ("ok", "unknown", "unknown", "never"), "yes", ()),
        ("free", ("ok", "closed", "occupied", "live"), "no", ("closed",)),
        ("free", ("fault", "open", "free", "live"), "no", ("fault",)),
        ("busy", ("ok", "open", "free", "live"), "no", ("occupied",)),
    ],
)  # fmt: skip
def test_each_word_acts_on_its_axis(
    status: SetStatus, sensed: tuple[str, str, str, str], usable: str, because: tuple[str, ...]
) -> None:
    for where in ("station", "area", "seat"):
        health, access, use, evidence = holding(**{where: status}).effect(*SEAT, NOW).apply(*sensed, SPECS["seat"])  # type: ignore[arg-type]
        axes = axes_of("active", health, access, use, evidence)
        assert (axes.usable, axes.because) == (usable, because)


def test_the_nearest_word_wins_on_its_axis_only() -> None:
    effect = holding(station="closed", area="maintenance", seat="open").effect(*SEAT, NOW)
    assert (effect.access, effect.maintenance) == ("open", True)
    assert holding(station="busy", seat="free").effect(*SEAT, NOW).use == "free"


def test_a_word_ends_by_itself_and_its_evidence_with_it() -> None:
    overrides = holding(station="free")
    effect = overrides.effect(*SEAT, NOW)
    assert (effect.until, effect.live_until, overrides.next_deadline()) == (LATER, LATER, LATER)
    assert overrides.effect(*SEAT, LATER) is NOTHING
    assert overrides.expire(LATER - 1) == []
    assert overrides.expire(LATER) == [OverrideTarget("yanshan")]
    assert overrides.next_deadline() is None


def test_free_without_an_end_is_no_evidence() -> None:
    overrides = Overrides()
    overrides.put(OverrideTarget("yanshan"), Override("free"))
    assert overrides.effect(*SEAT, NOW).apply("ok", "open", "occupied", "stale", SPECS["seat"]).evidence == "stale"


def test_the_station_itself_is_shown_as_set() -> None:
    assert holding(station="closed").station_access("yanshan", NOW) == ("closed", LATER)
    assert holding(station="maintenance").station_access("yanshan", NOW) == ("closed", LATER)
    assert holding(station="free", area="closed").station_access("yanshan", NOW) == (None, None)
    assert holding(station="closed").station_access("yanshan", LATER) == (None, None)


def test_who_says_free_says_open_where_nobody_wrote_the_hours_down() -> None:
    assert holding(station="free").station_access("yanshan", NOW, "unknown") == ("open", LATER)
    assert holding(station="free").station_access("yanshan", NOW, "closed") == (None, None)
    assert holding(seat="free").station_access("yanshan", NOW, "unknown") == (None, None)


def test_taking_back_ends_what_was_set_on_that_target_alone() -> None:
    overrides = holding(station="closed", seat="maintenance")
    overrides.clear(OverrideTarget("yanshan"))
    assert overrides.effect(*SEAT, NOW).access is None
    assert overrides.effect(*SEAT, NOW).maintenance


def shop(*partners: SetStatus, **staff: SetStatus) -> Overrides:
    overrides = holding(**staff)
    for status in partners:
        overrides.put(OverrideTarget("yanshan"), Override(status, LATER, PARTNER, partner=True))
    return overrides


@pytest.mark.parametrize("where", ["station", "area", "seat"])
@pytest.mark.parametrize("partner", ["open", "closed", "free", "busy"])
@pytest.mark.parametrize(("staff", "because"), [("closed", "closed"), ("maintenance", "maintenance")])
def test_a_partner_never_overrules_staff(where: str, partner: SetStatus, staff: SetStatus, because: str) -> None:
    before, after = shop(partner), holding(**{where: staff})
    before.update(holding(**{where: staff}))
    after.update(shop(partner))
    for overrides in (before, after):
        health, access, use, evidence = overrides.effect(*SEAT, NOW).apply("ok", "open", "free", "live", SPECS["seat"])
        axes = axes_of("active", health, access, use, evidence)
        assert axes.usable == "no"
        assert because in axes.because


def test_what_staff_say_of_the_station_is_shown_and_a_partner_beside_it_is_not() -> None:
    assert shop("open", station="closed").station_access("yanshan", NOW) == ("closed", LATER)
    assert shop("open", station="maintenance").station_access("yanshan", NOW) == ("closed", LATER)
    assert shop("closed", station="open").station_access("yanshan", NOW) == ("open", LATER)
    assert shop("closed").station_access("yanshan", NOW) == ("closed", LATER)
    assert shop("busy").station_access("yanshan", NOW, "unknown") == ("open", LATER)


def test_a_partner_takes_back_only_its_own_and_staff_take_back_all() -> None:
    overrides = shop("open", "busy", station="maintenance")
    overrides.clear(OverrideTarget("yanshan"), partner=True)
    assert overrides.effect(*SEAT, NOW) == holding(station="maintenance").effect(*SEAT, NOW)
    overrides = shop("open", station="closed")
    overrides.clear(OverrideTarget("yanshan"))
    assert overrides.effect(*SEAT, NOW) is NOTHING


def test_a_partner_is_heard_again_when_the_word_of_staff_ends() -> None:
    overrides = holding(station="closed")
    overrides.put(OverrideTarget("yanshan"), Override("open", LATER + 10, PARTNER, partner=True))
    assert overrides.effect(*SEAT, NOW).access == "closed"
    assert overrides.expire(LATER) == [OverrideTarget("yanshan")]
    assert overrides.effect(*SEAT, LATER).access == "open"


def test_a_partners_word_of_an_older_version_stays_a_partners() -> None:
    kept = b'[["yanshan",null,null,{"status":"open","until":null,"by":"partner","note":""}]]'
    overrides = Overrides.load(kept, NOW)
    overrides.put(OverrideTarget("yanshan"), Override("closed", LATER, "Li"))
    assert overrides.effect(*SEAT, NOW).access == "closed"


TARGETS = [
    OverrideTarget("yanshan"),
    OverrideTarget("yanshan", "lounge"),
    OverrideTarget("yanshan", None, "seat-01"),
    OverrideTarget("heshan"),
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TARGETS),
            st.sampled_from(STATUSES),
            st.none() | st.integers(NOW - 5, NOW + 50),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(NOW, NOW + 60),
)
def test_a_restart_changes_nothing(words: list[tuple[OverrideTarget, SetStatus, int | None, bool]], now: int) -> None:
    before = Overrides()
    for target, status, until, partner in words:
        before.put(target, Override(status, until, partner=partner))
    after = Overrides.load(before.dump(), now)
    assert after.effect(*SEAT, now) == before.effect(*SEAT, now)
    assert after.station_access("heshan", now) == before.station_access("heshan", now)
    before.expire(now)
    assert after.dump() == before.dump()


def test_a_kept_file_with_other_words_is_refused() -> None:
    with pytest.raises(ValueError, match="status"):
        Overrides.load(b'[["yanshan",null,null,{"status":"haunted"}]]', NOW)


def command(**changes: object) -> bytes:
    good = Command(NONCE, NOW + 30_000, "li", resource="seat-01", override=Override("maintenance", LATER, "li", "装修"))
    return encode_command(msgspec.structs.replace(good, **changes))


def test_a_command_comes_through_as_it_was_written() -> None:
    read = read_command(command(), NOW)
    assert read.target("yanshan") == OverrideTarget("yanshan", None, "seat-01")
    assert read.override == Override("maintenance", LATER, "li", "装修")


def test_a_word_may_hold_for_366_days() -> None:
    word = Override("closed", NOW + 366 * 86_400_000, "li")
    assert read_command(command(override=word), NOW).override == word


def test_a_partners_command_sets_a_partners_word_whatever_it_says() -> None:
    word = Override("open", LATER, "partner")
    read = read_command(command(resource=None, override=word, partner=True), NOW).override
    assert read == Override("open", LATER, "partner", partner=True)
    staff = read_command(command(override=Override("open", LATER, "li", partner=True)), NOW).override
    assert staff == Override("open", LATER, "li")


def test_names_and_notes_are_bounded_and_hold_no_number_of_a_person() -> None:
    word = Override("closed", LATER, "li\n" * 99, "call 138.1234.5678\u202e\n" + "x" * 400)
    read = read_command(command(override=word), NOW).override
    assert read is not None
    assert read.by == ("li " * 21).strip() + "…"
    assert read.note.startswith("call … x")
    assert len(read.note) == 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "unreadable"),
        (b"\xff\xff", "unreadable"),
        (b'{"area":' + b"[" * 4_000, "unreadable"),
        (command() + b" " * 5_000, "longer than"),
        (command().replace(b"maintenance", b"haunted"), "unreadable"),
        (command().replace(b'"area"', b'"aera"'), "unreadable"),
        (command(area="lounge"), "name one"),
        (command(partner=True), "as a whole"),
        (command(override=Override("closed")), "must end"),
        (command(override=Override("closed", NOW)), "lie ahead"),
        (command(override=Override("closed", NOW + 366 * 86_400_000 + 1)), "366 days"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        read_command(text, NOW)
