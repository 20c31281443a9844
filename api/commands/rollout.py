"""`yizhan rollout`: a new version for many boxes, ring by ring; it stops where a box took the version back."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.boxes import KnownBox

SOURCES = """\
Types: deb
URIs: {url}
Suites: {ring}
Components: main
Signed-By: {keyring}
"""
A_DAY_H = 24


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("rollout", help="a new version for many boxes: add, status, promote, sources")
    actions = parser.add_subparsers(dest="action", metavar="add|status|promote|sources", required=True)
    put = actions.add_parser("add", help="publish packages to the first ring of a repository")
    put.add_argument("package", type=Path, nargs="+", metavar="FILE.deb")
    _of_repository(put)
    put.set_defaults(run=_add)
    status = actions.add_parser("status", help="which box is in which ring, what it runs, and how its upgrade went")
    status.add_argument("--config", type=Path, required=True, metavar="PATH", help="of the centre")
    status.set_defaults(run=_status)
    promote = actions.add_parser("promote", help="give a version to the next ring, if the ring before is well with it")
    promote.add_argument("version")
    promote.add_argument("--to", choices=("ring1", "stable"), required=True)
    promote.add_argument("--config", type=Path, required=True, metavar="PATH", help="of the centre")
    promote.add_argument("--hours", type=int, default=A_DAY_H, metavar="N", help="that each must have run it (24)")
    _of_repository(promote)
    promote.set_defaults(run=_promote)
    sources = actions.add_parser("sources", help="print what this box writes to /etc/apt/sources.list.d/yizhan.sources")
    sources.add_argument("--config", type=Path, required=True, metavar="PATH", help="of the box")
    sources.add_argument("--url", required=True, help="of the repository")
    sources.add_argument("--keyring", default="/usr/share/keyrings/yizhan.asc", metavar="FILE", help="the owner's key")
    sources.set_defaults(run=_sources)


def _of_repository(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", type=Path, required=True, metavar="DIR")
    parser.add_argument("--key", required=True, metavar="KEY", help="that signs, as gpg knows it")


def _add(args: argparse.Namespace) -> int:
    from api.rollout.repository import AptRepository, RepositoryError
    from config.files import UnusableFileError
    from config.rings import RINGS
    from gateway.base.clock import now_ms

    repository = AptRepository(args.repository, args.key)
    try:
        for package in args.package:
            entry = repository.add(package, now_ms())
            sys.stdout.write(f"{entry.version} for {entry.architecture} is in {RINGS[0]}\n")
    except (RepositoryError, UnusableFileError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _status(args: argparse.Namespace) -> int:
    from api.rollout.rings import boxes_of, ring_told
    from config.rings import RINGS

    boxes = _boxes(args.config)
    row = "{:8} {:24} {:12} {:8} {}\n".format
    sys.stdout.write(row("ring", "box", "version", "line", "upgrade"))
    for ring in RINGS:
        for box in boxes_of(boxes, ring):
            word = box.line.word
            upgrade = "" if word is None or word.upgrade is None else f"{word.upgrade} {word.upgrade_version or ''}"
            version = (word.version if word is not None else None) or "?"
            sys.stdout.write(row(ring_told(box), box.line.box, version, box.state, upgrade.strip()))
    return 0


def _promote(args: argparse.Namespace) -> int:
    from api.access_book import AccessBook, whoever
    from api.rollout.repository import AptRepository, RepositoryError
    from api.rollout.rings import ring_before, verdict
    from config.files import UnusableFileError
    from config.load import load
    from gateway.base.clock import now_ms

    before, now = ring_before(args.to) or "", now_ms()
    result = verdict(_boxes(args.config), before, args.version, args.hours, now)
    if result.troubles:
        for trouble in result.troubles:
            sys.stderr.write(f"{trouble}\n")
        sys.stderr.write(f"{args.to} does not get {args.version} while {before} is not well with it\n")
        return 1
    try:
        AptRepository(args.repository, args.key).promote(args.version, before, args.to, now)
    except (RepositoryError, UnusableFileError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    AccessBook(load(args.config).store.path).note(now, whoever(), "version_promoted", args.version, f"to {args.to}")
    sys.stdout.write(
        f"{args.to} gets {args.version}: {result.boxes} boxes of {before} have run it for {args.hours} h\n"
    )
    return 0


def _sources(args: argparse.Namespace) -> int:
    from config.load import load

    settings = load(args.config)
    sys.stdout.write(SOURCES.format(url=args.url, ring=settings.ring, keyring=args.keyring))
    return 0


def _boxes(config: Path) -> "list[KnownBox]":
    from api.boxes import known_boxes
    from config.load import load
    from gateway.base.clock import now_ms

    return known_boxes(load(config).store.path, now_ms(), lambda _stations: True)
