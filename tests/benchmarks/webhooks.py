"""What webhooks cost: `python -m tests.benchmarks.webhooks [subscribers] [deliveries/s] [seconds]`.

Each is signed, kept, and taken by a receiver on this machine in a process of its own. The cost is processor time of
this process, which a busy machine spoils little; memory is compared after a fifth of the time and at its end.
"""

import resource as resource_module
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from api.auth import Keyring
from api.live_view import Entry
from api.webhooks.deliveries import Deliveries
from config.schema import Settings
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.store.subscriptions import Subscription, SubscriptionFile
from tests.api.documents import document, line, resource

STATIONS = 2_000
RECEIVER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def entry(station: int, use: str, version: int) -> Entry:
    now = now_ms()
    seats = [resource(f"seat-{n}", use=use if n == 0 else "free", until=now + 600_000) for n in range(10)]
    return Entry(document(f"s{station}", seats, [line("seat", 10, 9, 10)], now), version)


@dataclass(frozen=True, slots=True)
class WebhookCost:
    """`core`: the part of one core; `grown_mib`: by how much memory grew in the last four fifths of the time."""

    subscribers: int
    told_per_s: float
    core: float
    resident_mib: float
    grown_mib: float

    def __str__(self) -> str:
        return (
            f"{self.subscribers} subscribers, {self.told_per_s:.1f} deliveries/s: {self.core:.1%} of a core, "
            f"{self.resident_mib:.0f} MiB, grown by {self.grown_mib:.1f} MiB"
        )


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource_module.getpagesize() / 2**20


def measured(subscribers: int, per_second: float, seconds: float = 20) -> WebhookCost:
    folder = Path(tempfile.mkdtemp())
    settings = Settings.model_validate(
        {
            "stations": [{"id": f"s{n}", "areas": []} for n in range(STATIONS)],
            "store": {"path": str(folder)},
            "api": {"subscriptions_allow_private": True},
        }
    )
    keyring = Keyring.of(settings)
    owner = keyring.create("app", "app", now_ms()).split("_")[1]
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/x"
    file = SubscriptionFile(folder)
    for n in range(subscribers):
        file.put(Subscription(f"s_{n}", owner, url, ("availability",), (f"s{n % STATIONS}",), (), "whsec_AAAA", 0))
    deliveries = Deliveries(lambda: settings, keyring, now_ms, Mishaps(), lambda _since: [], told=True)
    deliveries.start()
    time.sleep(2)
    cpu, begin, changes, early_mib = time.process_time(), time.monotonic(), 0, 0.0
    while (passed := time.monotonic() - begin) < seconds:
        if not early_mib and passed > seconds / 5:
            early_mib = resident_mib()
        if changes * subscribers / STATIONS <= per_second * passed:
            uses = ("occupied", "free")[changes // STATIONS % 2]
            deliveries.heard(entry(changes % STATIONS, uses, changes))
            changes += 1
        else:
            time.sleep(0.005)
    spent, late_mib = time.process_time() - cpu, resident_mib()
    time.sleep(1)
    told = sum(number for n in range(subscribers) for _, number in file.told(f"s_{n}").values())
    deliveries.end()
    receiver.kill()
    receiver.wait()
    receiver.stdout.close()
    file.close()
    return WebhookCost(subscribers, told / seconds, spent / seconds, late_mib, late_mib - early_mib)


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    print(measured(int(given[0] if given else 10_000), *(given[1:] or (50,))))
