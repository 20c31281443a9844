"""A loopback proxy that cuts, hangs and swallows answers, in front of an engine that knows nothing of it.

    python -m tests.e2e.copying.faulty_proxy TARGET_PORT SEED

Prints its port. A line on stdin, `away`, `faulty` or `fine`, says how it is; each line, whatever it says, is answered
with the faults so far.
"""

import contextlib
import json
import random
import socket
import struct
import sys
import threading
import time
from collections import Counter

MODES = ("away", "faulty", "fine")
HANG_S = 1.5
FAULTS = {"request cut", "request hang", "answer cut", "answer hang"}
FAULT_SHARE = 0.15  # of the pieces that pass, each way
PIECE = 65_536


class FaultyProxy:
    """`mode` may change at any time; `faults` counts what it did."""

    def __init__(self, target_port: int, seed: int) -> None:
        self.mode = "away"
        self.faults: Counter[str] = Counter()
        self._deck = {way: ["cut", "hang"] for way in ("request", "answer")}
        self._target, self._rng = target_port, random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection, both ways, until either side or a fault ends it."""
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as engine:
            for sock in (client, engine):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a slow line is not what is tested
            back = threading.Thread(target=self._pass, args=(engine, client, "answer"), daemon=True)
            back.start()
            self._pass(client, engine, "request")
            back.join(HANG_S)

    def _pass(self, source: socket.socket, sink: socket.socket, what: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                fault = self._fault(what)
                if fault is not None:
                    self.faults[f"{what} {fault}"] += 1
                if fault == "hang":
                    time.sleep(HANG_S)
                if fault == "cut":
                    _reset(source, sink)
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _fault(self, what: str) -> str | None:
        """First each of them once, each way."""
        if self.mode == "away":
            return "cut"
        if self.mode == "faulty" and self._rng.random() < FAULT_SHARE:
            return self._deck[what].pop() if self._deck[what] else self._rng.choice(("cut", "cut", "cut", "hang"))
        return None


def _reset(*sockets: socket.socket) -> None:
    for sock in sockets:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.shutdown(socket.SHUT_RD)  # wakes the thread that waits in it, or it would stay open
            sock.close()


def main() -> None:
    proxy = FaultyProxy(int(sys.argv[1]), int(sys.argv[2]))
    print(proxy.port, flush=True)
    for line in sys.stdin:
        if line.strip() in MODES:
            proxy.mode = line.strip()
        print(json.dumps(proxy.faults.copy()), flush=True)


if __name__ == "__main__":
    main()
