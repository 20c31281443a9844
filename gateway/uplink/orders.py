"""What staff of the centre say, done at the box: let in by the centre's key, signed anew with our own, and answered.

What goes again under its nonce, because no answer came, is passed on again; it is done once all the same, which our own
gate and what it keeps of its answers see to over a restart.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from gateway.commands import CommandError, Gate, SeenNonces, SignedCommand, sign
from gateway.commands.answers import ErrandAnswer, decode_said, reply
from gateway.commands.errands import CENTRE, told_by
from gateway.commands.key import read_key
from gateway.live.box_lines import OBEYED
from gateway.model import Millis

__all__ = ["OBEYED", "CentreOrders", "SendCommand"]

log = logging.getLogger(__name__)

BRIDGES_OBEY = ("unlock", "call")
"""What a bridge of the box does when staff of the centre say so: at once, or not at all."""
SendCommand = Callable[[str, bytes], None]
"""(topic, text): have it carried out as if our own staff had said so. ConnectionError when that can't be now."""


def _told_by(order: SignedCommand) -> str | None:
    try:
        return told_by(order.text)
    except msgspec.MsgspecError:
        return None


class _Sendings(SeenNonces):
    """A command is known by its nonce and its end: one that was signed anew comes through, a copy does not."""

    def first_use(self, nonce: str, until: Millis, now: Millis) -> bool:
        return super().first_use(f"{nonce}/{until}", until, now)


class CentreOrders:
    """`take` what came; `words` are what the centre is to be told."""

    def __init__(
        self,
        key_file: Path,
        command: SendCommand,
        box: str = "box",
        to_bridge: SendCommand = lambda _topic, _text: None,
    ) -> None:
        """`to_bridge`: have a bridge of ours told, now or never."""
        self._key_file, self._command, self._box, self._to_bridge = key_file, command, box, to_bridge
        self._gate = Gate(self._key, _Sendings())
        self._replies = Gate(self._key, SeenNonces())
        self._answers: deque[ErrandAnswer] = deque()
        self._said: deque[tuple[str, bytes]] = deque()

    def answer(self, answer: ErrandAnswer) -> None:
        """What came of something that the centre said. Any thread."""
        self._answers.append(answer)

    def say(self, topic: str, text: bytes) -> None:
        """Something that our staff did and the centre is to do as well. Any thread."""
        self._said.append((topic, text))

    def hear(self, topic: bytes, payload: bytes, now: Millis, *, retained: bool) -> ErrandAnswer | None:
        """What the centre answers; None for what is no answer of it."""
        try:
            order = self._replies.open(topic, payload, now, retained=retained)
            _, station, nonce = order.topic.split("/")
            said = decode_said(order.text)
        except (CommandError, msgspec.MsgspecError, RecursionError, ValueError):
            return None
        return None if order.by == self._box else ErrandAnswer(station, nonce, said.state, said.why)

    def words(self, now: Millis) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of all that is to be said: answers, and what our staff did."""
        yield from self._replies_of(now)
        while self._said:
            (topic, text), key = self._said.popleft(), self._key()
            if key is not None:
                yield topic, sign(key, topic, text)

    def _replies_of(self, now: Millis) -> Iterator[tuple[str, bytes]]:
        while self._answers:
            answer, key = self._answers.popleft(), self._key()
            if key is not None:
                yield reply(key, answer, self._box, now)

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
        if len(what) == 2 and what[1] in BRIDGES_OBEY:
            self._to_bridge(order.topic, order.text)
            return
        if len(what) != 1 or what[0] not in OBEYED:
            self._gate.refuse(CommandError(f"{order.topic!r} is nothing that a centre may say"), now)
            return
        if _told_by(order) != (CENTRE if what[0] == "staff" else ""):
            return  # our own words, or a deed that the centre's gateway will say with what it is about
        try:
            self._command(order.topic, order.text)
        except ConnectionError as error:
            log.warning("%s of the centre, for %s: %s", what[0], station, error)
