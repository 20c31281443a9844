"""CPU time of `tick` in a gateway of 20,000 stations × 5 seats while documents are renewed and then all fall silent.

python -m tests.benchmarks.deadlines
"""

import gc
import json
import tempfile
from pathlib import Path
from time import thread_time

from config.load import load
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live import Live, document
from gateway.policy.hours import Openings
from gateway.runtime.intake import DEADLINES_A_TURN
from gateway.runtime.pace import DOCUMENTS_A_TURN
from tests.benchmarks.places import FIRST_SEQ, names, payload, write_config

STATIONS, SEATS = 20_000, 5
START, TURN_MS, SPREAD_MS = 1_790_000_000_000, 100, 60_000


def make(live: Live, now: int) -> None:
    """Documents as the intake thread makes them, a part in each turn."""
    made, live.dirty = live.dirty[:DOCUMENTS_A_TURN], live.dirty[DOCUMENTS_A_TURN:]
    for station in made:
        document(station, now)
        live.made(station, now)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.yaml"
        write_config(config, STATIONS, SEATS, "mqtt://127.0.0.1")
        settings = load(config)
    pipeline = Pipeline(build(settings, settings.stations, Openings(settings), START))
    live = pipeline.live
    devices = list(names(STATIONS, SEATS))
    gc.collect()
    gc.freeze()
    for number, (station, device) in enumerate(devices):
        now = START + number * SPREAD_MS // len(devices)
        pipeline.handle_all([(f"yz/{station}/{device}/state".encode(), payload(FIRST_SEQ, False, now), 0)], now)
    pipeline.take()
    took, fired = [], 0
    ttl_ms = next(iter(live.devices.values())).facts[0].fresh.ttl_ms
    for now in range(START + SPREAD_MS, START + SPREAD_MS + ttl_ms + 1_000, TURN_MS):
        while live.dirty or (live.next_deadline() or now) < now:
            begin = thread_time()
            pipeline.tick(now, DEADLINES_A_TURN)
            took.append((thread_time() - begin) * 1000)
            fired += len(pipeline.take().changes)
            make(live, now)
    took.sort()
    told = {
        "ticks": len(took), "expired": fired, "p50_ms": took[len(took) // 2], "p99_ms": took[len(took) * 99 // 100],
        "worst_ms": took[-1],
    }  # fmt: skip
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
