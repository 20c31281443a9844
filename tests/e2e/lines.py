"""A line between a box and its centre that can be cut: whatever is on it then is lost."""

import contextlib
import socket
import threading
from types import TracebackType

from tests.ports import free_port


class CutLine:
    """Hands bytes on between `port` and the broker behind `target`. Use as a context manager."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._lock, self._ends = threading.Lock(), set[socket.socket]()
        self._whole, self._ending = True, False
        self._listener: socket.socket | None = None

    def __enter__(self) -> "CutLine":
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ending = True
        self.cut()
        if self._listener is not None:
            self._listener.close()

    def cut(self) -> None:
        """From now on nothing goes through, either way."""
        with self._lock:
            self._whole = False
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._lock:
            self._whole = True

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._ending:
                near, _ = listener.accept()
                with self._lock:
                    whole = self._whole
                if not whole:
                    near.close()
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._target), 10)
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._ends |= {near, far}
                for source, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, other), daemon=True).start()

    def _carry(self, source: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                other.sendall(data)
        for end in (source, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            with self._lock:
                self._ends.discard(end)
