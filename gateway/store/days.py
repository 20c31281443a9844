"""The files of a store's folder by their names: a day each, and one for what outlives a day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gateway.base.local_time import DAY_MS
from gateway.model import Millis

CORE = "yizhan.db"
DAY_SUFFIX = ".day.db"
MIRROR = "mirror-of-"
"""What the folder is called in which an API has a gateway's store from the replica; the gateway's name follows."""


def store_folders(root: Path) -> list[Path]:
    """The folder itself, and one for each shard that has written beside it.

    Mirrors of them are told only where no gateway has written: nothing is ever in both.
    """
    there = sorted(path.parent for path in root.glob(f"*/{CORE}"))
    written = [folder for folder in there if not folder.name.startswith(MIRROR)]
    return [root, *(written if written or (root / CORE).exists() else there)]


def core_files(root: Path) -> list[Path]:
    """The core files that are there, of these folders."""
    return [path for path in (folder / CORE for folder in store_folders(root)) if path.exists()]


def day_number(at: Millis) -> int:
    return at // DAY_MS


def day_path(folder: Path, number: int) -> Path:
    """OverflowError for a day that no calendar has."""
    return folder / f"{(date(1970, 1, 1) + timedelta(days=number)).isoformat()}{DAY_SUFFIX}"


def day_files(folder: Path) -> list[Path]:
    """The days kept, oldest first."""
    return sorted(folder.glob(f"????-??-??{DAY_SUFFIX}"))


def is_day(name: str) -> bool:
    """Whether the file of this name holds a day."""
    return name.endswith(DAY_SUFFIX)


def number_of(path: Path) -> int:
    """The day that a file holds."""
    return (datetime.fromisoformat(path.name[:10]).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days


def finished(path: Path) -> bool:
    """True for a day whose file has no write-ahead log any more (byte 18): `Day.shrink` does that last."""
    with path.open("rb") as file:
        return file.read(19)[18:] == b"\x01"
