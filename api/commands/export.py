"""`yizhan export`: what is stored, one record a line on stdout."""

import argparse
import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from api.csv_cells import MARK, cell
from gateway.model import Millis, Reading, Rejected
from gateway.wire import HEADER_FIELDS

if TYPE_CHECKING:
    from api.csv_tables import Spreadsheet

encode = msgspec.json.encode
COLUMNS = ("station", "device", "kind", "boot", "seq", "ts", "received_at", "data")


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("export", help="print the stored readings and events, one a line")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--from", dest="start", type=when, metavar="T", help="received at or after this time")
    parser.add_argument("--to", dest="end", type=when, metavar="T", help="received before this time")
    parser.add_argument("--station", metavar="S", help="only this station")
    parser.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl")
    parser.add_argument(
        "--lang",
        choices=("zh", "zh-hant", "en"),
        help="of csv: for a spreadsheet; headings, local times, a mark for Excel",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--raw", action="store_true", help="every message as a canonical record, for `yizhan replay`")
    what.add_argument("--quarantine", action="store_true", help="what could not be read, with the reason")
    parser.set_defaults(run=run)


def when(text: str) -> Millis:
    """RFC 3339, a date, or milliseconds since 1970. ValueError for anything else."""
    if text.lstrip("-").isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 2026-11-21T08:00:00+08:00, or ms since 1970"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def run(args: argparse.Namespace) -> int:
    from api.csv_tables import Spreadsheet
    from config.load import load

    settings = load(args.config)
    noted(args, settings.store.path)
    if args.station is not None and settings.station(args.station) is None:
        names = ", ".join(station.id for station in settings.stations[:8]) or "none"
        sys.stderr.write(f"--station: the configuration has no {args.station!r}; it has {names}\n")
    from api.commands.import_ import counted
    from gateway.base.progress import Progress

    unread: list[int] = []
    progress = Progress("export", "rows")
    rows = records(args, settings.store.path, unread)
    if not sys.stdout.isatty():  # else the rows themselves show it
        rows = counted(rows, progress)
    if args.format == "parquet":
        if (status := to_parquet(args, rows)) != 0:
            return status
    else:
        sheet = None if args.lang is None else Spreadsheet.of(settings, args.lang)
        write(rows, args.format, sheet)
    progress.end()
    return told(sum(unread))


def noted(args: argparse.Namespace, folder: Path) -> None:
    """Events carry pseudonyms of cards: who takes them out is a line of the audit trail, where there is a store."""
    from api.access_book import AccessBook, whoever
    from gateway.base.clock import now_ms

    if not any(folder.rglob("*.db")):
        return
    what = "quarantine" if args.quarantine else "raw messages" if args.raw else "readings and events"
    span = f"from {args.start or 'the first'} to {args.end or 'the last'}, ms since 1970"
    AccessBook(folder).note(now_ms(), whoever(), "exported", args.station or "every station", f"{what} {span}")


def told(unread: int) -> int:
    """The exit status: 1 when something is missing, which stderr says last, where a person looks."""
    if unread == 0:
        return 0
    places = "1 place of the store is" if unread == 1 else f"{unread} places of the store are"
    sys.stderr.write(
        f"export is not complete: {places} damaged; the lines above name the files."
        " What could be read is exported; a backup may hold the rest\n"
    )
    return 1


def to_parquet(args: argparse.Namespace, rows: Iterator[dict[str, Any]]) -> int:
    from api import parquet

    wrong = (
        "Parquet holds readings and events: leave out --raw and --quarantine" if args.raw or args.quarantine
        else parquet.MEND if not parquet.installed()
        else "Parquet is binary: send it to a file, as in `> all.parquet`" if sys.stdout.isatty()
        else None
    )  # fmt: skip
    if wrong is not None:
        sys.stderr.write(f"{wrong}\n")
        return 2
    parquet.write(rows, sys.stdout.buffer)
    return 0


def records(args: argparse.Namespace, folder: Path, unread: list[int]) -> Iterator[dict[str, Any]]:
    """What was asked for, of one journal after the other; `unread` gets how many damaged places each of them has."""
    from gateway.store.days import store_folders
    from gateway.store.reader import SqliteReader

    for journal in store_folders(folder):
        reader = SqliteReader(journal, skip_damaged=True)
        try:
            if args.quarantine:
                yield from map(rejected, reader.quarantine())
            else:
                chosen = reader.readings(args.start, args.end, args.station)
                shape = raw if args.raw else exported
                yield from (shape(reading) for reading in chosen if args.raw or reading.topic != "availability")
        finally:
            unread.append(reader.unread)
            reader.close()


def write(records: Iterator[dict[str, Any]], form: str, sheet: "Spreadsheet | None" = None) -> None:
    """`sheet`: how a table for people is written; None for programs."""
    out = sys.stdout.buffer
    if form == "jsonl":
        for record in records:
            out.write(encode(record) + b"\n")
    elif sheet is not None:
        out.write(MARK.encode())
        for line in sheet.lines(records):
            out.write(line.encode())
    else:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        for number, record in enumerate(records):
            if number == 0:
                rows.writerow(record)
            rows.writerow([cell(value) for value in record.values()])
    sys.stdout.flush()


def body(payload: bytes) -> Any:
    """The payload without its header; what is no object (the plain `online`) as it is."""
    try:
        fields = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return payload.decode("utf-8", "replace")
    return {name: value for name, value in fields.items() if name not in HEADER_FIELDS}


def exported(reading: Reading) -> dict[str, Any]:
    """A line of the contract's section 1."""
    return {
        "station": reading.station, "device": reading.device, "kind": reading.topic,
        "boot": reading.boot, "seq": reading.seq, "ts": reading.ts,
        "received_at": reading.received_at, "data": body(reading.payload),
    }  # fmt: skip


def raw(reading: Reading) -> dict[str, Any]:
    """A message as `yizhan replay` takes it."""
    header = {"ts": reading.ts, "boot": reading.boot, "seq": reading.seq}
    return {
        "topic": f"yz/{reading.station}/{reading.device}/{reading.topic}",
        "retained": reading.retained,
        "received_at": reading.received_at,
        "header": {name: value for name, value in header.items() if value is not None},
        "data": body(reading.payload),
    }


def rejected(message: Rejected) -> dict[str, Any]:
    return {
        "received_at": message.received_at,
        "reason": message.reason,
        "topic": message.topic.decode("utf-8", "backslashreplace"),
        "payload": message.payload.decode("utf-8", "backslashreplace"),
    }
