"""`yizhan config`: the versions of a configuration's files: log, show, undo, restore."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

LONGEST_WHY = 200

if TYPE_CHECKING:
    from config.edit.home import ConfigHome
    from config.edit.versions import Version


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("config", help="the versions of the configuration: log, show, undo, restore")
    actions = parser.add_subparsers(dest="action", metavar="log|show|undo|restore", required=True)
    log = actions.add_parser("log", help="who changed it, when and why, the newest first")
    log.add_argument("--limit", type=int, default=50, metavar="N", help="how many; default 50")
    show = actions.add_parser("show", help="what a version changed, line by line, without secrets")
    show.add_argument("number", type=int, nargs="?", metavar="N", help="as `log` shows it; default the newest")
    undo = actions.add_parser("undo", help="take the newest change back; once more, the one before it")
    restore = actions.add_parser("restore", help="the files of a version are the files again, to the byte")
    restore.add_argument("number", type=int, metavar="N", help="as `log` shows it")
    for action in (undo, restore):
        action.add_argument("--why", default="", metavar="TEXT", help="for whoever reads the log")
    for action in (log, show, undo, restore):
        action.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from config.edit.home import ConfigHome
    from config.edit.versions import MissingVersionError
    from config.files import UnusableFileError

    home = ConfigHome(args.config)
    deeds = {"log": _log, "show": _show, "undo": _undo, "restore": _restore}
    try:
        home.read()  # before a folder of versions is made for nothing
        _note(home)
        return deeds[args.action](home, args)
    except MissingVersionError as error:
        sys.stderr.write(f"{error}; see `yizhan config log`\n")
    except UnusableFileError as error:
        sys.stderr.write(f"{error}\n")
    return 2


def _note(home: "ConfigHome") -> None:
    """What somebody wrote by hand is a version from now on. Who may only read reads on."""
    from config.edit.saving import Author, note
    from config.edit.versions import BY_HAND
    from gateway.base.clock import now_ms

    try:
        note(home, Author(BY_HAND, now_ms()))
    except PermissionError as error:
        sys.stderr.write(f"what was changed by hand is not kept as a version: {error}\n")


def _log(home: "ConfigHome", args: argparse.Namespace) -> int:
    from config.edit.versions import Versions

    versions = Versions(home)
    for number in reversed(versions.numbers()[-args.limit :] if args.limit > 0 else []):
        sys.stdout.write(_line(versions.read(number)))
    return 0


def _line(version: "Version") -> str:
    from api.times import rfc3339

    back = f" (back to {version.back_to})" if version.back_to is not None else ""
    return f"{version.number:6}  {rfc3339(version.at)}  {version.who}: {version.why or 'no reason given'}{back}\n"


def _show(home: "ConfigHome", args: argparse.Namespace) -> int:
    from config.edit.showing import difference_text
    from config.edit.versions import MissingVersionError, Versions

    versions = Versions(home)
    version = versions.read(args.number) if args.number is not None else versions.newest()
    if version is None:
        raise MissingVersionError("there is no version yet")
    before = versions.before(version.number)
    told = difference_text(versions.contents(before) if before is not None else {}, versions.contents(version))
    sys.stdout.write(_line(version) + told)
    return 0


def _undo(home: "ConfigHome", args: argparse.Namespace) -> int:
    from config.edit.versions import MissingVersionError, Versions

    versions = Versions(home)
    newest = versions.newest()
    back_to = versions.before(newest.back_to or newest.number) if newest is not None else None
    if newest is None or back_to is None:
        raise MissingVersionError("there is nothing to take back")
    undone = versions.read(newest.back_to) if newest.back_to is not None else newest
    return _make(home, back_to, args.why or f"undo of {undone.number}, {undone.who}: {undone.why}", undo=True)


def _restore(home: "ConfigHome", args: argparse.Namespace) -> int:
    from config.edit.versions import Versions

    return _make(home, Versions(home).read(args.number), args.why or f"back to version {args.number}", undo=False)


def _make(home: "ConfigHome", version: "Version", why: str, *, undo: bool) -> int:
    """The files of the version are the files again, where they are a configuration; whatever runs takes them up."""
    from api.access_book import AccessBook, whoever
    from api.commands.check import checked
    from api.commands.reload import ask_all
    from config.edit.home import tag_of
    from config.edit.saving import Author, ConflictError, save
    from config.edit.versions import Versions
    from gateway.base.clock import now_ms
    from gateway.policy.text import bounded

    files, tag, now = Versions(home).contents(version), tag_of(home.read()), now_ms()
    settings = checked(home.path, home.paths(files))
    author = Author(whoever(), now, bounded(why, LONGEST_WHY))
    try:
        made = save(home, files, tag, author, back_to=(version.back_to or version.number) if undo else None)
    except ConflictError as error:
        sys.stderr.write(f"{error}; look at them and try again\n")
        return 1
    if settings.store.path.is_dir():
        AccessBook(settings.store.path).note(
            now, author.who, "configuration_saved", f"version {made.number}", author.why
        )
    sys.stdout.write(_line(made))
    status = ask_all(settings, author.who, author.why)
    if status is None:
        sys.stderr.write(f"nothing runs with {settings.store.path} that can be asked; the next start reads the files\n")
    return status or 0
