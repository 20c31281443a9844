"""What the file of wishes keeps: numbers, and what was taken up of them."""

import threading
from dataclasses import replace
from pathlib import Path

from gateway.history.wishes import Demand
from gateway.store.wishes import KEPT_MS, WISHES_DB, WishFile

KEY = ("a", "dance", "weekend_morning")
TAKEN = Demand(*KEY, 5, "accepted", "Li", "Li", 1000, taken_at=1000)


def test_wishes_are_numbers_by_week(tmp_path: Path) -> None:
    file = WishFile(tmp_path)
    assert (file.counts("2026-01-05"), file.demands(0)) == ({}, [])
    threads = [
        threading.Thread(target=lambda: [file.add(KEY, "2026-11-16", "2026-05-18") for _ in range(4)]) for _ in "xyz"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.add(KEY, "2026-11-23", "2026-05-25")
    assert file.counts("2026-11-16") == {KEY: 13}
    assert file.counts("2026-11-23") == {KEY: 1}
    assert oct((tmp_path / WISHES_DB).stat().st_mode)[-3:] == "600"
    file.add(KEY, "2027-11-15", "2027-05-17")
    assert file.counts("2026-01-05") == {KEY: 1}, "old weeks go"


def test_many_at_once_make_the_file_and_each_is_counted(tmp_path: Path) -> None:
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        together = threading.Barrier(6)

        def wish(folder: Path, together: threading.Barrier) -> None:
            together.wait()
            WishFile(folder).add(KEY, "2026-11-16", "2026-05-18")

        threads = [threading.Thread(target=wish, args=(folder, together)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert WishFile(folder).counts("2026-11-16") == {KEY: 6}


def test_one_at_a_time_takes_a_wish_up(tmp_path: Path) -> None:
    file = WishFile(tmp_path)
    assert file.move(TAKEN, ("open",))
    assert not file.move(replace(TAKEN, assignee="Wang"), ("open", "assigned"))
    assert file.demands(5000) == [TAKEN], "what is under way is told however old"


def test_what_came_true_takes_its_wishes_along(tmp_path: Path) -> None:
    file = WishFile(tmp_path)
    file.add(KEY, "2026-11-16", "2026-05-18")
    file.move(TAKEN, ("open",))
    held = replace(TAKEN, state="held", changed_at=2000)
    assert file.move(held, ("accepted",))
    assert (file.counts("2026-01-05"), file.demands(2000), file.demands(2001)) == ({}, [held], [])
    assert file.move(replace(TAKEN, changed_at=3000), ("open",)), "who wishes again begins again"
    file.move(replace(held, changed_at=2001 + KEPT_MS), ("accepted",))
    assert [demand.changed_at for demand in file.demands(0)] == [2001 + KEPT_MS], "after two years it goes"


def test_what_is_given_back_is_nobodys(tmp_path: Path) -> None:
    file = WishFile(tmp_path)
    file.add(KEY, "2026-11-16", "2026-05-18")
    file.move(TAKEN, ("open",))
    assert file.move(replace(TAKEN, state="open"), ("accepted",))
    assert (file.counts("2026-01-05"), file.demands(0)) == ({KEY: 1}, [])
