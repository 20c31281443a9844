"""`yizhan shards N`: the stations change hands between the stop of the old shards and the start of the new ones."""

import argparse
import sys
from pathlib import Path
from typing import Any

SHARDS_MOST = 1024


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("shards", help="hand all stations to another number of shards, without starting any")
    parser.add_argument("number", type=number, metavar="N", help="how many there will be; 0: one gateway without")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument(
        "--without-missing", action="store_true", help="go on though folders of old shards are lost, and their past"
    )
    parser.set_defaults(run=run)


def number(text: str) -> int:
    """A number from 0 to 1024."""
    if not text.isdigit() or int(text) > SHARDS_MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of shards: write 0 to {SHARDS_MOST}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    from api.commands.check import checked
    from api.signals import stop_event
    from gateway.runtime.hand_over import HandOverStoppedError, hand_over

    stopped = stop_event()
    settings = checked(args.config)
    try:
        done = hand_over(settings, args.number, stopped.is_set, missing_too=args.without_missing)
    except HandOverStoppedError:
        sys.stderr.write("stopped half-way: nothing is lost; run it again, or start the new shards\n")
        return 1
    shards = f"{args.number} shards" if args.number else "one gateway without shards"
    sys.stdout.write(f"{shards} may start\n" if done else f"nothing to hand over: {shards} may start\n")
    return 0
