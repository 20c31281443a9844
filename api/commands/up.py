"""`yizhan up`: the one-box product; without a configuration an empty house, to be set up in the browser."""

import argparse
import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.mends import host_port
from config.building import building

if TYPE_CHECKING:
    from api.setup.code import SetupCode
    from config.schema import Settings

log = logging.getLogger(__name__)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("up", help="gateway, API and pages in one process; without --config an empty house")
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="without it the house in --house, made where missing"
    )
    house = parser.add_argument_group("an empty house", "what its first file says; not together with --config")
    house.add_argument("--house", type=Path, metavar="DIR", help="its folder (house)")
    house.add_argument("--http", type=host_port, metavar="H:P", help="where its pages are (127.0.0.1:8080)")
    house.add_argument(
        "--mqtt", metavar="URL", help="its broker (mqtt://127.0.0.1:1883 if one answers there, else our own)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    with building():
        from api.commands.check import checked
        from api.product import ConfigFiles, run_product
        from api.server import address_of
        from api.signals import Hangups
        from api.start_book import note_start
        from api.tls import scheme_of
        from gateway.base.clock import now_ms

    if args.config is not None and (args.house or args.http or args.mqtt):
        log.error("--house, --http and --mqtt are for an empty house; leave them out, or leave --config out")
        return 2
    path = args.config or _house(args)
    hangups = Hangups()
    settings = checked(path)
    code = _code(settings) if args.config is None else None

    def ready(sock: socket.socket) -> None:
        address = address_of(sock)
        scheme = scheme_of(settings)
        log.info("listening on %s://%s/", scheme, address)
        if code is not None:
            log.info(
                "set it up at %s://%s/setup#%s  (one-time code %s, good for an hour)",
                scheme,
                address,
                code.text,
                code.text,
            )

    note_start(path, settings, "up", now_ms())
    return run_product(settings, ready, files=ConfigFiles(path, checked, hangups), setup_code=code)


def _house(args: argparse.Namespace) -> Path:
    from api.setup.empty_house import FOLDER, open_house

    folder: Path = args.house or FOLDER
    made = open_house(folder, args.mqtt, args.http)
    log.info("%s the house in %s", "made" if made else "opening", folder.absolute())
    return folder


def _code(settings: "Settings") -> "SetupCode | None":
    """A code, as long as nobody administers the house."""
    from api.auth import Keyring
    from api.routes.setup_door import wants_code
    from api.setup.code import SetupCode
    from gateway.base.clock import now_ms

    return SetupCode(now_ms()) if wants_code(Keyring.of(settings), now_ms()) else None
