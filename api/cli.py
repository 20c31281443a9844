"""`yizhan`: the command line. The composition root: only the command that is asked for is imported.

Exit status: 0 fine, 1 failed while running, 2 usage or configuration.
"""

import argparse
import atexit
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from keyword import iskeyword
from typing import NoReturn

from api import logs
from api.commands import COMMANDS
from api.mends import CONFIG, Parser, told

log = logging.getLogger("yizhan")


def program() -> NoReturn:
    """`main` as a process of its own: nobody waits at its end for threads that may be left."""
    ended: list[int] = []
    atexit.register(_leave, ended)  # the first to be registered is the last to be called
    ended.append(main())
    sys.exit(ended[0])


def _leave(ended: Sequence[int]) -> None:
    """Python takes a thread that still works apart where it stands, and in a library of Rust or C++ that is a crash.

    All that had to be closed is closed by now. `ended`: the exit status; none if `main` did not come to its end.
    """
    if not ended or not any(thread.daemon for thread in threading.enumerate()):
        return
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever read it may have gone
            stream.flush()
    os._exit(ended[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    os.umask(0o077)  # whatever we write speaks of people and is for its owner alone
    words = list(sys.argv[1:] if argv is None else argv)
    args = _parser(words).parse_args(words)
    logs.set_up(args.log_format)
    return _run(args)


def _run(args: argparse.Namespace) -> int:
    from config.mistakes import ConfigErrors
    from gateway.store.base import StoreError

    try:
        return _begun(args, int(args.run(args)))
    except ConfigErrors as errors:
        sys.stderr.write(f"{errors}\n")
        return _begun(args, 2)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # whoever read us has gone; nothing to complain of
        return 0
    except Exception as error:
        # What the machine or the operator did is one line; what we did comes with its traceback.
        expected = isinstance(error, (OSError, StoreError))
        log.critical("%s", told(error), exc_info=None if expected else error)
        return 1


def _begun(args: argparse.Namespace, status: int) -> int:
    """Who names a configuration that is not there mostly has none yet."""
    named = getattr(args, "config", None)
    if status == 2 and named is not None and not named.exists():
        sys.stderr.write(f"yizhan: {CONFIG}\n")
    return status


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = Parser(
        prog="yizhan", description="What is free in couriers' rest stations and community venues, right now (驿站)."
    )
    parser.add_argument("--version", action="version", version=f"yizhan {version('yizhan')}")
    _add_log_format(parser, "text")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        if name == asked:
            import_module(f"api.commands.{name}{'_' * iskeyword(name)}").add(commands)
            _add_log_format(commands.choices[name], argparse.SUPPRESS)
        else:
            commands.add_parser(name, help=text)
    return parser


def _add_log_format(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--log-format", choices=logs.FORMATS, default=default, help="logs on stderr, one event a line")


if __name__ == "__main__":
    program()
