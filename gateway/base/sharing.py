"""Which shard has a station: rendezvous hashing, so that from one number of shards to another few stations move."""

import re
from collections.abc import Iterable
from hashlib import blake2b

_SHARE = re.compile(r"-(\d+)of(\d+)$")


def shard_of(station: str, shards: int) -> int:
    """1 to `shards`; 0 where there are none."""
    return max(range(1, shards + 1), key=lambda shard: _weight(station, shard), default=0)


def shard_suffix(shard: int, shards: int) -> str:
    """What tells the names of shard `shard` of `shards` from those of the others; nothing for a gateway alone."""
    return f"-{shard}of{shards}" if shards else ""


def share_of(name: str) -> tuple[int, int] | None:
    """(shard, shards) in which the name of a shard's gateway or folder ends; None of a gateway alone."""
    match = _SHARE.search(name)
    return (int(match[1]), int(match[2])) if match else None


def shards_by_name(names: Iterable[str], gateway: str) -> dict[str, int]:
    """The gateway's and its shards' of these names: name → how many shards there are, 0 of the gateway alone."""
    shares = {name: (0, 0) if name == gateway else share_of(name) or (0, 0) for name in names}
    return {name: shards for name, (shard, shards) in shares.items() if name == gateway + shard_suffix(shard, shards)}


def _weight(station: str, shard: int) -> int:
    return int.from_bytes(blake2b(f"{shard}/{station}".encode(), digest_size=8).digest(), "big")
