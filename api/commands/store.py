"""`yizhan store`: `init`, the bucket in InfluxDB; `compare`, journal against copy; `forget`, a person's card."""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

DAY_MS = 86_400_000
EPOCH_DAY = date(1970, 1, 1).toordinal()


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("store", help="the copy in InfluxDB: init, compare; a card everywhere: forget")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="make the bucket of store.influx, or set how long it keeps data")
    init.add_argument("--config", type=Path, required=True, metavar="PATH")
    init.set_defaults(run=init_bucket)
    compare = actions.add_parser("compare", help="count a day's values in the journal and in the copy")
    compare.add_argument("--config", type=Path, required=True, metavar="PATH")
    compare.add_argument("--day", type=a_day, metavar="D", help="a day in UTC, as 2026-11-21; yesterday")
    compare.add_argument("--mend", action="store_true", help="copy the day again where the copy lacks any of it")
    compare.set_defaults(run=compare_day)
    forget = actions.add_parser(
        "forget", help="take a card's pseudonym out of every stored event; stop the gateway first"
    )
    forget.add_argument("--config", type=Path, required=True, metavar="PATH")
    forget.add_argument("--card", required=True, metavar="HEX", help="the pseudonym, as events carry it")
    forget.set_defaults(run=forget_card)


def init_bucket(args: argparse.Namespace) -> int:
    from config.load import load
    from gateway.influx import setup

    influx = load(args.config).store.influx
    if influx is None:
        sys.stdout.write("store.influx is not set: there is no copy, and nothing to make; SQLite makes its own files\n")
        return 0
    sys.stdout.write(setup.init_bucket(influx) + "\n")
    return 0


def compare_day(args: argparse.Namespace) -> int:
    from api.commands.backup import stores
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.base.progress import Progress
    from gateway.influx.by_hand import CopyByHand

    settings, now = load(args.config), now_ms()
    influx, day = settings.store.influx, now // DAY_MS - 1 if args.day is None else args.day
    if influx is None:
        sys.stderr.write("store.influx is not set: there is no copy to compare with\n")
        return 2
    progress = Progress("compare", "messages")
    copy = CopyByHand(settings, influx, stores(settings.store.path), progress.step)
    if day >= now // DAY_MS or not copy.kept(day, now):
        sys.stderr.write("that day is not over in UTC, or older than store.influx.retention_days\n")
        return 2
    rows = copy.compare(day)
    if args.mend and any(row.missing for row in rows):
        copy.again(day)
        rows = copy.compare(day)
    progress.end()
    told = "{:16} {:12} {:>10} {:>10} {:>10} {:>10}\n".format
    sys.stdout.write(told("station", "measurement", "journal", "copy", "missing", "too many"))
    for row in rows:
        sys.stdout.write(told(row.station, row.measurement, row.journal, row.copy, row.missing, row.surplus))
    return 0 if all(row.equal for row in rows) else 1


def a_day(text: str) -> int:
    """A date as days since 1970."""
    try:
        return date.fromisoformat(text).toordinal() - EPOCH_DAY
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-21") from None


def forget_card(args: argparse.Namespace) -> int:
    from api.access_book import AccessBook, whoever
    from api.commands.backup import stores
    from config.load import load
    from gateway.base.clock import now_ms
    from gateway.store import cards
    from gateway.store.files import Lock

    count, settings = 0, load(args.config)
    for folder in stores(settings.store.path):
        lock = Lock(folder)
        try:
            count += cards.forget_card(folder, args.card)
        finally:
            lock.release()
    # whose card it was stands nowhere, and here neither
    AccessBook(settings.store.path).note(now_ms(), whoever(), "card_forgotten", "card", f"{count} stored events")
    sys.stdout.write(f"taken out of {count} stored events; backups made before still hold it\n")
    return 0
