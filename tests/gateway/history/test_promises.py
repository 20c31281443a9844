"""What a month of changes says of a kept promise, against counting it minute by minute."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.history.promises import Promised, promised
from gateway.model import OpeningChange

MINUTE = 60_000


def changes(*rows: tuple[int, str]) -> list[OpeningChange]:
    return [OpeningChange("yanshan", minute * MINUTE, state) for minute, state in rows]


def test_a_day_with_all_of_it() -> None:
    day = changes((0, "closed"), (540, "unproved"), (550, "proved"), (670, "contradicted"), (700, "closed"))
    minutes = promised(day, 0, 1440 * MINUTE)
    assert minutes == Promised(120 * MINUTE, 10 * MINUTE, 30 * MINUTE)
    assert (minutes.promised, minutes.kept, minutes.coverage) == (160 * MINUTE, 0.8, 150 / 160)


def test_what_nobody_could_see_is_no_share_of_anything() -> None:
    minutes = promised(changes((0, "unproved")), 0, 60 * MINUTE)
    assert (minutes.kept, minutes.coverage) == (None, 0.0)
    assert Promised().coverage is None


def test_before_the_first_change_nothing_was_promised() -> None:
    assert promised([], 0, 60 * MINUTE) == Promised()
    assert promised(changes((30, "proved")), 0, 60 * MINUTE) == Promised(30 * MINUTE)


rows = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["closed", "unproved", "proved", "contradicted"])), max_size=20
)


@given(rows, st.integers(0, 300), st.integers(0, 300))
def test_it_is_what_counting_each_minute_gives(rows: list[tuple[int, str]], first: int, other: int) -> None:
    start, end = sorted((first, other))
    told = sorted(dict(rows).items())
    counted = dict.fromkeys(("closed", "unproved", "proved", "contradicted"), 0)
    for minute in range(start, end):
        counted[next((state for at, state in reversed(told) if at <= minute), "closed")] += 1
    minutes = promised(changes(*told), start * MINUTE, end * MINUTE)
    assert (minutes.proved, minutes.unproved, minutes.contradicted) == (
        counted["proved"] * MINUTE, counted["unproved"] * MINUTE, counted["contradicted"] * MINUTE,
    )  # fmt: skip
