"""Who writes under a gateway's name: a lease in the replica, which its holder renews and a waiting gateway takes over.

The lease says who shall write; that the one before can't is not left to it, but to the epoch in each INSERT.
"""

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from config.files import UnusableFileError, read_secret
from gateway.store.base import StoreError
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.words import Holder, ServerAwayError

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

log = logging.getLogger(__name__)

RENEW_S = 3.0
FILE = "replica-holder"  # belongs to this folder on this machine: no copy takes it along


def holder_of(folder: Path) -> Holder:
    """The same one at each start. StoreError."""
    path = folder / FILE
    try:
        try:
            return Holder(read_secret(path, "store.path"), socket.gethostname())
        except UnusableFileError as error:
            if not error.missing:
                raise
        folder.mkdir(0o700, parents=True, exist_ok=True)
        part = path.with_name(FILE + ".part")
        part.write_text(secrets.token_hex(8), "ascii")
        part.replace(path)
        return Holder(read_secret(path, "store.path"), socket.gethostname())
    except (UnusableFileError, OSError) as error:
        raise StoreError(str(error)) from error


class LeaseKeeper(threading.Thread):
    """Renews the lease of a gateway that has it; `start()`, `end()`, which gives it back."""

    def __init__(self, sender: ReplicaSender, connect: "Callable[[], Postgres]") -> None:
        super().__init__(name="replica-lease", daemon=True)  # a server that hangs may not hold up the end
        self._sender, self._connect = sender, connect
        self._ending = threading.Event()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        if self.ident is not None:
            self.join(timeout_s)

    def run(self) -> None:
        server: Postgres | None = None
        while not self._ending.wait(RENEW_S):
            if not self._sender.epoch:
                continue
            try:
                server = server or self._connect()
                if not server.renew_lease(self._sender.holder):
                    self._sender.replaced()
            except ServerAwayError as error:
                log.debug("replica: the lease is renewed later: %s", error)  # the sender tells when it is away
                if server is not None:
                    server.close()
                server = None
        if server is not None:
            try:
                server.renew_lease(self._sender.holder, 0)
            except ServerAwayError:
                log.debug("replica: the lease runs out by itself")
            server.close()
