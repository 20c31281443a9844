"""Files that were found damaged are made anew from the replica: what can still be read of them is less."""

import logging
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.store.base import StoreError
from gateway.store.days import CORE, number_of
from gateway.store.files import connect, healthy
from gateway.store.repairs import DAMAGED, HEALED, damaged_before
from gateway.store.repeating import Repeater
from gateway.store.replica.words import ReplicaServer
from gateway.store.sqlite import SqliteStore
from gateway.store.steps import last_in

log = logging.getLogger(__name__)

FOREVER = 2**62


def heal(server: ReplicaServer, store: SqliteStore, upto: int) -> None:
    """At a start, before anything is written. `upto`: up to which step the replica is as the store is; it is whole.

    A file with newer steps waits for another start. StoreError.
    """
    for path, aside in damaged_before(store.folder).items():
        if last_in(path) > upto:
            log.error("%s: its damage is made good at a start at which the replica lacks none of it", path.name)
            continue
        with TemporaryDirectory(dir=store.folder, prefix=".replica-") as work:
            made = Path(work) / path.name
            if not _made(server, made):
                continue
            store.put_in_place(made, path)
        for part in aside:
            part.rename(part.with_name(part.name.replace(DAMAGED, HEALED)))
        log.warning("%s: made anew from the replica, with what its damage had taken", path.name)


def _made(server: ReplicaServer, made: Path) -> bool:
    """False where the replica has nothing of this file."""
    day = None if made.name == CORE else number_of(made)
    with server.at_one_moment():
        contained = server.fetch(made.name, made)
        with closing(connect(made.with_name(CORE), "core")) as core:
            repeater = Repeater(made.parent, core)
            for step in server.steps_of(day, contained or 0, FOREVER):
                repeater.put(step)
            repeater.flush()
    there = contained is not None or repeater.steps > 0
    if there and not healthy(made):
        raise StoreError(f"{made.name} in the replica is damaged as well")
    return there
