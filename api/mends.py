"""What the command line says of a trouble that the machine or the operator made: the thing, and what to do next."""

import argparse
import difflib
import errno
import sys
from typing import NoReturn

from api.commands import COMMANDS

CONFIG = (
    "name the configuration: --config my.yaml; config/example.yaml is one to copy, and `yizhan up` without it opens an"
    " empty house that is set up by click"
)
MENDS = {
    errno.ENOENT: "correct the path",
    errno.ENOTDIR: "correct the path: a part of it is a file",
    errno.EISDIR: "it is a folder: name a file in it",
    errno.EACCES: "run it as the user that owns it (for a service: sudo -u yizhan), or give that user the right",
    errno.EPERM: "run it as the user that owns it (for a service: sudo -u yizhan), or give that user the right",
    errno.EROFS: "it lies on a file system that only reads: name another folder, or mount it with rw",
    errno.ENOSPC: "the disk is full: make room (df -h tells which), then run it again",
    errno.EDQUOT: "the quota of this user is used up: make room, then run it again",
    errno.EADDRINUSE: "the port is taken: stop what listens there (ss -ltnp tells what), or name another",
    errno.EADDRNOTAVAIL: "this machine has no such address: 127.0.0.1 is itself, 0.0.0.0 all of its own",
    errno.ECONNREFUSED: "nobody listens there: start it first, or correct address and port",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n, LimitNOFILE= of a service)",
}


def told(error: BaseException) -> str:
    """One line: an error of ours as it stands, one of the machine with the thing and the mend."""
    if not isinstance(error, OSError) or error.errno is None or error.strerror is None:
        return str(error) or type(error).__name__
    named = [str(name) for name in (error.filename, error.filename2) if name is not None]
    what = " → ".join(named)
    mend = MENDS.get(error.errno)
    return f"{f'{what}: ' if what else ''}{error.strerror}{f'; {mend}' if mend else ''}"


def host_port(text: str) -> str:
    """The type of an option that names an address."""
    from config.schema import parse_host_port

    try:
        parse_host_port(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None
    return text


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistyped command with what to type next."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n{self.prog}: {next_step(self.prog, message)}\n")


def next_step(prog: str, message: str) -> str:
    """What to do about a mistake in the words of a command."""
    if "arguments are required" in message and "--config" in message:
        return CONFIG
    if "arguments are required: COMMAND" in message:
        return (
            "begin with `yizhan demo`, which shows everything, or `yizhan up` for a station of your own; --help has all"
        )
    typed = message.partition("invalid choice: '")[2].partition("'")[0]
    if typed and prog == "yizhan":
        near = difflib.get_close_matches(typed, COMMANDS, n=1)
        return f"did you mean `yizhan {near[0]}`?" if near else "`yizhan --help` has the commands"
    return f"`{prog} --help` says what it takes"
