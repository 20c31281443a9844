"""In which order tests run beside each other."""

from hypothesis import given
from hypothesis import strategies as st

from tests.order import dealt

FILES = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=30)
Item = tuple[int, int, bool]


def items_of(files: list[tuple[bool, int]]) -> list[Item]:
    return [(file, number, waits) for file, (waits, count) in enumerate(files) for number in range(count)]


def order_of(items: list[Item], workers: int) -> list[Item]:
    return dealt(items, workers, key=lambda item: item[0], waits=lambda item: item[2])


@given(FILES, st.integers(1, 8))
def test_none_is_lost_and_files_stay_whole_where_they_wait(files: list[tuple[bool, int]], workers: int) -> None:
    items = items_of(files)
    order = order_of(items, workers)
    assert sorted(order) == items
    for file in {item[0] for item in items if item[2]}:
        at = [place for place, item in enumerate(order) if item[0] == file]
        assert at == list(range(at[0], at[0] + len(at)))


def test_each_worker_begins_with_what_waits() -> None:
    items = items_of([(False, 6), (True, 1), (True, 1), (False, 2)])
    assert [item[0] for item in order_of(items, 2)] == [1, 0, 0, 0, 0, 2, 0, 0, 3, 3]
