"""What staff of the centre say, done at the box: let in once by the centre's key, and signed anew with our own."""

import logging
from collections.abc import Callable
from pathlib import Path

from gateway.commands import CommandError, Gate, SeenNonces
from gateway.commands.key import read_key
from gateway.live.box_lines import OBEYED
from gateway.model import Millis

__all__ = ["OBEYED", "CentreOrders", "Command"]

log = logging.getLogger(__name__)

Command = Callable[[str, bytes], None]
"""(topic, text): have it carried out as if our own staff had said so. ConnectionError when that can't be now."""


class CentreOrders:
    """Our own gate knows the nonces over a restart, so what comes twice is done once."""

    def __init__(self, key_file: Path, command: Command) -> None:
        self._key_file, self._command = key_file, command
        self._gate = Gate(self._key, SeenNonces())

    def _key(self) -> bytes | None:
        try:
            return read_key(self._key_file, "uplink.command_key_file")
        except (OSError, ValueError) as error:
            log.error("%s; the centre is not obeyed until then", error)
            return None

    def take(self, topic: bytes, payload: bytes, now: Millis, *, retained: bool) -> None:
        """What is refused is logged once a minute, and nothing has changed."""
        try:
            order = self._gate.open(topic, payload, now, retained=retained)
        except CommandError as error:
            self._gate.refuse(error, now)
            return
        station, *what = order.path
        if len(what) != 1 or what[0] not in OBEYED:
            self._gate.refuse(CommandError(f"{order.topic!r} is nothing that a centre may say"), now)
            return
        try:
            self._command(order.topic, order.text)
        except ConnectionError as error:
            log.warning("%s of the centre, for %s: %s", what[0], station, error)
