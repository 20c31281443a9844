"""How fast the copy catches up after an outage: a journal of six hours, sealed as they would be, into VictoriaMetrics.

    python -m tests.benchmarks.copy [ROWS]

The last line is JSON: rows, rows in the copy, seconds, rows/s by the wall and by our own processor time.
"""

import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from config.schema.store import Influx
from gateway.influx.client import InfluxWriter
from gateway.influx.delivery import CopyPatience
from gateway.influx.lines import Lines
from gateway.influx.ship import Ship
from gateway.model import Batch, Millis, Resource
from gateway.store.journal import Journal
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.victoria import Victoria
from tests.gateway.store.writing import at_once

START: Millis = 1_790_000_000_000 // 86_400_000 * 86_400_000
HOUR_MS, HOURS = 3_600_000, 6
PILES = 50
A_COMMIT = 500


def journal(store: SqliteStore, rows: int) -> None:
    """Charging points that tell status, power and energy; sealed up to the last ten minutes."""
    step = HOURS * HOUR_MS / rows
    for first in range(0, rows, A_COMMIT):
        batch = Batch()
        for number in range(first, min(first + A_COMMIT, rows)):
            at = START + int(number * step)
            payload = b'{"ts":%d,"boot":"b1","seq":%d,"status":"Charging","power_w":%.1f,"energy_wh":%d}' % (
                at - 15, number, number % 6600 / 3, number // 7,
            )  # fmt: skip
            batch.append(b"yz/yanshan/pile-%02d/state" % (number % PILES), payload, at, 0)
        store.commit(batch, [], [], batch.received[-1])
    store.checkpoint(0, store.last_id, b"")
    while store.tidy(START + HOURS * HOUR_MS + 1):
        pass


def catch_up(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "data", START, profile="sd_card", ballast_mib=0)
        journal(store, rows)
        piles = [Resource("yanshan", "yard", f"pile-{n:02d}", "charger", f"pile-{n:02d}", "ev") for n in range(PILES)]
        victoria = Victoria(Path(folder))
        victoria.start()
        token = Path(folder) / "token"
        token.write_text("unused")
        target = InfluxWriter(Influx(url=victoria.url, org="o", bucket="b", token_file=token))
        ship = Ship(
            target, Lines(piles), Journal(store.folder), store.copied(target.name), at_once(store),
            batch_rows=5000, rows_per_s=1_000_000, patience=CopyPatience(), busy=lambda: False, stored=lambda: 0,
        )  # fmt: skip
        begin, ours = perf_counter(), process_time()
        while ship.ship_once():
            pass
        seconds, ours = perf_counter() - begin, process_time() - ours
        copied = len(victoria.rows("charger_power_w"))
        victoria.stop()
        store.close()
    return {
        "rows": rows, "rows_in_copy": copied, "seconds": round(seconds, 2), "rows_per_s": round(rows / seconds),
        "rows_per_cpu_s": round(rows / ours),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(catch_up(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)))
