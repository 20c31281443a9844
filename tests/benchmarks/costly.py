"""What probes and pages notice while 45 askers of a year by hour are at work, with a key and without.

    python -m tests.benchmarks.costly [DAYS]

`yizhan api` over a journal of so many days (60) without any roll-up: the dearest case. The last line is JSON: the 99th
percentile in ms of `/readyz` and of a page, asked in turn, at rest and under each kind of asker.
"""

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from gateway.base.local_time import DAY_MS
from gateway.store.sqlite import SqliteStore
from tests.benchmarks.history import START, fill, place
from tests.e2e.rig import Yizhan, get, mosquitto, yizhan
from tests.patience import until
from tests.ports import free_port

ASKERS, SECONDS = 45, 8.0
YEAR = f"/api/v1/stations/s/utilization?by=hour&from={START}&to={START + 365 * DAY_MS}"
PAGES = ("/readyz", "/stations/s")


def config(folder: Path, broker: int, http: int) -> str:
    kinds = {"seat": "{{id: {}, kind: seat}}", "charger": "{{id: {}, kind: charger, type: ebike}}"}
    resources = "\n".join(f"          - {kinds[resource.kind].format(resource.id)}" for resource in place().resources)
    path = folder / "yizhan.yaml"
    path.write_text(
        f'mqtt: {{url: "mqtt://127.0.0.1:{broker}"}}\nstore: {{path: data, ballast_mib: 0}}\n'
        f'api: {{listen: "127.0.0.1:{http}"}}\ntimezone: Asia/Shanghai\nstations:\n  - id: s\n    name: {{zh: 站}}\n'
        f"    areas:\n      - id: a\n        resources:\n{resources}\n"
    )
    return str(path)


def p99_ms(url: str, key: str | None, askers: int) -> dict[str, float]:
    """Of each page, while so many ask again as soon as they are answered."""
    over = threading.Event()
    headers = {"authorization": f"Bearer {key}"} if key else {}

    def ask() -> None:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            while not over.is_set():
                client.get(YEAR)
                over.wait(0.1)

    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    taken: dict[str, list[float]] = {page: [] for page in PAGES}
    end = time.monotonic() + SECONDS
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.monotonic() < end:
            for page in PAGES:
                begin = time.perf_counter()
                client.get(page)
                taken[page].append((time.perf_counter() - begin) * 1000)
    over.set()
    for thread in threads:
        thread.join()
    return {page: sorted(times)[int(len(times) * 0.99)] for page, times in taken.items()}


def main(days: int) -> None:
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder, http = Path(name), free_port()
        store = SqliteStore(folder / "data", START, profile="sd_card", ballast_mib=0)
        fill(store, place(), days)
        store.close()
        path = config(folder, broker, http)
        made = yizhan(folder, "keys", "create", "--config", path, "--role", "viewer", "--name", "benchmark")
        url, told = f"http://127.0.0.1:{http}", {}
        with Yizhan(folder, "api", "--config", path):
            until(lambda: get(http, "/healthz"))
            for who, key, askers in (
                ("at_rest", None, 0), ("strangers", None, ASKERS), ("staff", made.stdout.split()[-1], ASKERS)
            ):  # fmt: skip
                for page, value in p99_ms(url, key, askers).items():
                    told[f"{page}_{who}_p99_ms"] = round(value, 1)
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
