"""`yizhan store init`: the bucket in InfluxDB that the configuration names; `forget`: a person's card, everywhere."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("store", help="the bucket in InfluxDB: init; a card everywhere: forget")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="make the bucket of store.influx, or set how long it keeps data")
    init.add_argument("--config", type=Path, required=True, metavar="PATH")
    init.set_defaults(run=init_bucket)
    forget = actions.add_parser(
        "forget", help="take a card's pseudonym out of every stored event; stop the gateway first"
    )
    forget.add_argument("--config", type=Path, required=True, metavar="PATH")
    forget.add_argument("--card", required=True, metavar="HEX", help="the pseudonym, as events carry it")
    forget.set_defaults(run=forget_card)


def init_bucket(args: argparse.Namespace) -> int:
    from config.load import load
    from gateway.store import influx_setup

    influx = load(args.config).store.influx
    if influx is None:
        sys.stdout.write("store.influx is not set: there is no copy, and nothing to make; SQLite makes its own files\n")
        return 0
    sys.stdout.write(influx_setup.init_bucket(influx) + "\n")
    return 0


def forget_card(args: argparse.Namespace) -> int:
    from api.commands.backup import stores
    from config.load import load
    from gateway.store import cards
    from gateway.store.files import Lock

    count = 0
    for folder in stores(load(args.config).store.path):
        lock = Lock(folder)
        try:
            count += cards.forget_card(folder, args.card)
        finally:
            lock.release()
    sys.stdout.write(f"taken out of {count} stored events; backups made before still hold it\n")
    return 0
