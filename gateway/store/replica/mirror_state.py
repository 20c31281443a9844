"""How far the mirrors in a store's path are, for every process that reads them: kept by the one that brings them up."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from config.files import LIST_BYTES, UnusableFileError, read_bytes
from gateway.base.told_beside import tell_beside
from gateway.model import Millis
from gateway.store.days import CORE, MIRROR, store_folders

FOLDER = ".mirrors"
FILE = "state.json"
TOLD_EVERY_MS = 3_000
SILENT_MS = 15_000
"""Who keeps them tells so at least so often, or they count as left."""


class MirrorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """`whole_until`: all that was stored until then is here, None: nothing is. `why` it is not up to now, in words for
    anybody, "" while it is; `detail`: for who looks after the machine. `former`: of a number of shards that ended.
    """

    whole_until: Millis | None
    why: str = ""
    detail: str = ""
    former: bool = False

    @property
    def current(self) -> bool:
        return not self.why or self.former


class _Told(msgspec.Struct):
    at: Millis
    mirrors: dict[str, MirrorState]


def gateway_is_in(root: Path) -> bool:
    """Whether a gateway writes here, or did: then its own store is read, and no mirror."""
    return (root / CORE).exists() or any(not store.name.startswith(MIRROR) for store in store_folders(root)[1:])


def last_told(root: Path) -> dict[str, MirrorState]:
    """What was told last, however long ago."""
    return _told_in(root).mirrors


def _told_in(root: Path) -> _Told:
    path = root / FOLDER / FILE
    try:
        return msgspec.json.decode(read_bytes(path, "mirrors", LIST_BYTES), type=_Told)
    except (UnusableFileError, msgspec.DecodeError):
        return _Told(0, {})


def tell_mirrors(root: Path, mirrors: Mapping[str, MirrorState], now: Millis) -> None:
    """OSError."""
    folder = root / FOLDER
    folder.mkdir(0o700, parents=True, exist_ok=True)
    tell_beside(folder, FILE, msgspec.to_builtins(_Told(now, dict(mirrors))))


def mirrors_in(root: Path, now: Millis) -> dict[str, MirrorState]:
    """Gateway → its mirror; none where a gateway's own store is here, or no mirrors are kept."""
    if gateway_is_in(root):
        return {}
    told = _told_in(root)
    if now - told.at <= SILENT_MS:
        return told.mirrors
    left = "nobody follows the replica here any more"
    return {
        name: MirrorState(state.whole_until, state.why or left, state.detail, state.former)
        for name, state in told.mirrors.items()
    }
