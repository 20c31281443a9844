"""`yizhan store init`: the bucket in InfluxDB that the configuration names."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("store", help="the bucket in InfluxDB: init")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="make the bucket of store.influx, or set how long it keeps data")
    init.add_argument("--config", type=Path, required=True, metavar="PATH")
    init.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from config.load import load
    from gateway.store.influx_setup import init_bucket

    influx = load(args.config).store.influx
    if influx is None:
        sys.stdout.write("store.influx is not set: there is no copy, and nothing to make; SQLite makes its own files\n")
        return 0
    sys.stdout.write(init_bucket(influx) + "\n")
    return 0
