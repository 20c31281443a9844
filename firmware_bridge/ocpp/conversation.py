"""A message of a pile → its answer: decoded, judged by the schema, handled, kept, answered. One for each connection."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from firmware_bridge.devices.base import Heard
from firmware_bridge.ocpp import frames, schemas, v16, v201
from firmware_bridge.ocpp.calls import CallOutcome, PileCalls
from firmware_bridge.ocpp.frames import FrameError, PileCall, PileError, PileResult
from firmware_bridge.ocpp.pile import ChargePoint, OcppVersion
from firmware_bridge.ocpp.reply import Handler, Reply, Scene
from firmware_bridge.ocpp.schemas import SchemaFault
from firmware_bridge.ocpp.tokens import TokenDesk
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps

log = logging.getLogger(__name__)

_HANDLERS: Mapping[OcppVersion, Mapping[str, Handler]] = {
    "1.6": v16.HANDLERS, "2.0.1": v201.HANDLERS, "2.1": v201.HANDLERS_2_1,
}  # fmt: skip


class Around(Protocol):
    """What a conversation needs of its bus."""

    tokens: TokenDesk
    mishaps: Mishaps
    heartbeat_s: int

    def keep(self, heard: Heard, done: Callable[[bool], None]) -> None: ...
    def booted(self, talk: "Conversation") -> None: ...


class Relaying(Protocol):
    """What passes the pile's calls on to its operator."""

    def heard(self, talk: "Conversation", call: PileCall, raw: bytes) -> bool: ...


class Conversation:
    """`send` writes to the pile, `go_on` says that its next message may come."""

    def __init__(
        self, pile: ChargePoint, around: Around, send: Callable[[bytes], None], go_on: Callable[[], None]
    ) -> None:
        self.pile, self._around, self.send, self._go_on = pile, around, send, go_on
        self.calls = PileCalls(send)
        self.relay: Relaying | None = None
        self.booted = self.asked_status = self.settled = False

    def hear(self, raw: bytes) -> bool:
        """Take a message; True when `go_on` will follow."""
        version = self.pile.version
        try:
            message = frames.read(raw)
        except FrameError as error:
            if error.id is not None or version != "1.6":  # 1.6 has no way to answer what has no id
                code = error.code if error.id is not None and version != "1.6" else schemas.format_code(version)
                self.send(frames.error(error.id or frames.NO_ID, code, f"the message {error}"))
            return False
        if isinstance(message, PileCall) and self.relay is not None:
            return self.relay.heard(self, message, raw)
        if isinstance(message, PileCall):
            listened = self.listen(message)
            if isinstance(listened, SchemaFault):
                self.refuse(message, listened.code, listened.text)
                return False
            return self.keep(message, listened)
        self._answered(message, raw)
        return False

    def listen(self, call: PileCall) -> Reply | SchemaFault:
        """What a call leads to, or why it is refused."""
        version = self.pile.version
        handler = _HANDLERS[version].get(call.action)
        if handler is None and call.action in schemas.actions(version):
            return SchemaFault("NotSupported", "a central system takes no such call")
        if handler is None:
            return SchemaFault("NotImplemented", "no action of this version")
        fault = schemas.request_fault(call.action, version, call.payload) if call.wants_answer else None
        if fault is not None:
            return fault
        try:
            scene = Scene(self.pile, self._around.tokens, now_ms(), self._around.heartbeat_s)
            return handler(scene, call.payload)
        except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
            self._around.mishaps.note(f"a {call.action} of a pile", error)
            return SchemaFault("InternalError", "a fault of this program")

    def keep(self, call: PileCall, reply: Reply) -> bool:
        """The answer goes out when what was said is on disk; True when `go_on` will follow."""
        if not reply.readings and reply.step is None:
            self.answer(call, reply)
            return False
        heard = Heard(tuple(reply.readings), self.pile.devices, step=reply.step)

        def kept(stored: bool) -> None:
            if stored:
                self.answer(call, reply)
            else:
                self.pile.untold([reading.device for reading in reply.readings])
                self.refuse(call, "InternalError", "it could not be kept")
            self._go_on()

        self._around.keep(heard, kept)
        return True

    def answer(self, call: PileCall, reply: Reply, instead: bytes | None = None) -> None:
        """With our own answer, or `instead` with another's."""
        payload = reply.payload()
        if call.wants_answer:
            self.send(frames.result(call.id, payload) if instead is None else instead)
        if reply.booted:
            self.booted = True
            self._around.booted(self)

    def refuse(self, call: PileCall, code: str, text: str) -> None:
        if call.wants_answer:
            self.send(frames.error(call.id, code, text))

    def _answered(self, message: PileResult | PileError, raw: bytes) -> None:
        if isinstance(message, PileError) and message.about_result:
            return
        told = self.calls.answered(message)
        if told is None:
            return
        if isinstance(message, PileError):
            told(CallOutcome(error=message, raw=raw))
        else:
            told(CallOutcome(result=message.payload, raw=raw))
