"""The processes that run with one store: each has a socket in `running/` of its folder, on which it is asked to reload.

A socket that nobody answers is what a kill left behind, and goes. Only who may enter the folder (mode 0700) can ask.
"""

import contextlib
import json
import logging
import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.running import NotReloadedError, Reloaded
from config.mistakes import ConfigMistake
from config.schema import Settings

log = logging.getLogger(__name__)

FOLDER = "running"
ASK_MOST = 4_096
ANSWER_MOST = 16 << 20  # a file of 100,000 mistakes
PATIENCE_S = 120.0
_NAME = re.compile(r"[a-z0-9-]{1,64}-[0-9]+\.sock")


def folders_of(settings: Settings) -> list[Path]:
    """Where they may be: beside the store, and beside the spool of a bridge."""
    beside = [settings.store.path, *([settings.bridge.spool.path] if settings.bridge is not None else [])]
    return [path / FOLDER for path in beside]


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process that may run. `name`: what it is, and its number here, such as `gateway-4711`."""

    folder: Path
    file: str

    @property
    def name(self) -> str:
        return self.file.removesuffix(".sock")

    def ask(self, who: str, why: str) -> Reloaded | None:
        """Have it reload; None when it is gone. NotReloadedError says why it could not, OSError that it can't be asked.

        TimeoutError when it does not answer.
        """
        with _reached(self.folder, self.file) as address, socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            try:
                line.connect(address)
            except (ConnectionRefusedError, FileNotFoundError):
                with contextlib.suppress(FileNotFoundError):
                    (self.folder / self.file).unlink()
                return None
            line.sendall(json.dumps({"who": who, "why": why}).encode() + b"\n")
            answer = read_line(line, ANSWER_MOST)
        return _decoded(self.name, json.loads(answer)) if answer else None


def processes(settings: Settings, but: str = "") -> list[RunningProcess]:
    """Those that may run, in order; `but` not this one."""
    return [
        RunningProcess(folder, name)
        for folder in dict.fromkeys(folders_of(settings))
        if folder.is_dir()
        for name in sorted(path.name for path in folder.iterdir())
        if _NAME.fullmatch(name) and name != but
    ]


@contextlib.contextmanager
def _reached(folder: Path, name: str) -> Iterator[str]:
    """An address of the socket however long the folder's path is: the system takes 107 bytes."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)


def listening(folder: Path, name: str) -> socket.socket:
    """A socket of this process. OSError where the folder takes none."""
    folder.mkdir(mode=0o700, exist_ok=True)
    line = socket.socket(socket.AF_UNIX)
    try:
        with _reached(folder, name) as address:
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()  # of a process that had our number before
            line.bind(address)
            (folder / name).chmod(0o600)
        line.listen()
    except OSError:
        line.close()
        raise
    return line


def read_line(line: socket.socket, most: int) -> bytes:
    """Up to the end of the line; what it told in less is all."""
    told = bytearray()
    while len(told) < most and not told.endswith(b"\n"):
        piece = line.recv(65_536)
        if not piece:
            break
        told += piece
    return bytes(told)


def encoded(answer: Reloaded | NotReloadedError) -> bytes:
    """The answer as bytes for the process that asked."""
    if isinstance(answer, NotReloadedError):
        body: dict[str, Any] = {"refused": str(answer)}
    else:
        mistakes = [
            [mistake.file, mistake.line, mistake.key_path, mistake.what, mistake.mend] for mistake in answer.mistakes
        ]
        body = {"mistakes": mistakes, "needs_restart": answer.needs_restart, "changed": answer.changed}
    return json.dumps(body).encode() + b"\n"


def _decoded(name: str, body: dict[str, Any]) -> Reloaded:
    if "refused" in body:
        raise NotReloadedError(f"{name}: {body['refused']}")
    mistakes = tuple(ConfigMistake(*mistake) for mistake in body["mistakes"])
    return Reloaded(mistakes, tuple(body["needs_restart"]), bool(body["changed"]))


def together(answers: list[Reloaded]) -> Reloaded:
    """What several processes answered."""
    return Reloaded(
        tuple(dict.fromkeys(mistake for answer in answers for mistake in answer.mistakes)),
        tuple(dict.fromkeys(key for answer in answers for key in answer.needs_restart)),
        any(answer.changed for answer in answers),
    )
