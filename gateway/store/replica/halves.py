"""A store put into its place file by file: what a kill left half done is known, undone, and never started from."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from config.edit import whole
from config.files import UnusableFileError, read_bytes
from gateway.store.base import StoreError
from gateway.store.days import CORE
from gateway.store.files import flush

WORK = ".from-replica"  # in the store's folder, until all of it is there
MOVING = "moving"  # in it: where the files go that are being put into place
MOVING_BYTES = 64 << 20  # a path for each photo, too
SEVERAL = ".restoring"  # in store.path, while the stores of several shards are made
MEND = "run `yizhan restore --from-replica` again"


def put_into_place(work: Path, place: Callable[[str], Path]) -> None:
    """Move all files in `work` to where `place` says, the core file last; what is there already stays. StoreError.

    Each is there wholly or not at all, and until all are there `is_half` says so.
    """
    names = sorted((path for path in work.rglob("*") if path.is_file()), key=lambda path: path.name == CORE)
    for path in names:
        flush(path)
    targets = {path: place(path.relative_to(work).as_posix()) for path in names}
    targets = {path: target for path, target in targets.items() if not target.exists()}  # keys may be revoked since
    moving = work.parent / MOVING
    for path in set(names) - targets.keys():
        path.unlink()
    whole.replace(moving, msgspec.json.encode([str(target) for target in targets.values()]))
    for path, target in targets.items():
        target.parent.mkdir(0o700, parents=True, exist_ok=True)
        _move(path, target)
    for folder in {target.parent for target in targets.values()}:
        with contextlib.suppress(OSError):
            flush(folder)


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError:  # on another file system
        part = target.with_name(f"{target.name}.part")
        shutil.copy2(path, part)
        flush(part)
        part.replace(target)
        path.unlink()


def is_half(folder: Path) -> bool:
    """Whether some files of a store are in place there, and others are not."""
    work = folder / WORK
    return (work / MOVING).exists() and any(path.is_file() for path in (work / "store").rglob("*"))


def undo_half(folder: Path) -> None:
    """Take away what a restore that was cut short had put into place. StoreError."""
    work = folder / WORK
    if is_half(folder):
        try:
            targets = msgspec.json.decode(read_bytes(work / MOVING, "what is moved", MOVING_BYTES), type=list[str])
        except (UnusableFileError, msgspec.DecodeError) as error:
            raise StoreError(f"{work / MOVING} can't be read: {error}; move {folder} away") from error
        for target in targets:
            Path(target).unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)


def refuse_half(folder: Path, root: Path) -> None:
    """StoreError where a restore was cut short: of this store, or of its neighbours in `root`."""
    if is_half(folder) or (root / SEVERAL).exists():
        raise StoreError(f"{folder}: a restore from the replica was cut short, so not all of it is there: {MEND}")


@contextlib.contextmanager
def several(root: Path) -> Iterator[list[Path]]:
    """While the stores of several gateways are made in `root`, which are told to the list; where that is cut short,
    none of them starts.
    """
    mark, made = root / SEVERAL, list[Path]()
    root.mkdir(0o700, parents=True, exist_ok=True)
    before = mark.exists()
    mark.touch(0o600)
    flush(root)
    try:
        yield made
    except BaseException:
        if not (made or before):
            mark.unlink()
        raise
    mark.unlink()
