"""Whole files in the replica, in pieces: they take the place of the steps that they contain."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.store.base import StoreError
from gateway.store.replica import tables

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

PIECE = 4 << 20  # bytes


@dataclass(frozen=True, slots=True)
class ShelvedFile:
    """`mark` is another when the file is; it contains the steps of its day, or of the core file, up to `upto`."""

    name: str
    mark: str
    upto: int

    @property
    def changed_ns(self) -> int:
        """When it was written to; of the core file and the roll-ups, in ms, when it was brought."""
        return int(self.mark.partition("-")[0])


class ReplicaShelf:
    """The files of one gateway. ServerAwayError and, where it writes, FencedError."""

    def __init__(self, server: "Postgres") -> None:
        self._server = server

    def files(self) -> dict[str, ShelvedFile]:
        rows = self._server.run(tables.FILES, (self._server.gateway,)).fetchall()
        return {name: ShelvedFile(name, mark, upto) for name, mark, upto in rows}

    def put(self, file: ShelvedFile, source: Path, day: int | None = None, *, holds_steps: bool = False) -> None:
        """In place of the older one; with `holds_steps` the steps of that day (None: the core file) go up to `upto`."""
        server, gateway = self._server, self._server.gateway
        with server.transaction():
            server.run(tables.DROP_FILE, (gateway, file.name))
            for number, piece in enumerate(_pieces(source)):
                server.run(tables.PUT_PIECE, (gateway, file.name, number, file.mark, file.upto, piece))
            if holds_steps:
                server.run(tables.DROP_STEPS, (gateway, day, file.upto))
            server.holds()

    def whole(self) -> None:
        """A restore gives all that there is."""
        self._server.fenced(tables.WHOLE, (True, self._server.gateway, self._server.epoch))

    def forget(self, names: Iterable[str], before_day: int) -> None:
        """Files that are no more, and steps of days that are no more."""
        server = self._server
        with server.transaction():
            for name in names:
                server.run(tables.DROP_FILE, (server.gateway, name))
            server.run(tables.DROP_DAYS, (server.gateway, before_day))
            server.holds()

    def fetch(self, name: str, target: Path) -> None:
        """StoreError where it is damaged."""
        number = 0
        with target.open("wb") as file:
            while (row := self._server.row(tables.PIECE, (self._server.gateway, name, number))) is not None:
                try:
                    file.write(zlib.decompress(row[0]))
                except zlib.error as error:
                    raise StoreError(f"{name} in the replica is damaged: {error}") from error
                number += 1

    def parts(self) -> list[tuple[int, int, bytes]]:
        """Checkpoints."""
        return [
            (part, upto, bytes(blob))
            for part, upto, blob in self._server.run(tables.PARTS, (self._server.gateway,)).fetchall()
        ]


def _pieces(source: Path) -> Iterator[bytes]:
    """Packed; one at least."""
    with source.open("rb") as file:
        piece = file.read(PIECE)
        while True:
            yield zlib.compress(piece, 1)
            piece = file.read(PIECE)
            if not piece:
                return
