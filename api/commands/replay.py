"""`yizhan replay`: recorded messages through the real core under a virtual clock."""

import argparse
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("replay", help="recorded messages through the real core; states and alerts out")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--input", type=Path, required=True, metavar="FILE", help="what `yizhan export --raw` wrote")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write (stdout)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from config.load import load
    from gateway.alerting.replayed import ReplayedAlerts
    from gateway.core.pipeline import Pipeline
    from gateway.core.plan import build
    from gateway.core.replay import in_order, replay
    from gateway.policy.hours import Openings

    settings = load(args.config)
    out: BinaryIO = args.output.open("wb") if args.output else sys.stdout.buffer
    with args.input.open("rb") as source:
        messages = in_order(records(source, args.input), round(settings.gateway.reorder_window_s * 1000))
        first = next(messages, None)
        if first is None:
            return 0
        live = build(settings, settings.stations, Openings(settings), first.received_at)
        pipeline = Pipeline(live)
        pipeline.take()
        lines = replay(pipeline, chain((first,), messages), ReplayedAlerts(settings, live))
        out.writelines(line + b"\n" for line in lines)
    out.flush()
    if args.output:
        out.close()
    return 0


def records(source: BinaryIO, path: Path) -> Iterator[Any]:
    """One record a line; ValueError names the line that is none."""
    from gateway.core.replay import decode_record

    for number, line in enumerate(source, 1):
        if line.strip():
            try:
                yield decode_record(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number}: not a record of `yizhan export --raw`: {error}") from None
