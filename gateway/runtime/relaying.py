"""What staff say, between this gateway, its boxes and its centre: kept, sent on, answered."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from gateway.alerting.deeds import Deed, encode
from gateway.alerting.desk import StaffDesk
from gateway.commands import SignedCommand
from gateway.commands.answers import KEPT as ANSWERS
from gateway.commands.answers import ErrandAnswer, State, in_short
from gateway.commands.errands import CENTRE, KEEP_MS, Errands, errands_kept
from gateway.commands.errands import KEPT as ERRANDS
from gateway.core.outcome import Outcome
from gateway.core.pipeline import Pipeline
from gateway.model import Millis
from gateway.mqtt import Session
from gateway.store.base import Store
from gateway.store.jobs import Job, Keep
from gateway.uplink.line import UplinkLine

Carry = Callable[[str, bytes], None]
"""(topic, text): have it carried out as if our own staff had said so."""
Configure = Callable[[str, str, bytes, Callable[[State, str], None]], None]
"""(station, nonce, text, answered): carry a change set out beside us, and tell what came of it. Returns at once."""
LONGEST_NOTE: Final = 1_000
SOON_MS: Final = 15 * 60_000
"""Steps are taken back soon, or not at all."""
OF_THE_CENTRE: Final = frozenset(("box_offline", "internal_error"))
"""Alerts about the centre's own view of a station, which the box has not."""


class _Head(msgspec.Struct, gc=False):
    nonce: str
    by: str = ""


_decode_head = msgspec.json.Decoder(_Head).decode


class StaffRelay:
    """`follow` the line to our centre, where there is one that obeys us."""

    def __init__(self, pipeline: Pipeline, session: Session, store: Store, desk: StaffDesk, carry: Carry) -> None:
        self._session, self._carry = session, carry
        self._line: UplinkLine | None = None
        self._errands = errands = pipeline.commands.errands
        errands.context.errands = Errands(errands_kept(store.kept(ERRANDS)))
        errands.context.answers.load(store.kept(ANSWERS))
        errands.on_settled = desk.note
        desk.on_done, desk.on_answer = self._done, self._answered
        self._commands, self._note = pipeline.commands, desk.note

    def follow(self, line: UplinkLine) -> None:
        """What is done here goes over this line, and the answers for the centre."""
        self._line = line
        if line.obeys:
            self._errands.centre = line.outbound.box
            self._errands.centre_up = lambda: line.session.connected
            line.on_reply = self._replied
            self._errands.on_pile = line.retain

    # ---- any thread ----

    def from_centre(self, topic: str, text: bytes) -> None:
        """Carry out what our centre said, and answer it."""
        self._errands.context.answers.expect(_decode_head(text).nonce)
        self._carry(topic, text)

    def to_bridge(self, topic: str, text: bytes) -> None:
        """Have a bridge of ours do what our centre says, now or never; its answer goes back."""
        head = _decode_head(text)
        _, station, name, what = topic.split("/")
        self._errands.centre_asks_bridge(topic, text, head.nonce)
        self._note(f"{head.by}@{CENTRE}", what, f"{station}/{name}", "")
        self._session.wake()

    def _answered(self, deed: Deed, state: State, why: str) -> None:
        self._errands.came_of_it(ErrandAnswer(deed.station, deed.nonce, state, why), deed.told_by)
        self._session.wake()

    def _replied(self, answer: ErrandAnswer) -> None:
        self._errands.centre_says(answer)
        self._session.wake()

    def configure_by(self, change: Configure) -> None:
        """Have `change` carry out what our centre changes in the configuration of one of our stations."""

        def on_config(order: SignedCommand) -> None:
            station = order.path[0]

            def answered(state: State, why: str) -> None:
                what = "configuration_saved" if state == "done" else "configuration_refused"
                self._note(f"{order.by}@{CENTRE}", what, station, in_short(why)[:LONGEST_NOTE])
                self._errands.came_of_it(ErrandAnswer(station, order.nonce, state, why), "")
                self._session.wake()

            change(station, order.nonce, order.text, answered)

        self._commands.on_config = on_config

    # ---- the intake thread ----

    def durable(self, outcome: Outcome) -> None:
        """What was to be said once this is durable."""
        for topic, payload in outcome.said:
            self._session.publish(topic, payload)
        line = self._line
        if line is not None:
            for answer in outcome.answers:
                line.answer(answer)
            for topic, text in outcome.to_centre:
                line.say(topic, text)

    def _done(self, deed: Deed, now: Millis) -> Sequence[Job]:
        """A deed was carried out here: our box and our centre are to do it, too, but for whoever told us of it."""
        if deed.about is not None and deed.about.kind in OF_THE_CENTRE:
            return ()
        errands, until = self._errands, _until(deed, now)
        down = encode(msgspec.structs.replace(deed, told_by=CENTRE))
        put = errands.put_down(deed.station, "staff", deed.nonce, deed.by, down, now, until, deed.told_by)
        if deed.told_by != CENTRE:
            up = encode(msgspec.structs.replace(deed, told_by=errands.centre))
            put = errands.put_up(deed.station, "staff", deed.nonce, deed.by, up, now, until) or put
        if not put:
            return ()
        name, value = errands.kept(now)
        return [Keep(name, value)]


def _until(deed: Deed, now: Millis) -> Millis:
    """When it has no sense any more to do it elsewhere."""
    if deed.do in ("undo", "undo_order"):
        return now + SOON_MS
    if deed.do == "mute" and deed.until is not None:
        return deed.until
    return now + KEEP_MS
