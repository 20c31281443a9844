"""Activities that are over, in the core file."""

import contextlib
from pathlib import Path

from gateway.history.activities import HeldCount
from gateway.model import ActivityEnded, Held
from gateway.store.activities import ended
from gateway.store.days import store_folders
from gateway.store.jobs import ForgetEnded, KeepEnded
from gateway.store.sqlite import SqliteStore

NOON, HOUR = 1_795_262_400_000, 3_600_000


def activity(start: int, held: Held, station: str = "yanshan") -> ActivityEnded:
    return ActivityEnded(station, "room", start, start + HOUR, f"u{start}", held)


def test_the_first_verdict_stays_and_old_ones_go(tmp_path: Path) -> None:
    with contextlib.closing(SqliteStore(tmp_path, NOON, ballast_mib=0)) as store:
        told = [activity(NOON, "held"), activity(NOON + HOUR, "unknown"), activity(NOON, "not_held", "shaping")]
        store.write([KeepEnded(told)])
        store.write([KeepEnded([activity(NOON, "unknown")])])  # a start tells of yesterday again
        folders = store_folders(tmp_path)
        assert ended(folders, ["yanshan", "shaping", "nowhere"], NOON, NOON + 2 * HOUR) == {
            "yanshan": told[:2], "shaping": told[2:], "nowhere": [],
        }  # fmt: skip
        assert ended(folders, ["yanshan"], NOON, NOON + HOUR) == {"yanshan": told[:1]}
        store.write([ForgetEnded(NOON + 1)])
        assert ended(folders, ["yanshan", "shaping"], 0, NOON * 2) == {"yanshan": told[1:2], "shaping": []}


def test_what_nobody_saw_is_neither_held_nor_not() -> None:
    count = HeldCount.of([activity(0, "held"), activity(1, "held"), activity(2, "not_held"), activity(3, "unknown")])
    assert (count.held, count.planned, count.coverage) == (2, 4, 0.75)
    assert HeldCount().coverage is None
