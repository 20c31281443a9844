"""Processes of the product, as tests start them: real ones, or forked by one that has imported it already.

Only `make test` forks (tests/conftest.py says so by `FORKS`): what starts takes its imports over, and nothing else. The
slow tests, benchmarks and whatever needs another environment start as a user does.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tests.patience import until

HOUSE = Path(__file__).parents[1]
FORKS = "YIZHAN_TESTS_FORKS"
"""The environment's name for the socket of a product_server; without it every process is started afresh."""


NUMBER_BYTES = 32


class Forked:
    """What `subprocess.Popen` is for a process of one's own, for one that the server forked."""

    def __init__(
        self, words: tuple[str, ...], module: str, cwd: Path, out: int | IO[bytes] | None, err: int | IO[bytes] | None,
        new_session: bool,
    ) -> None:  # fmt: skip
        self.args = words
        self.returncode: int | None = None
        self.stdout: IO[bytes] | None = None
        self._life = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as given:
            given.callback(os.close, nothing := os.open(os.devnull, os.O_RDONLY))
            if out == subprocess.PIPE:
                reading, out = os.pipe()
                given.callback(os.close, out)
                self.stdout = os.fdopen(reading, "rb")
            standard = [nothing, _descriptor(out, 1), _descriptor(err, 2)]
            asked = {
                "module": module,
                "words": words,
                "cwd": str(cwd),
                "env": {**os.environ},
                "session": new_session,
            }
            until(lambda: self._life.connect(os.environ[FORKS]) is None, "the server that forks the product")
            socket.send_fds(self._life, [json.dumps(asked).encode()], standard)
        self.pid = int(self._life.recv(NUMBER_BYTES))

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            ready, _, _ = select.select([self._life], [], [], timeout)
            if not ready:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._life.recv(NUMBER_BYTES))
            self._life.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


Process = subprocess.Popen[bytes] | Forked


def _descriptor(given: int | IO[bytes] | None, default: int) -> int:
    if given is None:
        return default
    return given if isinstance(given, int) else given.fileno()


def start(
    *words: str,
    module: str = "api.cli",
    cwd: Path = HOUSE,
    env: dict[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    new_session: bool = False,
) -> Process:
    """Begin `yizhan` with these words, or another module of ours that has a `main`. `env` is added to our own."""
    if os.environ.get(FORKS) and not env:
        return Forked(words, module, cwd, stdout, stderr, new_session)
    program = [str(Path(sys.executable).with_name("yizhan"))] if module == "api.cli" else [sys.executable, "-m", module]
    return subprocess.Popen(
        [*program, *words], cwd=cwd, env={**os.environ, **(env or {})}, stdout=stdout, stderr=stderr,
        start_new_session=new_session,
    )  # fmt: skip


def run(*words: str, cwd: Path = HOUSE, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """`yizhan` with these words, to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = start(*words, cwd=cwd, stdout=out, stderr=err)
        try:
            status = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, status, out.read().decode(), err.read().decode())


def fork_until(at_end: Callable[[Callable[[], None]], None]) -> None:
    """From now on `start` forks, in this process and in those that it begins, until what is given to `at_end` runs."""
    folder = tempfile.mkdtemp(prefix="yizhan-forks-")
    address = f"{folder}/socket"
    command = [sys.executable, "-m", "tests.product_server", address]
    server = subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, start_new_session=True)
    os.environ[FORKS] = address

    def end() -> None:
        del os.environ[FORKS]
        server.communicate()
        shutil.rmtree(folder)

    at_end(end)
