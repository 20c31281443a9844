"""Whether a station has no sign of today though it usually has one by now."""

import pytest

from gateway.history.first_sign import FirstHour, Missing, missing
from gateway.model import OpeningChange

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
OPENS, CLOSES = 8 * HOUR, 20 * HOUR


def days(*first_signs: int | None) -> list[OpeningChange]:
    """For each day after how many minutes its first sign came."""
    changes = [OpeningChange("s", 0, "closed")]
    for day, minutes in enumerate(first_signs):
        opened = day * DAY + OPENS
        changes.append(OpeningChange("s", opened, "unproved"))
        if minutes is not None:
            changes.append(OpeningChange("s", opened + minutes * MINUTE, "proved"))
            changes.append(OpeningChange("s", opened + (minutes + 120) * MINUTE, "unproved"))
        changes.append(OpeningChange("s", day * DAY + CLOSES, "closed"))
    return changes


def today(past: list[OpeningChange], number: int) -> list[OpeningChange]:
    return [*past, OpeningChange("s", number * DAY + OPENS, "unproved")]


USUALLY_SOON = days(20, 25, 30, 10, 5, 28, 30, 30, None, 200)  # 8 of 10 within half an hour


def test_an_hour_after_its_usual_first_sign_a_station_without_one_is_told() -> None:
    changes, opened = today(USUALLY_SOON, 10), 10 * DAY + OPENS
    assert missing(changes, opened + 90 * MINUTE - 1) is None
    assert missing(changes, opened + 90 * MINUTE) == Missing(opened, FirstHour(30 * MINUTE, 0.8, 10))


def test_a_sign_ends_it_and_so_does_closing() -> None:
    opened = 10 * DAY + OPENS
    changes = [*today(USUALLY_SOON, 10), OpeningChange("s", opened + 100 * MINUTE, "proved")]
    assert missing(changes, opened + 110 * MINUTE) is None
    closed = [*today(USUALLY_SOON, 10), OpeningChange("s", 10 * DAY + CLOSES, "closed")]
    assert missing(closed, 10 * DAY + CLOSES + HOUR) is None


def test_that_it_is_contradicted_is_no_sign() -> None:
    opened = 10 * DAY + OPENS
    changes = [*today(USUALLY_SOON, 10), OpeningChange("s", opened + 15 * MINUTE, "contradicted")]
    missed = missing(changes, opened + 2 * HOUR)
    assert missed is not None
    assert missed.since == opened


@pytest.mark.parametrize(
    "past",
    [
        days(*[5] * 9),  # too few days
        days(*[5] * 7, None, None, None),  # seven of ten are not most
        days(*[121] * 28),  # later than two hours is no usual hour
        days(*[None] * 28),  # nobody sees anything there
    ],
)
def test_nothing_is_told_where_nothing_is_usual(past: list[OpeningChange]) -> None:
    number = sum(change.state == "unproved" for change in past)
    assert missing([*past, OpeningChange("s", number * DAY + OPENS, "unproved")], (number + 1) * DAY) is None


def test_a_station_that_never_closes_has_no_first_hour() -> None:
    changes = [OpeningChange("s", hour * HOUR, "proved" if hour % 24 == 9 else "unproved") for hour in range(24 * 28)]
    assert missing(changes, 24 * 28 * HOUR) is None


def test_an_opening_of_which_nobody_saw_the_beginning_counts_for_nothing() -> None:
    past = USUALLY_SOON[1:]  # what was before the first is not known: nine days are left
    assert missing(today(past, 10), 11 * DAY) is None
