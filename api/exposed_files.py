"""Files that hold secrets or speak of people, and that other users of the machine may read or change.

For `yizhan doctor` and `compliance`.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OWN = ("*.db", "*.db-wal", "*.db.damaged-*", "*.key", "*.jsonl", "*.json", "*/*.db", "*/*.db-wal", "calendars/*")
"""In the folder of the store, its shards and calendars."""
ASIDE = ("*.db", "*/*.db")
SHOWN = 5


def exposed(settings: Any) -> list[Path]:
    """In order: secrets of the configuration, keys, databases and copies of them, what a restore moved aside."""
    from config.secret_files import secret_files

    secrets = [path for _, path in secret_files(settings)]
    folder = settings.store.path
    aside = [
        folder_aside for folder_aside in folder.parent.glob(f"{folder.name}.before-restore-*") if folder_aside.is_dir()
    ]
    files = [*secrets, *_in(folder, OWN), *(path for folder_aside in aside for path in _in(folder_aside, ASIDE))]
    if settings.bridge is not None:
        files += _in(settings.bridge.spool.path, ("*",))
    return [path for path in dict.fromkeys(files) if _open_to_others(path)]


def told(paths: list[Path]) -> str:
    """The names of the files and how to mend it, on one line."""
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    names = " ".join(str(path) for path in paths[:SHOWN])
    folders = " ".join(sorted({str(path.parent) for path in paths}))
    mended = names if not more else f"{folders} and the files in them"
    return f"others may read or change {names}{more}: chmod go-rwx {mended}"


def _in(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def _open_to_others(path: Path) -> bool:
    """A file that everybody may read or change in a folder that everybody may enter."""
    try:
        mode, folder = path.stat().st_mode, path.parent.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & (stat.S_IROTH | stat.S_IWOTH)) and bool(folder & stat.S_IXOTH)
