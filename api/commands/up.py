"""`yizhan up`: the one-box product."""

import argparse
import logging
import socket
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("up", help="gateway, API and pages in one process")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from api.commands.check import checked
    from api.product import run_product
    from api.server import address_of
    from api.start_book import note_start
    from gateway.base.clock import now_ms

    def ready(sock: socket.socket) -> None:
        log.info("listening on http://%s/", address_of(sock))

    settings = checked(args.config)
    note_start(args.config, settings, "up", now_ms())
    return run_product(settings, ready, files=(args.config, checked))
