"""The gate for commands: signed with our key, for this topic, for now, and once.

Payload: `{"signed": "<JSON text>", "hmac": "<hex>"}`. The text holds at least `nonce`, `expires` (ms since 1970) and
`by`; the HMAC-SHA-256 is over topic, newline and text. So a command can't be moved to another topic, kept for later or
sent twice. A command is never retained: a broker would repeat it to every newcomer. Replies on
`yz-reply/{station}/{nonce}` are signed in the same way.
"""

import hashlib
import hmac
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta, Struct

from gateway.model import Millis

log = logging.getLogger(__name__)

LIFE_MS = 60_000  # a command is for now
MAX_BYTES = 65_536
MAX_NONCES = 10_000
HOLD_MS = 600_000  # a nonce is remembered for so long after its command expired: our clock may be set back
TELL_MS = 60_000


class CommandError(ValueError):
    """A command that is not carried out. `reason` is a word to count by, the message is for people."""

    def __init__(self, text: str, reason: str = "senseless") -> None:
        super().__init__(text)
        self.reason = reason


class RepeatedError(CommandError):
    """Signed with our key and in time, but it came before."""

    def __init__(self, order: "SignedCommand") -> None:
        super().__init__("came before", "repeated")
        self.order = order


class _Envelope(Struct):
    signed: str
    hmac: Annotated[str, Meta(min_length=64, max_length=64)]


class _Head(Struct):
    nonce: Annotated[str, Meta(min_length=16, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
    expires: Annotated[int, Meta(ge=0, le=2**53)]
    by: Annotated[str, Meta(max_length=128)]


@dataclass(frozen=True, slots=True)
class SignedCommand:
    """A command that came through the gate. `text` is the JSON that was signed, the head still in it."""

    topic: str
    text: bytes
    nonce: str
    expires: Millis
    by: str

    @property
    def path(self) -> list[str]:
        """The topic behind `yz-cmd`: station and what, or station, name and what."""
        return self.topic.split("/")[1:]


class Nonces(Protocol):
    """Which commands came before."""

    def first_use(self, nonce: str, until: Millis, now: Millis) -> bool:
        """True once for each nonce; it is remembered until `until` at least. CommandError when there is no room."""
        ...


class SeenNonces:
    """Nonces in memory, at most MAX_NONCES of them; `dump` and `load` carry them over a restart."""

    def __init__(self, until: dict[str, Millis] | None = None) -> None:
        self._until = until or {}

    def first_use(self, nonce: str, until: Millis, now: Millis) -> bool:
        if nonce in self._until:
            return False
        if len(self._until) >= MAX_NONCES:
            self._until = {known: end for known, end in self._until.items() if end > now}
        if len(self._until) >= MAX_NONCES:
            raise CommandError(f"more than {MAX_NONCES} commands in {HOLD_MS // 60_000} minutes", "too_many")
        self._until[nonce] = until
        return True

    def state(self) -> dict[str, Millis]:
        """All of them as they are, for `put_back`."""
        return dict(self._until)

    def put_back(self, state: dict[str, Millis]) -> None:
        self._until = state

    def dump(self, now: Millis) -> bytes:
        """JSON of those that must still be known at `now`."""
        self._until = {nonce: end for nonce, end in self._until.items() if end > now}
        return msgspec.json.encode(self._until)

    @classmethod
    def load(cls, kept: bytes | None) -> "SeenNonces":
        """What `dump` wrote. What can't be read is empty: its commands have expired a minute later."""
        try:
            return cls(msgspec.json.decode(kept, type=dict[str, Millis]) if kept else None)
        except msgspec.MsgspecError as error:
            log.error("the nonces of commands can't be read again: %s", error)
            return cls()


def sign(key: bytes, topic: str, text: bytes) -> bytes:
    """The payload for `topic` that says `text`."""
    return msgspec.json.encode(_Envelope(text.decode(), _hmac(key, topic.encode(), text)))


def _hmac(key: bytes, topic: bytes, text: bytes) -> str:
    return hmac.new(key, topic + b"\n" + text, hashlib.sha256).hexdigest()


class Gate:
    """Lets each signed command in once. What it refuses is counted by reason and logged once a minute.

    `key` gives the key of the moment, None where there is none: then nothing is let in.
    """

    def __init__(self, key: Callable[[], bytes | None], nonces: Nonces) -> None:
        self._key, self._nonces = key, nonces
        self.refused: Counter[str] = Counter()
        self._untold = 0
        self._told_at: Millis | None = None

    def open(self, topic: bytes, payload: bytes, now: Millis, *, retained: bool = False) -> SignedCommand:
        """The order in a message on `yz-cmd/…`. CommandError says why it is none."""
        if retained:
            raise CommandError("retained, but a command is for now", "retained")
        text = self._verified(topic, payload)
        try:
            head = msgspec.json.decode(text, type=_Head)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise CommandError(f"unreadable: {error}", "unreadable") from None
        if head.expires <= now:
            late_s = (now - head.expires) / 1000
            raise CommandError(f"expired {late_s:.1f} s ago by our clock; set both clocks by NTP", "expired")
        if head.expires > now + LIFE_MS:
            ahead_s = (head.expires - now) / 1000
            raise CommandError(
                f"valid for {ahead_s:.1f} s more by our clock, at most {LIFE_MS // 1000} may be; "
                "set both clocks by NTP",
                "too_far_ahead",
            )
        order = SignedCommand(topic.decode(), text, head.nonce, head.expires, head.by)
        if not self._nonces.first_use(head.nonce, head.expires + HOLD_MS, now):
            raise RepeatedError(order)
        return order

    def _verified(self, topic: bytes, payload: bytes) -> bytes:
        """The text whose signature is ours."""
        if len(payload) > MAX_BYTES:
            raise CommandError(f"longer than {MAX_BYTES} bytes", "too_large")
        try:
            envelope = msgspec.json.decode(payload, type=_Envelope)
            topic.decode()
            text, given = envelope.signed.encode(), envelope.hmac.encode()
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise CommandError('unsigned: a command is {"signed": "…", "hmac": "…"}', "unsigned") from None
        key = self._key()
        if key is None:
            raise CommandError("there is no command key here; see mqtt.command_key_file", "no_key")
        if not hmac.compare_digest(_hmac(key, topic, text).encode(), given):
            raise CommandError("not signed with our key for this topic", "wrong_signature")
        return text

    def refuse(self, error: CommandError, now: Millis) -> None:
        """Count it, and log at most once a minute, with the number of those that were not told."""
        self.refused[error.reason] += 1
        self._untold += 1
        if self._told_at is not None and 0 <= now - self._told_at < TELL_MS:
            return
        log.warning("%d commands refused, the last one: %s", self._untold, error)
        self._told_at, self._untold = now, 0
