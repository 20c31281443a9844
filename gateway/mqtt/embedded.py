"""The embedded broker: iotcore in a child process, on loopback only, ended with us.

The child is in a session of its own, so that Ctrl-C in a terminal reaches only us and the last messages can still be
taken in order. It ends by itself when we are gone: its standard input closes.
"""

import errno
import logging
import os
import socket
import subprocess
import sys
import threading

from config.schema import Settings
from config.schema.base import HostPort
from gateway.base.clock import monotonic_s

log = logging.getLogger(__name__)

MAX_PAYLOAD = 65_536
START_S, STOP_S, POLL_S = 10.0, 2.0, 0.02


class EmbeddedBroker:
    """Keeps nothing over a restart; devices send again what no watermark covers."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def of(cls, settings: Settings) -> "EmbeddedBroker | None":
        """The one that the configuration asks for; None when it names another broker."""
        endpoint = settings.mqtt.endpoint
        return cls(endpoint.host, endpoint.port) if endpoint.embedded else None

    def start(self) -> None:
        """OSError with a clear text when the port is in use or the broker does not come up."""
        self._claim_port()
        command = [sys.executable, "-m", "gateway.mqtt.embedded", self.host, str(self.port)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
        end, wait = monotonic_s() + START_S, threading.Event()
        while monotonic_s() < end and self.running:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                wait.wait(POLL_S)
            else:
                log.info("embedded broker on %s", HostPort(self.host, self.port))
                return
        self.stop()
        raise OSError(f"the embedded broker did not come up on {HostPort(self.host, self.port)}")

    def _claim_port(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
                raise OSError(
                    f"mqtt.url: {HostPort(self.host, self.port)} {why}; stop what listens there, or set another port "
                    "(demo: --mqtt HOST:PORT)"
                ) from None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """Safe to call twice."""
        child, self._child = self._child, None
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()


def _end_with_parent() -> None:
    try:
        sys.stdin.buffer.read()
    finally:
        os._exit(0)


def main(host: str, port: int) -> None:
    """The child: serve until the parent is gone."""
    from iotcore import Broker

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # rumqttd opens an error span for every packet; only real trouble of the process itself is worth a line.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    Broker(port=port, listen=host, max_payload_size=MAX_PAYLOAD, max_inflight_count=100).run_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
