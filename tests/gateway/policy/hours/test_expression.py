"""What one expression says of one day, with the kind of day given."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours

from gateway.policy.hours.expression import Expression, on_dates, problem
from gateway.policy.hours.official import DayKind

FRIDAY, SATURDAY = date(2026, 2, 13), date(2026, 2, 14)
AS_FRIDAY, AS_SATURDAY, AS_HOLIDAY = DayKind(4, False), DayKind(5, False), DayKind(6, True)


def open_hours(text: str, *kinds: DayKind, day: date = SATURDAY, yesterday: tuple[DayKind, ...] = (AS_FRIDAY,)) -> str:
    """Written as `from-to`, with ? where nobody knows."""
    changes = [*Expression(text).day(day, kinds, yesterday), (1440, "closed")]
    return ",".join(
        f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}{'?' if answer == 'unknown' else ''}"
        for (start, answer), (end, _) in pairwise(changes)
        if answer != "closed"
    )


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("24/7", AS_SATURDAY, "00:00-24:00"),
        ("off", AS_SATURDAY, ""),
        ("Sa-Su", AS_SATURDAY, "00:00-24:00"),
        ("Sa-Su 09:00-24:00", AS_SATURDAY, "09:00-24:00"),
        ("Sa-Su 09:00-17:00", AS_FRIDAY, ""),
        ("Mo-Fr 08:00-12:00,14:00-18:00", AS_FRIDAY, "08:00-12:00,14:00-18:00"),
        ("Mo-Fr 08:00-12:00,14:00-18:00; PH off", AS_HOLIDAY, ""),
        ("Mo-Fr 08:00-12:00; PH,Sa-Su 10:00-11:00", AS_HOLIDAY, "10:00-11:00"),
        ("Sa-Mo 10:00-12:00", DayKind(0, False), "10:00-12:00"),
        ("Sa-Mo 10:00-12:00", DayKind(1, False), ""),
        ("Sa[2] 10:00-12:00", AS_FRIDAY, "10:00-12:00"),
        ("Feb 14 off; 24/7", AS_SATURDAY, "00:00-24:00"),
        ("24/7; Feb 14 off", AS_SATURDAY, ""),
        ("24/7; 2026 Feb off", AS_SATURDAY, ""),
        ("week 7 Sa 10:00-12:00", AS_SATURDAY, "10:00-12:00"),
        ('10:00-12:00 "ring; Mo-Fr 08:00-09:00"', AS_SATURDAY, "10:00-12:00?"),
        ('"by appointment"', AS_SATURDAY, "00:00-24:00?"),
        ('Mo-Fr 09:00-17:00; Sa-Su "电话预约"', AS_SATURDAY, "00:00-24:00?"),
        ('Mo-Fr 09:00-17:00; Sa-Su "电话预约"', AS_FRIDAY, "09:00-17:00"),
        ('Mo-Su 00:00-24:00 "需预约"', AS_SATURDAY, "00:00-24:00?"),
        ('Mo-Fr 09:00-17:00 open "凭卡进入"', AS_FRIDAY, "09:00-17:00"),
        ('09:00-17:00; Sa off "Mo, Tu"', AS_SATURDAY, ""),
        ("Mo, We , Fr 09:00-17:00", AS_FRIDAY, "09:00-17:00"),
        ("Mo, We , Fr 09:00-17:00", DayKind(0, False), "09:00-17:00"),
        ("Mo, We , Fr 09:00-17:00", DayKind(1, False), ""),
        ("Mo-We, Su 08:00-20:00; Th-Sa 08:00-03:00", DayKind(1, False), "00:00-03:00,08:00-20:00"),
        ("PH, Sa 10:00-11:00", AS_HOLIDAY, "10:00-11:00"),
        ("Sa, PH 10:00-11:00", AS_HOLIDAY, "10:00-11:00"),
        ("Sa[2], Su 10:00-11:00", AS_FRIDAY, "10:00-11:00"),
        ("08:00-20:00 unknown", AS_SATURDAY, "08:00-20:00?"),
    ],
)  # fmt: skip
def test_the_kind_of_day_decides_which_rules_hold(text: str, kind: DayKind, expected: str) -> None:
    assert open_hours(text, kind) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mo-Fr 22:00-02:00; Sa 10:00-12:00", "00:00-02:00,10:00-12:00"),
        ("Mo-Fr 22:00-26:00, Sa 10:00-12:00", "00:00-02:00,10:00-12:00"),
        ("22:00-06:00; Sa off", "00:00-06:00"),
        ("22:00-06:00; Fr off", "22:00-24:00"),
        ("22:00-06:00; 02:00-03:00 off", "00:00-02:00,03:00-06:00,22:00-24:00"),
        ("Fr 20:00-00:00; Sa 01:00-02:00", "01:00-02:00"),
        ("Fr 20:00-32:00; Sa 07:00-09:00", "00:00-09:00"),
        ("Fr 20:00-04:00 unknown, Sa 00:00-02:00", "00:00-02:00,02:00-04:00?"),
    ],
)  # fmt: skip
def test_a_day_owns_its_hours_after_midnight_too(text: str, expected: str) -> None:
    assert open_hours(text, AS_SATURDAY) == expected


def test_where_the_possible_kinds_of_day_disagree_nobody_knows() -> None:
    text = "Mo-Fr 08:00-20:00; Sa-Su,PH 10:00-17:00"
    assert open_hours(text, AS_FRIDAY, AS_HOLIDAY) == "08:00-10:00?,10:00-17:00,17:00-20:00?"


@pytest.mark.parametrize(
    "text", [
        "SH off", "sunrise-sunset", "Mo-Fr 10:00-12:00 || off", "PH -1 day 10:00-12:00", "10:00+", "24/24",
        "PH +1 day off", "PH +1 day 10:00-12:00", "Mo-Fr 09:00-18:00; PH +2 days off", "Dec 24, Dec 31 10:00-12:00",
        "Jan-Mar, Oct 10:00-12:00", "2000-2200", '"a" "b"', '"', "08:00-09:00," * 2_000,
    ],
)  # fmt: skip
def test_what_cannot_be_answered_for_is_refused_with_the_mend(text: str) -> None:
    assert ";" in str(problem(text))
    with pytest.raises(ValueError, match=";"):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("off", "2026 Dec 31 closed"),
        ("24/7", "2026 Dec 31"),
        ("08:00-12:00, 14:00-18:00", "2026 Dec 31 08:00-12:00,14:00-18:00"),
        ("08:00-12:00, Th 14:00-18:00", "2026 Dec 31 08:00-12:00, 2026 Dec 31 Th 14:00-18:00"),
    ],
)
def test_hours_of_a_single_day_stay_on_that_day(text: str, expected: str) -> None:
    assert on_dates("2026 Dec 31", text) == expected
    assert problem(f"24/7; {expected}") is None


WORDS = [
    "Mo", "Sa", "PH", "SH", "24/7", "10:00", "26:00", "-", ",", ", ", ";", " ", " || ", '"', '"x"', "off", "open",
    "unknown", "+1 day", "-2 days", "[1]", "[-1]", "[0]", "2026", "9999", "week ", "53", "Feb ", "29", "30", "easter",
    "+", "/", "sunrise", "(", ")", "一",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_text_is_answered_for_or_refused_with_a_mend(words: list[str]) -> None:
    text = "".join(words)
    assert_answered_or_refused(text)


@pytest.mark.soak
@settings(max_examples=10_000, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), max_size=20))
@pytest.mark.timeout(1_800)
def test_ten_thousand_texts_are_answered_for_or_refused(words: list[str]) -> None:
    assert_answered_or_refused("".join(words))


def assert_answered_or_refused(text: str) -> None:
    wrong = problem(text)
    if wrong is not None:
        assert "; " in wrong
        return
    expression = Expression(text)
    assert expression.evaluated(SATURDAY, [AS_SATURDAY, AS_HOLIDAY], [AS_FRIDAY])


CLOCK = st.builds(
    lambda start, length: f"{start // 60:02}:{start % 60:02}-{(start + length) // 60:02}:{(start + length) % 60:02}",
    st.integers(0, 1380),
    st.integers(1, 60),
)
DAYS = st.sampled_from(
    [
        "", "Mo-Fr ", "Sa-Su ", "Fr-Mo ", "We,Sa ", "Tu,Th-Sa ", "Sa[2] ", "Sa[-1] +1 day ", "Feb ", "Dec-Feb ",
        "Jan,Mar ", "Feb 10-Feb 14 ", "Feb 10-20 ", "Feb 26-Mar 05 ", "Mar 02 ", "week 7 Mo-Sa ", "week 1-53/2 ",
        "2026 Mar ", "2026 ", "2026-2027 Feb ", "2025+ Mar ", "2026 Feb-Mar ", "2026 Feb 28-2026 Mar 05 Mo-Fr ",
        "easter ", "2024-2030/2 Mar ",
    ]
)  # fmt: skip
RULE = st.builds(
    lambda days, clock, state: days + clock + state, DAYS, CLOCK, st.sampled_from(["", "", " off", " unknown"])
)


@given(RULE, st.lists(st.tuples(st.sampled_from(["; ", ", "]), RULE), max_size=3), st.integers(0, 65))
def test_without_holidays_and_nights_it_says_what_the_library_says(
    first: str, more: list[tuple[str, str]], days: int
) -> None:
    text, day = first + "".join(joined + rule for joined, rule in more), date(2026, 2, 1) + timedelta(days=days)
    kind, midnight = DayKind(day.weekday(), False), datetime.combine(day, time())
    spans = OpeningHours(text, auto_country=False).intervals(midnight, midnight + timedelta(days=1))
    said = tuple((start.hour * 60 + start.minute, str(state)) for start, _, state, _ in spans)
    assert Expression(text).day(day, [kind], [kind]) == said
