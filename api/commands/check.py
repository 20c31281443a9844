"""`yizhan check`: every mistake of a configuration at once."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("check", help="every mistake in a configuration, with line and mend")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from config.load import load
    from config.mistakes import ConfigErrors

    try:
        settings = load(args.config)
    except ConfigErrors as errors:
        sys.stdout.write(f"{errors}\n")
        return 2
    resources = sum(1 for _ in settings.resources())
    sys.stdout.write(f"{args.config}: fine, {len(settings.stations)} stations with {resources} resources\n")
    return 0
