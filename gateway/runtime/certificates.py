"""The certificates that brokers and our public address show, looked at once an hour: whoever renews them may fail."""

import logging
import threading
from collections.abc import Callable

from config.certificate_files import TlsPeer, tls_peers
from config.schema import Settings
from gateway.base.certificates import shown_by
from gateway.base.mishaps import Mishaps
from gateway.model import Millis

log = logging.getLogger(__name__)

EVERY_S = 3600.0
FIRST_AFTER_S = 10.0
"""The first look waits until the start is over."""


Shown = tuple[tuple[str, Millis], ...]
"""(server, when its certificate ends)"""


class ShownCertificates(threading.Thread):
    """A server that can't be asked keeps what it showed last; a connection that stands for months shows an old one."""

    def __init__(self, settings: Callable[[], Settings], mishaps: Mishaps) -> None:
        super().__init__(name="certificates", daemon=True)  # a server may answer late
        self._settings, self._mishaps = settings, mishaps
        self._ending = threading.Event()
        self._ends: dict[TlsPeer, Millis] = {}
        self._all: Shown = ()

    def run(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._ending.wait(wait_s):
            with self._mishaps.contained("looking at certificates"):
                self.look()
            wait_s = EVERY_S

    def look(self) -> None:
        """Ask each server for its certificate."""
        ends = {peer: self._end_of(peer) for peer in tls_peers(self._settings())}
        self._ends = {peer: end for peer, end in ends.items() if end is not None}
        self._all = tuple((peer.name, end) for peer, end in self._ends.items())

    def _end_of(self, peer: TlsPeer) -> Millis | None:
        try:
            return shown_by(peer)
        except OSError as error:
            log.info("%s can't be looked at: %s", peer.name, error)
            return self._ends.get(peer)

    def all(self) -> Shown:
        """Any thread may ask; the same object until the next look."""
        return self._all

    def by_option(self) -> list[tuple[str, Millis]]:
        """The same by the option that names the server."""
        return [(peer.option, end) for peer, end in self._ends.items()]

    def end(self) -> None:
        """Stop looking; nobody waits for a look that is under way."""
        self._ending.set()
