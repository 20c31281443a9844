"""Which shard has a station: rendezvous hashing, so that from one number of shards to another few stations move."""

from hashlib import blake2b


def shard_of(station: str, shards: int) -> int:
    """1 to `shards`; 0 where there are none."""
    return max(range(1, shards + 1), key=lambda shard: _weight(station, shard), default=0)


def shard_suffix(shard: int, shards: int) -> str:
    """What tells the names of shard `shard` of `shards` from those of the others; nothing for a gateway alone."""
    return f"-{shard}of{shards}" if shards else ""


def _weight(station: str, shard: int) -> int:
    return int.from_bytes(blake2b(f"{shard}/{station}".encode(), digest_size=8).digest(), "big")
