"""Brokers for a run, on loopback and a free port, ended with the block."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.mqtt.embedded import EmbeddedBroker

CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 5000
max_queued_messages 0
max_packet_size 200000
log_dest none
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def mosquitto(folder: Path, *more: str) -> Iterator[int]:
    """Its port. Queues without bound and nothing kept on disk, so that it is never what is measured; `more`: lines."""
    port = free_port()
    path = folder / "mosquitto.conf"
    path.write_text("\n".join((CONFIG.format(port=port), *more)))
    process = subprocess.Popen(["mosquitto", "-c", str(path)])
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def embedded(_folder: Path) -> Iterator[int]:
    """The broker of the one-box product, with its window of 100."""
    broker = EmbeddedBroker("127.0.0.1", free_port())
    broker.start()
    try:
        wait_for(broker.port)
        yield broker.port
    finally:
        broker.stop()


def wait_for(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise TimeoutError(f"no broker on port {port}")
