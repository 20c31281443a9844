"""Six hours of charging points in a journal, by way of the real core, sealed as they would be by now."""

from collections.abc import Iterator
from pathlib import Path

from config.load import load
from config.schema import Settings
from gateway.base.clock import now_ms
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build, resource_of
from gateway.influx.lines import Lines
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from gateway.runtime.parts import rollups_of
from gateway.store.jobs import Keep
from gateway.store.journal import Journal
from gateway.store.reader import SqliteReader
from gateway.store.sqlite import SqliteStore

HOURS_MS = 6 * 3_600_000
PILES = 50
A_COMMIT = 500


def fill(config: Path, rows: int) -> None:
    """What the points said until a minute ago; the copy has none of it."""
    settings = load(config)
    begin = now_ms() - HOURS_MS - 60_000
    store = SqliteStore(settings.store.path, begin, profile="sd_card", ballast_mib=0)
    live = build(settings, settings.stations, Openings(settings), begin)
    pipeline = Pipeline(live)
    for first in range(0, rows, A_COMMIT):
        at = begin + first * HOURS_MS // rows
        for number in range(first, min(first + A_COMMIT, rows)):
            at = begin + number * HOURS_MS // rows
            payload = b'{"ts":%d,"boot":"b1","seq":%d,"status":"Charging","power_w":%.1f,"energy_wh":%d}' % (
                at, number, number % 6600 / 3, number // 7,
            )  # fmt: skip
            pipeline.handle_all([(b"yz/yanshan/pile-%02d/state" % (number % PILES), payload, 0)], at)
        outcome = pipeline.take()
        store.commit(outcome.batch, outcome.changes, outcome.rejected, at)
    memory = Memory(live)
    store.checkpoint_all([(part, memory.dump(part, at)) for part in range(len(memory.parts))], store.last_id)
    store.write([Keep("layout", memory.layout)])
    reader = SqliteReader(store.folder)
    rollups = rollups_of(settings, settings.stations, live, store.folder, reader, begin)
    for chore in (store.tidy, rollups.tidy):  # they were kept up to date while the copy was away
        while chore(now_ms()):
            pass
    for part in (rollups, reader, store):
        part.close()


def lines_of(settings: Settings) -> Iterator[str]:
    """Every line that the copy should have been given."""
    lines = Lines([resource_of(settings, *place) for place in settings.resources()])
    journal = Journal(settings.store.path)
    for _, batch in journal.after(0):
        yield from lines.of_batch(batch)
    journal.close()
