"""Time in which nothing of a kind was free, and the use at the edges of opening, with the unknown beside it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.history.saturation import EDGE_MS, SHUT_MS, WEEK_MS, Saturation, edges, saturation
from gateway.history.utilization import part_of
from gateway.model import Interval, axes_of

HOUR = 3_600_000
FREE = axes_of("active", "ok", "open", "free", "live")
TAKEN = axes_of("active", "ok", "open", "occupied", "live")
CLOSED = axes_of("active", "ok", "closed", "free", "live")
BROKEN = axes_of("active", "fault", "open", "free", "live")
UNKNOWN = axes_of("active", "ok", "open", "unknown", "never")
STATES = (FREE, TAKEN, CLOSED, BROKEN, UNKNOWN)


def history(*told: tuple[Any, int, int]) -> list[Interval]:
    return [Interval(start * HOUR, end * HOUR, axes) for axes, start, end in told]


def test_full_is_when_one_is_in_use_and_none_free() -> None:
    pair = [
        history((TAKEN, 0, 6), (FREE, 6, 10)),
        history((FREE, 0, 2), (TAKEN, 2, 4), (BROKEN, 4, 8), (CLOSED, 8, 10)),
    ]
    told = saturation(pair, 0, 10 * HOUR)
    assert (told.full, told.known, told.unknown) == (4 * HOUR, 10 * HOUR, 0)
    assert told.full_per_week == round(WEEK_MS * 0.4)


def test_what_is_not_known_of_one_is_not_known_of_all_unless_another_is_free() -> None:
    pair = [history((TAKEN, 0, 4), (FREE, 4, 6)), history((UNKNOWN, 1, 6))]
    told = saturation(pair, 0, 6 * HOUR)
    assert (told.full, told.known, told.unknown) == (0, 2 * HOUR, 4 * HOUR)
    assert told.coverage == 1 / 3


def test_closed_time_and_all_broken_are_neither() -> None:
    told = saturation([history((CLOSED, 0, 3), (BROKEN, 3, 5), (TAKEN, 5, 6))], 0, 6 * HOUR)
    assert (told.full, told.known, told.unknown) == (HOUR, HOUR, 0)
    assert told.full_per_week == WEEK_MS // 6
    assert saturation([], 0, HOUR) == Saturation()
    assert Saturation().full_per_week is None


def test_the_edges_are_the_first_and_last_half_hours_of_whole_openings() -> None:
    seat = history((CLOSED, 0, 8), (TAKEN, 8, 9), (FREE, 9, 20), (CLOSED, 20, 32), (FREE, 32, 44), (CLOSED, 44, 48))
    told = edges([seat], 0, 48 * HOUR)
    assert (told.openings, EDGE_MS) == (2, HOUR // 2)
    assert (told.first.utilization, told.last.utilization) == (0.5, 0)
    assert edges([seat], 10 * HOUR, 48 * HOUR).openings == 1, "one that began before the window is not whole"
    assert edges([history((FREE, 0, 48))], 0, 48 * HOUR).openings == 0, "what never closes has no edges"


def test_a_short_closing_is_none() -> None:
    minutes = SHUT_MS // HOUR
    assert minutes == 1
    short = [Interval(0, 8 * HOUR, CLOSED), Interval(8 * HOUR, 12 * HOUR, FREE)]
    short += [Interval(12 * HOUR, 13 * HOUR - 1, CLOSED), Interval(13 * HOUR - 1, 20 * HOUR, FREE)]
    short += [Interval(20 * HOUR, 24 * HOUR, CLOSED)]
    assert edges([short], 0, 24 * HOUR).openings == 1


HISTORIES = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(STATES)), max_size=8, unique_by=lambda told: told[0]),
    min_size=1, max_size=3,
)  # fmt: skip


@given(HISTORIES)
def test_it_is_what_a_look_at_each_hour_says(told: list[list[tuple[int, Any]]]) -> None:
    histories = []
    for changes in told:
        cut = sorted(changes, key=lambda change: change[0])
        ends = [*(at for at, _ in cut[1:]), 31][: len(cut)]
        histories.append(history(*((axes, at, end) for (at, axes), end in zip(cut, ends, strict=True))))
    full = known = unknown = 0
    for hour in range(31):
        parts = [
            next(
                (part_of(interval.axes) for interval in intervals if interval.start <= hour * HOUR < interval.end),
                "unknown",
            )
            for intervals in histories
        ]
        if "free" in parts:
            known += 1
        elif "unknown" in parts:
            unknown += 1
        elif "occupied" in parts:
            full, known = full + 1, known + 1
    saturated = saturation(histories, 0, 31 * HOUR)
    assert (saturated.full, saturated.known, saturated.unknown) == (full * HOUR, known * HOUR, unknown * HOUR)
