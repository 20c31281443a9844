"""Crowds: connections that never say who they are, and a street of piles that dials at once after a power cut."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_bridge.ocpp.entrance import UNPROVEN_MOST
from tests.benchmarks.piles import bridge, certificate, memory_kib
from tests.benchmarks.runs import child, expect, line, say
from tests.conftest import Mosquitto
from tests.firmware_bridge.ocpp.rig import RawPile, dial, port_of
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.slow]
HALF_OPEN = """
import resource, socket, sys
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held, said = [], (b"", b"GET /ocpp/CP00001 HTTP/1.1\\r\\nHost: x\\r\\n", b"\\x16\\x03\\x01")
for number in range(int(sys.argv[2])):
    one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=("127.0.0.2", 0))
    try:
        one.sendall(said[number % 3])
    except OSError:
        pass  # it was let go at once
    held.append(one)
print("all", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    running = Mosquitto(tmp_path, free_port())
    running.start()
    yield running.port
    running.kill()


class Asking(threading.Thread):
    """Another pile that asks all the while; how long it waited, in seconds."""

    def __init__(self, pile: RawPile) -> None:
        super().__init__(daemon=True)
        self._pile, self.took, self.ended = pile, list[float](), threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            begun = time.monotonic()
            self._pile.call("Heartbeat", {})
            self.took.append(time.monotonic() - begun)


def test_ten_thousand_half_open_connections_keep_no_pile_out(tmp_path: Path, broker: int) -> None:
    with bridge(tmp_path, broker, 10) as (pid, address), dial(address, "CP00002", open_timeout=180) as calm:
        asking, before = Asking(calm), memory_kib(pid)
        asking.start()
        crowd = subprocess.Popen(
            [sys.executable, "-c", HALF_OPEN, str(port_of(address)), "10000"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            for number in range(3, 9):  # while they come
                with dial(address, f"CP{number:05d}", open_timeout=180) as pile:
                    assert pile.call("Heartbeat", {})
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == "all\n"
            with contextlib.ExitStack() as dialled:
                for number in range(3, 9):
                    pile = dialled.enter_context(dial(address, f"CP{number:05d}", open_timeout=180))
                    assert pile.call("Heartbeat", {})
            grown = memory_kib(pid) - before
        finally:
            crowd.kill()
            crowd.communicate()
        asking.ended.set()
        asking.join(60)
        assert len(asking.took) > 20
        assert grown < 16 * (UNPROVEN_MOST + 100)  # kib
        open_files = until(lambda: (count := len(list(Path(f"/proc/{pid}/fd").iterdir()))) < 600 and count, "let go")
        assert open_files
    print(json.dumps({"grown_mib": grown // 1024, "worst_answer_s": max(asking.took)}))


def test_two_thousand_piles_dial_by_tls_at_once(tmp_path: Path, broker: int) -> None:
    keys = certificate(tmp_path)
    with bridge(tmp_path, broker, 2_001, "wss", **keys) as (pid, address):
        begun = time.monotonic()
        with child("pile_load", address, 2_000, 1, 5, 60, 10, 20, keys["cert_file"], 60) as load:
            expect(load, "ready")
            took = time.monotonic() - begun
            say(load, "go")
            told = json.loads(line(load))
            print(json.dumps({"all_in_s": round(took, 1), "memory_mib": memory_kib(pid) // 1024}))
        assert told["lost"] == 0
