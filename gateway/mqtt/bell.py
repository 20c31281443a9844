"""Waiting for a socket in a way that other threads can end."""

import contextlib
import select
import socket
import ssl


class Bell:
    """`ring` from any thread ends the present `wait`, or the next one. All else belongs to one thread."""

    def __init__(self) -> None:
        self._ear, self._rope = socket.socketpair()
        for end in (self._ear, self._rope):
            end.setblocking(False)

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            self._rope.send(b"\0")

    def wait(
        self, timeout_s: float, sock: socket.socket | None = None, *, to_read: bool = True, to_write: bool = False
    ) -> bool:
        """At most `timeout_s`; True when `sock` has something to read, if that is wanted, or is broken."""
        if to_read and isinstance(sock, ssl.SSLSocket) and sock.pending():
            return True
        poller = select.poll()
        poller.register(self._ear, select.POLLIN)
        if sock is not None:
            poller.register(sock, (select.POLLIN if to_read else 0) | (select.POLLOUT if to_write else 0))
        readable = False
        for number, event in poller.poll(timeout_s * 1000):
            if number == self._ear.fileno():
                self._silence()
            elif event & ~select.POLLOUT:
                readable = True
        return readable

    def _silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._ear.recv(4096):
                pass

    def close(self) -> None:
        self._ear.close()
        self._rope.close()
