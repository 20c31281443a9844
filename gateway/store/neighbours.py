"""Stores of a gateway that once had another number of shards: what they knew goes on in the shards of today."""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from gateway.base.sharing import share_of
from gateway.model import Batch, Millis
from gateway.store.base import StoreError
from gateway.store.day_reader import readers
from gateway.store.days import CORE, core_files, day_files
from gateway.store.files import read_only
from gateway.store.tenure import TakeOver, is_over, periods_in


class Neighbour:
    """One of them, to read. `handed_over_at`: when its devices changed hands as a whole; None for one that may know
    something newer of some.
    """

    def __init__(self, folder: Path, handed_over_at: Millis | None = None) -> None:
        self._folder, self.handed_over_at = folder, handed_over_at

    def __str__(self) -> str:
        return str(self._folder)

    def checkpoints(self) -> list[tuple[int, int, bytes]]:
        """Every kept `(part, upto, blob)`. StoreError when the file can't be opened."""
        with closing(read_only(self._folder / CORE)) as db:
            return list(db.execute("SELECT part, upto, blob FROM checkpoint ORDER BY part"))

    def batches(self, after: int) -> Iterator[tuple[int, Batch]]:
        for reader in readers(day_files(self._folder)):
            if reader.last_id() > after:
                yield from reader.batches(after)


def before_of(root: Path, own: Path, take_over: TakeOver | None) -> list[Neighbour]:
    """Those that `own` is to take over from, or whoever else may know something newer. StoreError, see `neighbours`."""
    others = neighbours(root, own)
    if take_over is None:
        return others
    folders = [root / name for name in take_over.folders]
    for folder in folders:
        if not (folder / CORE).exists():
            raise StoreError(
                f"{own} takes over the stations of {folder}, which is not there: bring that folder to this machine"
            )
    return [Neighbour(folder, take_over.at) for folder in folders]


def neighbours(root: Path, own: Path) -> list[Neighbour]:
    """Those in `root` and below it whose number of shards differs from that of `own`, and whose time is not over.

    StoreError while one of them runs: both would store and tell of the same stations. Who has a folder open whose time
    is over only lets go of what is past.
    """
    folders = [path.parent for path in core_files(root)]
    others = [folder for folder in folders if _shards(folder, root) != _shards(own, root)]
    left = [folder for folder in others if not is_over(periods_in(folder))]
    check_ended(left)
    return [Neighbour(folder) for folder in left]


def _shards(folder: Path, root: Path) -> int:
    """How many there are; 0 for a gateway alone."""
    share = share_of(folder.name) if folder != root else None
    return share[1] if share else 0


def with_those_before(own: Path) -> list[Path]:
    """`own`, and the folders of another number of shards that had its stations once."""
    root = own.parent if share_of(own.name) else own
    others = [path.parent for path in core_files(root)]
    shards = _shards(own, root)
    return [own, *(folder for folder in others if _shards(folder, root) != shards and is_over(periods_in(folder)))]


def check_ended(others: Iterable[Path]) -> None:
    """StoreError while a gateway of another number of shards runs in one of these folders."""
    for folder in others:
        if _runs(folder):
            raise StoreError(
                f"{folder} belongs to a gateway that runs with another number of shards: "
                "stop all gateways, then start those of the new number"
            )


def _runs(folder: Path) -> bool:
    """Whether a gateway writes there now."""
    try:
        with (folder / "lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
