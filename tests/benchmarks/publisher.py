"""A publisher that costs next to nothing: packets are built before the start and leave in bulk over raw sockets.

    python -m tests.benchmarks.publisher PORT STATIONS SEATS COUNT FLIP_EVERY RATE WARM

The first WARM messages leave at the first line on stdin, the rest at the next; `done` is said after each.
"""

import selectors
import socket
import sys
from time import monotonic, time_ns

from tests.benchmarks.places import names, packets

CONNECTIONS = 4
CHUNK = 250  # messages a write
WINDOW = 20_000  # messages a connection may have without PUBACK


class Connection:
    def __init__(self, port: int, number: int) -> None:
        self.left: list[tuple[bytes, int]] = []
        self.sent = self.acked = self.heard = self.total = 0
        self.pending = memoryview(b"")
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"publisher-{number}".encode()
        body = b"\x00\x04MQTT\x04\x02\x02\x58" + len(name).to_bytes(2, "big") + name
        self.sock.sendall(bytes((0x10, len(body))) + body)
        if self.sock.recv(4)[:1] != b"\x20":
            raise ConnectionError("the broker refused the publisher")
        self.sock.setblocking(False)

    def load(self, built: list[bytes]) -> None:
        """Have these packets sent next."""
        parts = [built[at : at + CHUNK] for at in range(0, len(built), CHUNK)]
        self.left = [(b"".join(part), len(part)) for part in reversed(parts)]
        self.total += len(built)

    @property
    def ready(self) -> bool:
        return bool(self.pending or self.left) and self.sent - self.acked < WINDOW

    def write(self) -> None:
        if not self.pending:
            chunk, messages = self.left.pop()
            self.pending = memoryview(chunk)
            self.sent += messages
        self.pending = self.pending[self.sock.send(self.pending) :]

    def read(self) -> None:
        data = self.sock.recv(65_536)
        if not data:
            raise ConnectionError("the broker is gone")
        self.heard += len(data)
        self.acked = self.heard // 4  # nothing but PUBACKs comes, four bytes each


def publish(connections: list[Connection], rate: float) -> None:
    """Until every message has its PUBACK. `rate`: messages a second over all connections, 0 for as fast as can be."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        begin, before = monotonic(), sum(connection.sent for connection in connections)
        while any(connection.acked < connection.total for connection in connections):
            late = not rate or sum(connection.sent for connection in connections) - before <= rate * (
                monotonic() - begin
            )
            for connection in connections:
                wants = selectors.EVENT_WRITE if connection.pending or (late and connection.ready) else 0
                selector.modify(connection.sock, selectors.EVENT_READ | wants, connection)
            for key, events in selector.select(0.001 if rate else 0.1):
                if events & selectors.EVENT_READ:
                    key.data.read()
                if events & selectors.EVENT_WRITE:
                    key.data.write()


def main() -> None:
    port, stations, seats, count, flip_every = (int(text) for text in sys.argv[1:6])
    rate, warm = float(sys.argv[6]), int(sys.argv[7])
    devices = list(names(stations, seats))
    shares = []
    for number in range(CONNECTIONS):
        built = list(
            packets(
                devices[number::CONNECTIONS], len(range(number, count, CONNECTIONS)), flip_every, time_ns() // 1_000_000
            )
        )
        shares.append((Connection(port, number), built))
    connections = [connection for connection, _ in shares]
    cuts = [len(range(number, warm, CONNECTIONS)) for number in range(CONNECTIONS)]
    print("ready", flush=True)
    for first, pace in ((True, 0.0), (False, rate)):
        if first and not warm:
            continue
        for (connection, built), cut in zip(shares, cuts, strict=True):
            connection.load(built[:cut] if first else built[cut:])
        sys.stdin.readline()
        publish(connections, pace)
        print("done", flush=True)


if __name__ == "__main__":
    main()
