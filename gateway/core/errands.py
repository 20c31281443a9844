"""What is said for stations of boxes goes to the box until it answers; what others said to us is answered once."""

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from gateway.commands import CommandError, Gate, SeenNonces, SignedCommand, sign
from gateway.commands.answers import KEPT as ANSWERS
from gateway.commands.answers import ErrandAnswer, State, decode_said, in_short, reply
from gateway.commands.errands import AGAIN_MS, CENTRE, KEEP_MS, TO_CENTRE, Errand, key_of, said_anew
from gateway.commands.errands import KEPT as ERRANDS
from gateway.core.context import Context
from gateway.model import RETAINED, Millis
from gateway.policy.override import Command, read_command

DIRECT: Final = frozenset(("override", "check", "config"))
"""What the box has heard as we did, where its line stands: whoever says it says it on its topic."""
CALLS_MOST: Final = 1_000
"""Questions to bridges whose answers may still come."""

Carry = Callable[[str, Command, Millis], None]
"""(station, command, now): what the box has done by hand holds here, too. CommandError where it can't."""


class BoxErrands:
    """`on_settled(by, what, target, detail)` writes the audit trail of what a box refused, or never did. `centre`: our
    own name at the centre that obeys us, empty where there is none; `centre_up`: whether the line to it stands.
    `on_pile(topic, payload)` tells the centre of a charging pile.
    """

    def __init__(self, context: Context, carry: Carry) -> None:
        self.context, self._carry = context, carry
        self._key: bytes | None = None
        self._gate = Gate(lambda: None, SeenNonces())
        self.on_settled: Callable[[str, str, str, str], None] = lambda _by, _what, _target, _detail: None
        self.centre = ""
        self.centre_up: Callable[[], bool] = lambda: False
        self._beside: deque[tuple[ErrandAnswer, str]] = deque()  # what came of deeds, and who waits for it
        self._from_centre: deque[ErrandAnswer] = deque()
        self._to_bridges: deque[tuple[str, bytes]] = deque()
        self._calls: dict[str, str] = {}  # nonce → topic of what our centre asked bridges
        self.on_pile: Callable[[str, bytes], None] = lambda _topic, _payload: None

    def trust(self, key: bytes) -> None:
        self._key, self._gate = key, Gate(lambda: key, SeenNonces())

    # ---- any thread ----

    def came_of_it(self, answer: ErrandAnswer, way: str) -> None:
        """Note what came of something that was carried out outside of the core; `way` is who told it."""
        self._beside.append((answer, way))

    def centre_says(self, answer: ErrandAnswer) -> None:
        """What came of something that we said to our centre."""
        self._from_centre.append(answer)

    def centre_asks_bridge(self, topic: str, text: bytes, nonce: str) -> None:
        """A command of our centre goes to a bridge of ours, whose answer goes back to it."""
        self._to_bridges.append((topic, text))
        self._calls[nonce] = topic
        while len(self._calls) > CALLS_MOST:
            self._calls.pop(next(iter(self._calls)), None)

    # ---- to boxes, and to our centre ----

    def put(self, order: SignedCommand, station: str, what: str, now: Millis, until: Millis | None = None) -> bool:
        """Have the box of this station told, if it has one. `until`: when it has no sense any more."""
        line = self.context.live.box_lines.obeying(station)
        if line is None:
            return False
        errand = self._errand(line.box, station, what, order.nonce, order.by, order.text, now, until)
        errand.next_at = now + AGAIN_MS if line.online and what in DIRECT else 0
        self._put(errand, now)
        return True

    def put_down(
        self, station: str, what: str, nonce: str, by: str, text: bytes, now: Millis, until: Millis, told_by: str
    ) -> bool:
        """Have the box of this station told of what was done here, unless it told us of it."""
        line = self.context.live.box_lines.obeying(station)
        if line is None or line.box == told_by:
            return False
        return self._tell_on(self._errand(line.box, station, what, nonce, by, text, now, until), now)

    def put_up(
        self, station: str, what: str, nonce: str, by: str, text: bytes, now: Millis, until: Millis | None
    ) -> bool:
        """Have our centre told of what was done here, if it obeys us."""
        if not self.centre:
            return False
        return self._tell_on(self._errand(TO_CENTRE, station, what, nonce, by, text, now, until), now)

    def _tell_on(self, errand: Errand, now: Millis) -> bool:
        """Of what was done here already: where there is no place for it, the audit trail says so."""
        try:
            self._put(errand, now)
        except CommandError as error:
            detail = f"{errand.box or CENTRE}: {error}"
            self.on_settled(errand.by, f"{errand.what}_refused", errand.station, detail)
            return False
        return True

    @staticmethod
    def _errand(
        box: str, station: str, what: str, nonce: str, by: str, text: bytes, now: Millis, until: Millis | None
    ) -> Errand:
        keep_until = min(until or now + KEEP_MS, now + KEEP_MS)
        return Errand(nonce, box, station, what, by, text.decode(), now, keep_until)

    def _put(self, errand: Errand, now: Millis) -> None:
        self.context.errands.put(errand)
        self._keep_errands(now)

    def kept(self, now: Millis) -> tuple[str, bytes]:
        """Name and value of all that waits, to be stored with what it follows from."""
        return ERRANDS, self.context.errands.dump(now)

    @property
    def busy(self) -> bool:
        """Whether a tick may have something to do."""
        return bool(self.context.errands or self._beside or self._from_centre or self._to_bridges)

    def tick(self, now: Millis) -> None:
        """Those that are due go, and those that waited for too long end."""
        context, key = self.context, self._key
        while self._beside:
            self._tell(*self._beside.popleft(), now)
        while self._from_centre:
            answer = self._from_centre.popleft()
            self._settle(key_of(answer.nonce, up=True), answer.state, answer.why, now)
        while self._to_bridges:
            topic, text = self._to_bridges.popleft()
            if key is not None:
                context.outcome.said.append((topic, sign(key, topic, text)))
        lines = context.live.box_lines.lines
        up = lambda box: self.centre_up() if box == TO_CENTRE else box in lines and lines[box].online  # noqa: E731
        for errand in context.errands.due(now, up):
            if errand.box == TO_CENTRE:
                context.outcome.to_centre.append((errand.topic, said_anew(errand, now)))
            elif key is not None:
                context.outcome.said.append((errand.topic, sign(key, errand.topic, said_anew(errand, now))))
        for errand in context.errands.expire(now):
            self._settled(errand, now)

    def hear(self, topic: bytes, payload: bytes, flags: int, now: Millis) -> None:
        """An answer on `yz-reply/{station}/{nonce}`. One that is none of ours, or is forged, says nothing."""
        _, station, nonce, *more = [*topic.decode(errors="replace").split("/"), "", ""][:4]
        if nonce in self._calls:
            self._bridge_answers(topic, payload, station, nonce, now)
            return
        errand = self.context.errands.find(nonce)
        if errand is None or errand.state != "waiting" or errand.station != station or any(more):
            return
        try:
            order = self._gate.open(topic, payload, now, retained=bool(flags & RETAINED))
            said = decode_said(order.text)
        except (CommandError, msgspec.MsgspecError, RecursionError) as error:
            if isinstance(error, CommandError):
                self._gate.refuse(error, now)
            return
        self._settle(nonce, said.state, said.why, now)

    def _bridge_answers(self, topic: bytes, payload: bytes, station: str, nonce: str, now: Millis) -> None:
        if self._calls[nonce].split("/")[1] != station:
            return
        try:
            order = self._gate.open(topic, payload, now)
        except CommandError as error:
            self._gate.refuse(error, now)
            return
        del self._calls[nonce]
        self.context.outcome.to_centre.append((order.topic, order.text))

    def _settle(self, key: str, state: State, why: str, now: Millis) -> None:
        settled = self.context.errands.settle(key, state, why, now)
        if settled is not None:
            self._settled(settled, now)

    def _settled(self, errand: Errand, now: Millis) -> None:
        """It holds here as well, or is told as undone; whoever said it to us hears of it."""
        self._keep_errands(now)
        if errand.box != TO_CENTRE and errand.what == "override" and errand.state == "done":
            try:
                self._carry(errand.station, read_command(errand.text.encode(), now), now)
            except CommandError as error:  # its time is over, or the place is gone here
                errand.why = str(error)
        elif errand.what == "config" and errand.state == "done":
            self.on_settled(errand.by, "configuration_saved", errand.station, f"{errand.box}: {in_short(errand.why)}")
        elif errand.state != "done":
            why = in_short(errand.why) or "no answer in time"
            where = errand.box or CENTRE
            self.on_settled(errand.by, f"{errand.what}_{errand.state}", errand.station, f"{where}: {why}")
        if errand.box != TO_CENTRE and errand.what in DIRECT:
            self._tell(ErrandAnswer(errand.station, errand.nonce, errand.state, errand.why), "", now)

    def _keep_errands(self, now: Millis) -> None:
        self.context.outcome.kept[ERRANDS] = self.context.errands.dump(now)

    # ---- to whoever said something to us ----

    def came_again(self, nonce: str, now: Millis) -> bool:
        """Whether it is known what came of this command, or it is ours: it is done once, and answered again."""
        known = self.context.answers.get(nonce)
        if known is not None:
            self._publish(*known, now)
        return known is not None or self.context.errands.knows(nonce)

    def forgotten(self, order: SignedCommand, now: Millis) -> None:
        """It came before, and that is all that is known of it."""
        if self.context.answers.expected(order.nonce):
            self._tell(
                ErrandAnswer(order.path[0], order.nonce, "refused", "came before; what came of it is not known"),
                "",
                now,
            )

    def answer(self, order: SignedCommand, way: str, state: State, why: str, now: Millis) -> None:
        """What came of a command that our centre said, or a box of ours: `way` is its name."""
        self._tell(ErrandAnswer(order.path[0], order.nonce, state, why), way, now)

    def _tell(self, answer: ErrandAnswer, way: str, now: Millis) -> None:
        answers = self.context.answers
        before = answers.get(answer.nonce)
        if not (way or before is not None or answers.expected(answer.nonce)):
            return  # nobody waits
        way = way or (before[1] if before is not None else "")
        answers.put(answer, way, now)
        self.context.outcome.kept[ANSWERS] = answers.dump(now)
        self._publish(answer, way, now)

    def _publish(self, answer: ErrandAnswer, way: str, now: Millis) -> None:
        if way in ("", CENTRE):
            self.context.outcome.answers.append(answer)
        elif self._key is not None:
            self.context.outcome.said.append(reply(self._key, answer, "gateway", now))
