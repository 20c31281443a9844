"""What staff ask of piles: `yz-cmd/{station}/{bridge}/call`, signed; answered on `yz-reply/{station}/{nonce}`, signed.

A command says `do`: `call` with `charge_point`, `action` and `payload` (any call of a central system), or one of the
deeds of `firmware_bridge.ocpp.staff` for a `device`. The answer has `result`, `error` as the pile named it, or
`trouble`, one of unknown, not_connected, no_answer, busy, foreign_token, senseless, too_large, operator_commands, with
a `text`.

And what is told of piles: `yz-pile/{station}/{charge_point}`, retained while one is there.
"""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Annotated, Any, Literal, Protocol

import msgspec

from firmware_bridge.devices.base import DeviceReading
from gateway.base.clock import now_ms
from gateway.commands import LIFE_MS, SignedCommand, answer_in_short, sign
from gateway.model import Millis, Signal

log = logging.getLogger(__name__)

MAX_BYTES = 65_536

CallDeed = Literal["call", "reset", "unlock", "out_of_service", "in_service", "start", "stop", "reserve", "release"]


class Ordered(msgspec.Struct, kw_only=True):
    """What a command asks for. `until`: ms since 1970, for out_of_service and reserve."""

    do: CallDeed
    charge_point: Annotated[str, msgspec.Meta(max_length=64)] = ""
    device: Annotated[str, msgspec.Meta(max_length=64)] = ""
    action: Annotated[str, msgspec.Meta(max_length=64)] = ""
    payload: dict[str, Any] = {}
    until: Annotated[Millis, msgspec.Meta(ge=0, le=2**53)] | None = None


CallAnswer = dict[str, Any]
Told = Callable[[CallAnswer], None]


class Caller(Protocol):
    """A bus that can call piles. `told` may be called on any thread."""

    def charge_points(self) -> tuple[str, ...]: ...
    def owns(self, ordered: Ordered) -> str | None:
        """The device that an order is about, if it is one of this bus."""

    def carry_out(self, ordered: Ordered, told: Told) -> None: ...


class CallDesk:
    """Any thread may `publish`; `take` and `drain` are the publisher's thread's.

    `wake` ends its wait, `tell` stores what a command led to.
    """

    def __init__(
        self,
        station: str,
        box: str,
        key: Callable[[], bytes | None],
        wake: Callable[[], None],
        tell: Callable[[DeviceReading], None],
    ) -> None:
        self._station, self._box, self.key, self._wake, self._tell = station, box, key, wake, tell
        self._callers: list[Caller] = []
        self._lock = threading.Lock()
        self._there: dict[str, bytes] = {}
        self._outbox: deque[tuple[str, bytes, bool]] = deque()

    def add(self, caller: Caller) -> None:
        self._callers.append(caller)
        self._there |= dict.fromkeys(caller.charge_points(), b"")

    def remove(self, charge_points: Collection[str]) -> None:
        """The bus of these piles ends; what was retained of them is cleared."""
        if charge_points:
            self._callers = [caller for caller in self._callers if not set(caller.charge_points()) & set(charge_points)]
        for charge_point in charge_points:
            self.there(charge_point, None)

    @property
    def topic(self) -> str:
        """On which we are called."""
        return f"yz-cmd/{self._station}/{self._box}/call"

    # ---- piles that are there ----

    def there(self, charge_point: str, about: Mapping[str, Any] | None) -> None:
        """What is told of a pile; None when it is away. Any thread."""
        document = b"" if about is None else msgspec.json.encode({"bridge": self._box, **about})
        with self._lock:  # so that the last word told is the last one known
            self._there[charge_point] = document
            self._publish(f"yz-pile/{self._station}/{charge_point}", document, retain=True)

    def again(self) -> None:
        """The broker may have forgotten, or hold what an earlier run left there."""
        with self._lock:
            for charge_point, document in self._there.items():
                self._publish(f"yz-pile/{self._station}/{charge_point}", document, retain=True)

    # ---- commands ----

    def take(self, order: SignedCommand) -> None:
        """Carry it out; the answer follows when there is one."""
        try:
            ordered = msgspec.json.decode(order.text, type=Ordered)
        except (msgspec.MsgspecError, RecursionError) as error:
            self._reply(order, {"trouble": "senseless", "text": str(error)[:200]})
            return
        for caller in self._callers:
            device = caller.owns(ordered)
            if device is not None:
                caller.carry_out(ordered, partial(self._done, order, ordered, device))
                return
        self._reply(order, {"trouble": "unknown", "text": "no pile of this bridge"})

    def _done(self, order: SignedCommand, ordered: Ordered, device: str, answer: CallAnswer) -> None:
        said = answer_in_short(answer.get("result"), answer.get("error"), answer.get("trouble"))
        what = ordered.action or ordered.do
        log.info("%s at %s by %s: %s", what, ordered.charge_point or device, order.by, said)
        granted = "result" in answer
        told: dict[str, Signal] = {"granted": granted, "reason": f"{what}: {said}"[:200], "by": order.by}
        self._tell(DeviceReading(device, told, "command"))
        self._reply(order, answer)

    def _reply(self, order: SignedCommand, answer: CallAnswer) -> None:
        key = self.key()
        if key is None:
            return
        head = {"nonce": secrets.token_hex(16), "expires": now_ms() + LIFE_MS // 2, "by": self._box}
        topic = f"yz-reply/{self._station}/{order.nonce}"
        payload = sign(key, topic, msgspec.json.encode(head | answer))
        if len(payload) > MAX_BYTES:
            small = {"trouble": "too_large", "text": f"the answer is longer than {MAX_BYTES} bytes"}
            payload = sign(key, topic, msgspec.json.encode(head | small))
        self._publish(topic, payload, retain=False)

    def _publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        self._outbox.append((topic, payload, retain))
        self._wake()

    def drain(self, publish: Callable[[str, bytes, bool], object]) -> None:
        while self._outbox:
            publish(*self._outbox.popleft())
