"""The line of a virtual pile: dials, says what the pile says, one call at a time, and dials again when it is lost."""

import json
import logging
import threading
from itertools import count

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect

from firmware_bridge.emulator.ocpp.pile import VirtualPile
from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

AGAIN_S = 2.0
LISTEN_S = 0.2
ANSWER_S = 30.0
SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1"}


class PileThread(threading.Thread):
    """`address` without the pile's name. Ends after `stop`."""

    def __init__(self, pile: VirtualPile, address: str, stop: threading.Event) -> None:
        super().__init__(name=f"pile-{pile.name}", daemon=True)
        self._pile, self._address, self._stop_asked = pile, address, stop
        self._ids = count(1)

    def run(self) -> None:
        while not self._stop_asked.is_set():
            try:
                self._talk()
            except (OSError, WebSocketException, InvalidHandshake, TimeoutError) as error:
                log.info("virtual pile %s: %s; dialling again", self._pile.name, type(error).__name__)
            self._stop_asked.wait(AGAIN_S)

    def _talk(self) -> None:
        protocol = SUBPROTOCOLS[self._pile.version]
        address = f"{self._address}/{self._pile.name}"
        with connect(address, subprotocols=[protocol], compression=None, ping_interval=None) as line:  # type: ignore[list-item]
            self._pile.dialled(monotonic_s())
            while not self._stop_asked.is_set():
                self._pile.tick(monotonic_s())
                if not self._say_next(line):
                    self._listen(line, LISTEN_S)

    def _say_next(self, line: ClientConnection) -> bool:
        said = self._pile.say()
        if said is None:
            return False
        action, payload, plug = said
        name = str(next(self._ids))
        try:
            line.send(json.dumps([2, name, action, payload]))
            answer = self._answer(line, name)
        except BaseException:
            self._pile.again(said)
            raise
        if answer is not None:
            self._pile.heard(action, plug, answer)
        return True

    def _answer(self, line: ClientConnection, name: str) -> dict[str, object] | None:
        """The payload of the answer; None for a refusal. TimeoutError without either."""
        until = monotonic_s() + ANSWER_S
        while (left := until - monotonic_s()) > 0:
            message = self._listen(line, left)
            if message is not None and message[1] == name:
                return message[2] if message[0] == 3 and isinstance(message[2], dict) else None
        raise TimeoutError

    def _listen(self, line: ClientConnection, timeout_s: float) -> list[object] | None:
        """Take one message: a call is answered, an answer is returned."""
        try:
            message: list[object] = json.loads(line.recv(timeout_s))
        except TimeoutError:
            return None
        if message[0] != 2:
            return message
        action, payload = str(message[2]), message[3]
        answer = self._pile.asked(action, payload, monotonic_s()) if isinstance(payload, dict) else None
        if answer is None:
            line.send(json.dumps([4, message[1], "NotImplemented", "", {}]))
        else:
            line.send(json.dumps([3, message[1], answer]))
        return None
