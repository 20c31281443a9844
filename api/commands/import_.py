"""`yizhan import`: what `yizhan export` wrote, back into the store."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.base.progress import Progress

PROGRESS_ROWS = 1_000  # between two looks at the clock


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("import", help="what `yizhan export` wrote, back into the store")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument(
        "--input", type=Path, required=True, metavar="FILE", help="JSON Lines, plain or `--raw`, or Parquet"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api import parquet
    from api.access_book import AccessBook, whoever
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.base.progress import Progress
    from gateway.runtime.importer import Importer
    from gateway.store.sqlite import SqliteStore
    from gateway.store.step_words import Later

    if args.input.suffix == ".parquet" and not parquet.installed():
        sys.stderr.write(f"{parquet.MEND}\n")
        return 2
    settings = load(args.config)
    try:
        total = sum(1 for _ in messages(args.input))  # a line that is none stops us before anything is stored
    except ValueError as error:
        sys.stderr.write(f"{error}; nothing was imported\n")
        return 2
    now = now_ms()
    replica = Later() if settings.store.replica is not None else None
    keep_days = settings.store.retention.raw_days
    store = SqliteStore(settings.store.path, now, keep_days=keep_days, ballast_mib=0, replica=replica)
    try:
        importer, progress = Importer(settings, store, now), Progress("import", "rows")
        importer.run(counted(messages(args.input), progress, total))
        progress.end()
    finally:
        store.close()
    told = importer.counts
    AccessBook(settings.store.path).note(now, whoever(), "imported", str(args.input), f"{told['stored']} messages")
    sys.stdout.write(f"{told['stored']} stored, {told['known']} were there, {told['refused']} refused\n")
    return 1 if told["refused"] and not told["stored"] and not told["known"] else 0


def counted(rows: Iterator[Any], progress: "Progress", total: int | None = None) -> Iterator[Any]:
    """The same rows; how many there were so far is told."""
    for number, row in enumerate(rows):
        if number % PROGRESS_ROWS == 0:
            progress.step(number, total)
        yield row


def messages(path: Path) -> Iterator[Any]:
    """One message a line; ValueError names the line that is none."""
    from gateway.runtime.importer import message_of

    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                yield message_of(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: not a line of `yizhan export`: {error}") from None


def _lines(path: Path) -> Iterator[bytes]:
    from api import parquet

    if path.suffix == ".parquet":
        yield from parquet.lines(path)
    else:
        with path.open("rb") as source:
            yield from source
