"""Which epochs this folder's gateway has claimed: by them it tells its own steps in the replica from others'."""

from pathlib import Path

from config.edit import whole
from config.files import UnusableFileError, read_text
from gateway.store.base import StoreError

FILE = "replica-epochs"  # belongs to this folder on this machine: no copy takes it along
KEPT = 50


class OwnEpochs:
    """Kept on disk before anything is written under a new one. `in` tells whether one is ours. StoreError."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._epochs = [int(word) for word in _kept(self._path).split() if word.isdecimal()]

    def __contains__(self, epoch: int | None) -> bool:
        return epoch in self._epochs

    def add(self, epoch: int) -> None:
        self._epochs = [*self._epochs[1 - KEPT :], epoch]
        try:
            whole.replace(self._path, " ".join(map(str, self._epochs)).encode())
        except OSError as error:
            raise StoreError(f"{self._path}: {error}") from error


def _kept(path: Path) -> str:
    try:
        return read_text(path, "own epochs")
    except UnusableFileError as error:
        if error.missing:
            return ""
        raise StoreError(str(error)) from error
