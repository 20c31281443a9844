"""The folders of shards in a store's path: which numbers of shards there are or were, and whose turn it is."""

from collections.abc import Iterator
from pathlib import Path

from gateway.base.sharing import shard_suffix, share_of
from gateway.store.days import CORE
from gateway.store.neighbours import check_ended
from gateway.store.tenure import is_over, periods_in

Group = dict[int, Path]
"""Shard → its folder; 0 for a gateway alone, whose folder is the path itself."""


class ShardFolders:
    """Those of one gateway, by its id."""

    def __init__(self, root: Path, gateway: str) -> None:
        self.root, self.gateway = root, gateway
        self.groups: dict[int, Group] = {}
        for shards, shard, folder in self._there():
            self.groups.setdefault(shards, {})[shard] = folder

    def _there(self) -> Iterator[tuple[int, int, Path]]:
        if (self.root / CORE).exists():
            yield 0, 0, self.root
        for path in sorted(self.root.glob(f"*/{CORE}")):
            share = share_of(path.parent.name)
            if share is not None and path.parent == self.folder(*share):
                yield share[1], share[0], path.parent

    def folder(self, shard: int, shards: int) -> Path:
        return self.root / f"{self.gateway}{shard_suffix(shard, shards)}" if shards else self.root

    def before(self, shards: int) -> int | None:
        """The number of shards whose stations have to change hands before `shards` of them may begin.

        None: of none.
        """
        others = {number: group for number, group in self.groups.items() if number != shards and _is_left(group)}
        own = self.groups.get(shards)
        if not others or (own and any(_holds(folder) for folder in own.values())):
            return None
        number = max(others, key=lambda number: (_began(others[number]), _used_at(others[number])))
        told = _began(others[number])
        if own and not told and not _began(own) and _used_at(own) >= _used_at(others[number]):
            return None  # of a version that told nothing of it: the folders that were written to last are those in use
        return number

    def left(self, own: Path) -> list[Path]:
        """Those beside `own` whose stations others have now."""
        folders = [folder for group in self.groups.values() for folder in group.values() if folder != own]
        return [folder for folder in folders if is_over(periods_in(folder))]

    def check_ended(self, shards: int) -> None:
        """StoreError while one of this number runs."""
        check_ended(self.groups[shards].values())

    def missing(self, shards: int) -> list[str]:
        """The names of folders of this number that are not here."""
        here = self.groups.get(shards, {})
        wanted = range(1, shards + 1) if shards else range(1)
        return [self.folder(shard, shards).name for shard in wanted if shard not in here]


def _is_left(group: Group) -> bool:
    """Whether any of them has not been taken over."""
    return not all(is_over(periods_in(folder)) for folder in group.values())


def _holds(folder: Path) -> bool:
    periods = periods_in(folder)
    return bool(periods) and not is_over(periods)


def _began(group: Group) -> bool:
    return any(periods_in(folder) is not None for folder in group.values())


def _used_at(group: Group) -> float:
    return max((path.stat().st_mtime for folder in group.values() for path in folder.glob("*.db*")), default=0.0)
