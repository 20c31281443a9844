"""An operator's central system that does as the test says: it answers, is slow, silent, refuses, or closes."""

import contextlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

FIRST_NUMBER = 500
SUBPROTOCOLS = [Subprotocol("ocpp1.6"), Subprotocol("ocpp2.0.1")]


@dataclass
class StubOperator:
    """`heard`: pile, message id, action, payload of each call, in the order of their coming."""

    heard: list[tuple[str, str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lines: dict[str, ServerConnection] = field(default_factory=dict)
    mode: str = "answers"  # answers, silent, refuses (CALLERROR), closes (upon a call)
    verdict: str = "Accepted"
    before: Callable[[str], None] = lambda _action: None
    answered: deque[Any] = field(default_factory=deque)
    _number: int = FIRST_NUMBER
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def said(self, action: str, pile: str | None = None) -> list[Any]:
        return [payload for name, _, said, payload in list(self.heard) if said == action and pile in (None, name)]

    def call(self, pile: str, action: str, payload: Any, message: str = "op-1") -> None:
        """Ask the pile; its answer comes into `answered`."""
        self.lines[pile].send(json.dumps([2, message, action, payload]))

    def serve(self, line: ServerConnection) -> None:
        assert line.request is not None
        pile = line.request.path.rpartition("/")[2]
        self.headers.append(dict(line.request.headers))
        self.lines[pile] = line
        with contextlib.suppress(ConnectionClosed):
            for raw in line:
                self._take(pile, line, json.loads(raw))

    def _take(self, pile: str, line: ServerConnection, message: Any) -> None:
        if message[0] != 2:
            self.answered.append(message)
            return
        _, number, action, payload = message
        with self._lock:
            self.heard.append((pile, number, action, payload))
        self.before(action)
        if self.mode == "silent":
            return
        if self.mode == "closes":
            line.close()
            return
        if self.mode == "refuses":
            line.send(json.dumps([4, number, "InternalError", "the operator has a fault", {}]))
            return
        line.send(json.dumps([3, number, self._answer(action)]))

    def _answer(self, action: str) -> dict[str, Any]:
        info = {"status": self.verdict}
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": "2026-11-29T00:00:00Z", "interval": 77}
        if action == "StartTransaction":
            with self._lock:
                self._number += 1
            return {"transactionId": self._number, "idTagInfo": info}
        return {"idTagInfo": info} if action == "Authorize" else {}


@contextlib.contextmanager
def operator(stub: StubOperator, port: int = 0, **more: Any) -> Iterator[tuple[str, Server]]:
    """Its address while it is there. `port`: to be there again where it was."""
    with serve(stub.serve, "127.0.0.1", port, subprotocols=SUBPROTOCOLS, compression=None, **more) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        scheme = "wss" if "ssl" in more else "ws"
        try:
            yield f"{scheme}://127.0.0.1:{server.socket.getsockname()[1]}/operator", server
        finally:
            for line in list(stub.lines.values()):
                with contextlib.suppress(OSError):
                    line.socket.shutdown(2)
            stub.lines.clear()
            server.shutdown()
            thread.join(60)
