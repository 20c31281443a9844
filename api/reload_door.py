"""Where a running process is asked to take its files up again: by SIGHUP, or on its socket."""

import contextlib
import json
import logging
import os
import select
import socket
import threading
from pathlib import Path

from api.processes import ASK_MOST, encoded, listening, read_line
from api.reloading import Reloading
from api.running import NotReloadedError, Reloaded
from api.signals import Hangups

log = logging.getLogger(__name__)

ASK_WITHIN_S = 5.0
BY_SIGNAL = "SIGHUP"


class ReloadDoor(threading.Thread):
    """`start` it when the process is up: what was asked before is done then."""

    def __init__(self, running: Reloading, hangups: Hangups, folder: Path, command: str) -> None:
        """`folder` is made where there is one for it; without it only the signal is heard."""
        super().__init__(name="reload", daemon=True)
        self._running = running
        self.file = f"{command}-{os.getpid()}.sock"
        self._folder = folder
        self._hangups = hangups
        self._line: socket.socket | None = None
        self._ending = False
        if folder.parent.is_dir():
            try:
                self._line = listening(folder, self.file)
            except OSError as error:
                log.warning("%s: %s; `yizhan reload` does not find this process, SIGHUP does", folder, error)
        running.own_file = self.file

    def run(self) -> None:
        while True:
            waits: list[int | socket.socket] = [self._hangups.bell]
            if self._line is not None:
                waits.append(self._line)
            try:
                ready, _, _ = select.select(waits, [], [])
            except (ValueError, OSError):  # the socket was closed a moment ago
                if self._ending:
                    return
                raise
            if self._hangups.bell in ready:
                self._hangups.heard()
                if self._ending:
                    return
                self._reload(BY_SIGNAL, "signal")
            elif self._line is not None:
                with contextlib.suppress(OSError, ValueError):  # whoever asked has gone, or asks nonsense
                    self._answer(self._line)

    def _answer(self, line: socket.socket) -> None:
        asker, _ = line.accept()
        with asker:
            asker.settimeout(ASK_WITHIN_S)
            asked = json.loads(read_line(asker, ASK_MOST) or b"null")
            if isinstance(asked, dict):
                asker.sendall(encoded(self._reload(str(asked.get("who", "")), str(asked.get("why", "")))))

    def _reload(self, who: str, why: str) -> Reloaded | NotReloadedError:
        try:
            return self._running.reload_here(who, why)
        except NotReloadedError as error:
            return error
        except Exception as error:
            log.exception("the configuration could not be read again")
            return NotReloadedError(repr(error))

    def end(self) -> None:
        """Take no more wishes to reload from now on."""
        self._ending = True
        self._hangups.ring()
        if self._line is not None:
            self._line.close()
            with contextlib.suppress(OSError):
                (self._folder / self.file).unlink()
