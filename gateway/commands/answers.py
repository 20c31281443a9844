"""What came of commands whose sender waits for an answer, so that one that comes again is answered and not done again.

An answer goes on `yz-reply/{station}/{nonce}`, signed like the command: `{"nonce", "expires", "by", "state", "why"}`.
"""

from hashlib import blake2b
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from gateway.commands.gate import LIFE_MS, sign
from gateway.model import Millis

KEPT: Final = "answers"
"""The name under which the store keeps them."""
ANSWERS_MOST: Final = 5_000
ANSWERS_MS: Final = 8 * 86_400_000
"""Longer than any sender goes on asking."""
LONGEST_WHY: Final = 4_000

State = Literal["waiting", "done", "refused", "expired"]


class ErrandAnswer(NamedTuple):
    """What came of the command `nonce`. `waiting`: it is kept for a box further on."""

    station: str
    nonce: str
    state: State
    why: str = ""


class ErrandSaid(msgspec.Struct, frozen=True):
    """The part of an answer that is not its head."""

    state: State
    why: Annotated[str, Meta(max_length=LONGEST_WHY)] = ""


_Row = tuple[str, str, State, str, str, Millis]
_decode = msgspec.json.Decoder(list[_Row]).decode
decode_said = msgspec.json.Decoder(ErrandSaid).decode


class ErrandAnswers:
    """By nonce, the oldest first; `way` is the box that asked, empty for our centre."""

    def __init__(self) -> None:
        self._expected: dict[str, None] = {}
        self._known: dict[str, tuple[ErrandAnswer, str, Millis]] = {}

    def expect(self, nonce: str) -> None:
        """Our centre said this, and waits. Any thread."""
        self._expected[nonce] = None
        if len(self._expected) > ANSWERS_MOST:
            self._expected.pop(next(iter(self._expected)), None)

    def expected(self, nonce: str) -> bool:
        return nonce in self._expected

    def waited_for_by_centre(self, nonce: str) -> bool:
        """Whether our centre said it, before a restart or since."""
        known = self._known.get(nonce)
        return nonce in self._expected or (known is not None and not known[1])

    def get(self, nonce: str) -> tuple[ErrandAnswer, str] | None:
        known = self._known.get(nonce)
        return None if known is None else known[:2]

    def put(self, answer: ErrandAnswer, way: str, now: Millis) -> None:
        self._known.pop(answer.nonce, None)
        self._known[answer.nonce] = answer._replace(why=answer.why[:LONGEST_WHY]), way, now
        while len(self._known) > ANSWERS_MOST:
            del self._known[next(iter(self._known))]

    def dump(self, now: Millis) -> bytes:
        self._known = {nonce: answer for nonce, answer in self._known.items() if answer[2] > now - ANSWERS_MS}
        return msgspec.json.encode([(*answer, way, at) for answer, way, at in self._known.values()])

    def load(self, kept: bytes | None) -> None:
        """What `dump` wrote; what can't be read is empty."""
        try:
            rows = _decode(kept) if kept else []
        except (msgspec.MsgspecError, UnicodeDecodeError):
            rows = []
        self._known = {row[1]: (ErrandAnswer(*row[:4]), *row[4:]) for row in rows}

    def state(self) -> object:
        return dict(self._known)

    def put_back(self, state: object) -> None:
        self._known = state  # type: ignore[assignment]


class _ChangeSaid(msgspec.Struct):
    version: int | None = None
    detail: str = ""


_decode_change = msgspec.json.Decoder(_ChangeSaid).decode


def in_short(why: str) -> str:
    """What an answer says, for people: of a change set, whose answer is JSON, its version or what is wrong with it."""
    try:
        said = _decode_change(why)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return why
    return said.detail or ("" if said.version is None else f"version {said.version}")


def reply(key: bytes, answer: ErrandAnswer, by: str, now: Millis) -> tuple[str, bytes]:
    """Topic and payload that tell it."""
    topic = f"yz-reply/{answer.station}/{answer.nonce}"
    expires = now + LIFE_MS // 2
    nonce = blake2b(f"{answer.nonce}/{answer.state}/{expires}".encode(), digest_size=16).hexdigest()
    text = {"nonce": nonce, "expires": expires, "by": by[:128], "state": answer.state, "why": answer.why}
    return topic, sign(key, topic, msgspec.json.encode(text))
