"""Utilisation: every minute is one of five; a use is whole only when its beginning and its end were seen."""

import pytest

from gateway.base.local_time import HOUR_MS
from gateway.history.utilization import Minutes, UseStretch, measure, part_of, peaks, uses
from gateway.model import AXES, Interval, axes_of

PEAK_HOURS = 5


FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
AWAY = axes_of("active", "ok", "open", "away", "live")
STALE = axes_of("active", "ok", "open", "free", "stale")
SHUT = axes_of("active", "ok", "closed", "free", "live")
BROKEN = axes_of("active", "fault", "open", "unknown", "stale")


def test_every_state_is_one_part_and_only_a_free_one_is_usable() -> None:
    for axes in AXES:
        part = part_of(axes)
        assert (part == "free") == (axes.usable == "yes")
        assert (part == "unknown") == (axes.usable == "unknown")


def test_unknown_counts_neither_as_used_nor_as_open_but_stands_beside() -> None:
    intervals = [Interval(0, 10, FREE), Interval(10, 40, TAKEN), Interval(40, 100, STALE), Interval(100, 200, SHUT)]
    minutes = measure(intervals, 0, 250)
    assert minutes == Minutes(occupied=30, free=10, closed=100, unknown=60 + 50, sessions=1)
    assert minutes.utilization == 0.75
    assert minutes.coverage == pytest.approx(40 / 150)


def test_coming_back_from_unknown_is_no_session() -> None:
    assert measure([Interval(0, 5, STALE), Interval(5, 9, TAKEN)], 0, 9).sessions == 0


def test_nothing_known_is_no_number() -> None:
    assert Minutes(closed=5).utilization is None
    assert Minutes(closed=5).coverage is None
    assert Minutes(unknown=5).coverage == 0


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([FREE, TAKEN, FREE], [UseStretch(10, 20, whole=True)]),
        ([FREE, TAKEN, AWAY, TAKEN, FREE], [UseStretch(10, 40, whole=True)]),
        ([STALE, TAKEN, FREE], [UseStretch(10, 20, whole=False)]),
        ([FREE, TAKEN, STALE, TAKEN, FREE], [UseStretch(10, 20, whole=False), UseStretch(30, 40, whole=False)]),
        ([FREE, TAKEN, BROKEN], [UseStretch(10, 20, whole=False)]),
        ([FREE, TAKEN], [UseStretch(10, None, whole=False)]),
        ([TAKEN, FREE], [UseStretch(0, 10, whole=False)]),
        ([], []),
    ],
)
def test_a_use_is_whole_when_it_was_seen_from_free_to_free(states: list[object], expected: list[UseStretch]) -> None:
    assert uses([Interval(at * 10, at * 10 + 10, axes) for at, axes in enumerate(states)]) == expected  # type: ignore[arg-type]


def test_peaks_are_the_busiest_hours_of_those_that_are_known_well_enough() -> None:
    hours = {hour: Minutes(occupied=hour * HOUR_MS // 10, free=2 * HOUR_MS) for hour in range(8)}
    hours[20] = Minutes(occupied=HOUR_MS // 2)  # full, but for half an hour only
    hours[21] = Minutes(occupied=HOUR_MS, unknown=HOUR_MS)  # full, as far as one saw
    told = peaks(hours)
    assert [hour for hour, peak in told.items() if peak] == [3, 4, 5, 6, 7]
    assert told[2] is False
    assert told[20] is told[21] is None


def test_an_hour_in_which_nobody_came_is_no_peak() -> None:
    told = peaks({hour: Minutes(free=HOUR_MS) for hour in range(PEAK_HOURS)})
    assert set(told.values()) == {False}
