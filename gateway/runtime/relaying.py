"""What staff say, between this gateway, its boxes and its centre: kept, sent on, answered."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from gateway.commands.answers import KEPT as ANSWERS
from gateway.commands.answers import ErrandAnswer
from gateway.commands.errands import KEPT as ERRANDS
from gateway.commands.errands import Errands, errands_kept
from gateway.core.outcome import Outcome
from gateway.core.pipeline import Pipeline
from gateway.mqtt import Session
from gateway.store.base import Store

Carry = Callable[[str, bytes], None]
"""(topic, text): have it carried out as if our own staff had said so."""


class _Nonce(msgspec.Struct, gc=False):
    nonce: str


_decode_nonce = msgspec.json.Decoder(_Nonce).decode


class AnswersCentre(Protocol):
    """Tells our centre what came of what it said. Any thread."""

    def __call__(self, answer: ErrandAnswer, /) -> None: ...


class StaffRelay:
    """`to_centre` is where answers for our centre go; without a line to one nobody waits for them."""

    def __init__(self, pipeline: Pipeline, session: Session, store: Store) -> None:
        self._session = session
        context = pipeline.commands.errands.context
        context.errands = Errands(errands_kept(store.kept(ERRANDS)))
        context.answers.load(store.kept(ANSWERS))
        self._answers = context.answers
        self.to_centre: AnswersCentre = lambda _answer: None

    def from_centre(self, topic: str, text: bytes, carry: Carry) -> None:
        """Carry out what our centre said, and answer it. Any thread."""
        self._answers.expect(_decode_nonce(text).nonce)
        carry(topic, text)

    def durable(self, outcome: Outcome) -> None:
        """What was to be said once this is durable. Belongs to the intake thread."""
        for topic, payload in outcome.said:
            self._session.publish(topic, payload)
        for answer in outcome.answers:
            self.to_centre(answer)
