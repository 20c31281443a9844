"""When a store's folder was that of its stations, and what it is to take over from others at its next start.

After a change of the number of shards the old folders stay, for their past. Each says when its time began and ended.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from gateway.model import Millis
from gateway.store.days import CORE
from gateway.store.files import read_only, store_errors
from gateway.store.jobs import Keep

PERIODS, TAKE_OVER = "periods", "take_over"
FOREVER = 2**62

Period = tuple[Millis, Millis | None]
"""From, and until; None: it goes on."""


class TakeOver(msgspec.Struct, frozen=True):
    """`folders`: whose devices, by name in the store's path, "" for the path itself; `at`: when they changed hands."""

    at: Millis
    folders: list[str]


def periods_in(folder: Path) -> list[Period] | None:
    """None: it never changed hands. StoreError."""
    path = folder / CORE
    if not path.exists():
        return None
    with store_errors(path), closing(read_only(path)) as db:
        return read_periods(lambda name: _kept(db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()))


def _kept(row: tuple[bytes | str] | None) -> bytes | None:
    if row is None:
        return None
    (value,) = row
    return value.encode() if isinstance(value, str) else bytes(value)


def read_periods(kept: Callable[[str], bytes | None]) -> list[Period] | None:
    """As `Store.kept` tells them."""
    value = kept(PERIODS)
    return msgspec.json.decode(value, type=list[Period]) if value else None


def is_over(periods: Sequence[Period] | None) -> bool:
    """Whether another folder has its stations now."""
    return bool(periods) and periods is not None and periods[-1][1] is not None


def begun(periods: Sequence[Period] | None, at: Millis) -> Keep:
    """It has its stations from then on."""
    before = list(periods or ())
    fresh = before if before and before[-1][1] is None else [*before, (at, None)]
    return Keep(PERIODS, msgspec.json.encode(fresh))


def ended(periods: Sequence[Period] | None, at: Millis) -> Keep:
    """It has them no more."""
    *before, (start, until) = periods or [(0, None)]
    return Keep(PERIODS, msgspec.json.encode([*before, (start, at if until is None else until)]))


def take_over_of(kept: bytes | None) -> TakeOver | None:
    """None: nothing is to be taken over."""
    return msgspec.json.decode(kept, type=TakeOver) if kept else None


def keep_take_over(what: TakeOver | None) -> Keep:
    return Keep(TAKE_OVER, msgspec.json.encode(what) if what is not None else b"")
