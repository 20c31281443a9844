"""`yizhan reload`: every process that runs with this configuration takes its files up again."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.processes import RunningProcess
    from config.schema import Settings


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("reload", help="have running processes take up the configuration's files")
    parser.add_argument("--config", type=Path, required=True, metavar="PATH")
    parser.add_argument("--why", default="", metavar="TEXT", help="for the log and the audit trail")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: all of them run with it; 1: one could not, or nobody is there; 2: the files have mistakes."""
    from api.access_book import whoever
    from api.commands.check import checked

    settings = checked(args.config)  # nobody need be asked to find a mistake
    status = ask_all(settings, whoever(), args.why or "yizhan reload")
    if status is None:
        sys.stderr.write(f"nothing runs with {settings.store.path} that can be asked; the next start reads the files\n")
        return 1
    return status


def ask_all(settings: "Settings", who: str, why: str) -> int | None:
    """Have every process that runs reload, and print what each says. The exit status; None where nobody is there."""
    from api.processes import processes

    worst, waiting, asked = 0, dict[str, None](), 0
    for process in processes(settings):
        status, keys = _ask(process, who, why)
        if status is not None:
            asked, worst = asked + 1, max(worst, status)
        waiting.update(dict.fromkeys(keys))
    for key in waiting:
        sys.stdout.write(f"{key}: its new value takes effect at the next start; restart yizhan when it suits\n")
    return worst if asked else None


def _ask(process: "RunningProcess", who: str, why: str) -> tuple[int | None, tuple[str, ...]]:
    """The exit status that follows, None where it is gone; the keys that wait for a restart."""
    from api.running import NotReloadedError

    try:
        done = process.ask(who, why)
    except NotReloadedError as error:
        sys.stderr.write(f"{error}; it goes on as before\n")
        return 1, ()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{process.name}: can't be asked: {error or type(error).__name__}\n")
        return 1, ()
    if done is None:
        return None, ()
    for mistake in done.mistakes:
        sys.stdout.write(f"{mistake}\n")
    told = "has not changed anything" if done.mistakes else "has changed" if done.changed else "ran with it already"
    sys.stdout.write(f"{process.name} {told}\n")
    return (2 if done.mistakes else 0), done.needs_restart
