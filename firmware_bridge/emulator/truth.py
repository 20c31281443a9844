"""What is really so in the hidden world, and what an honest sensor says: the words of its things."""

from typing import NamedTuple

from gateway.model import Signal, Use

TrueSignals = dict[str, Signal]


class Truth(NamedTuple):
    """What is really so with one resource. `people` for rooms, `free` (units) for lockers and parking, else None."""

    use: Use
    people: int | None = None
    free: int | None = None
