"""PostgreSQL servers of our own on loopback, and a synchronous standby beside one. Debian's, as no root."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import until
from tests.ports import free_port

BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nowhere"))
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 40
shared_buffers = 16MB
wal_level = replica
max_wal_senders = 6
max_replication_slots = 4
wal_keep_size = 256MB
hot_standby = on
autovacuum_naptime = 10s
"""


class PostgresServer:
    """`start()`, `kill()`, `remove()`. It refuses to run as root, so then it is Debian's user `postgres`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def make(self, settings: str = "") -> None:
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        (self.folder / "data/pg_hba.conf").write_text(
            "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"
        )
        with (self.folder / "data/postgresql.conf").open("a") as file:
            file.write(f"{SETTINGS}\nport = {self.port}\n{settings}\n")

    def follow(self, primary: "PostgresServer", name: str) -> None:
        """Become a standby of that one, under a name."""
        line = f"host=127.0.0.1 port={primary.port} user=postgres application_name={name}"
        self._run("pg_basebackup", "-D", self._data, "-d", line, "-R", "-X", "stream", "-c", "fast")
        with (self.folder / "data/postgresql.conf").open("a") as file:
            file.write(f"\nport = {self.port}\n")

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "postgres", "-D", self._data], stdout=log, stderr=log, user=self._user, cwd=self.folder
            )
        until(self.answers, "PostgreSQL answering", pause_s=0.1)

    def answers(self) -> bool:
        asked = [str(BIN / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0

    def sql(self, statement: str) -> str:
        done = subprocess.run(
            [BIN / "psql", "-X", "-A", "-t", "-d", self.url, "-c", statement],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    def set(self, name: str, value: str) -> None:
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")

    def promote(self) -> None:
        self.sql("SELECT pg_promote(true, 60)")

    def pause(self) -> None:
        """It hangs: connections stay, and nobody answers."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """All of it at once, like a power cut that leaves the disk."""
        if self._process is None:
            return
        pids = self._pids()
        for pid in pids:
            with_no_error(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def remove(self) -> None:
        """The machine burns."""
        self.kill()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def _pids(self) -> list[int]:
        assert self._process is not None
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self._process.pid)], capture_output=True, text=True, check=False
        )
        return [self._process.pid, *map(int, children.stdout.split())]

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [BIN / program, *arguments], check=True, user=self._user, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip


def with_no_error(pid: int, what: signal.Signals) -> None:
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        pass


class Servers:
    """Makes servers, and takes all of them away at the end."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="yizhan-postgres-"))
        self._made: list[PostgresServer] = []
        if os.geteuid() == 0:
            shutil.chown(self._root, "postgres")

    def new_server(self) -> PostgresServer:
        """Not made yet: `make` or `follow` it, then `start`."""
        folder = self._root / str(len(self._made))
        folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._made.append(PostgresServer(folder))
        return self._made[-1]

    def end(self) -> None:
        for server in self._made:
            server.kill()
        shutil.rmtree(self._root, ignore_errors=True)


def servers() -> Iterator[Servers]:
    """For a fixture; skips where Debian's PostgreSQL is not installed."""
    if not BIN.is_dir():
        pytest.skip("PostgreSQL is not installed")
    made = Servers()
    try:
        yield made
    finally:
        made.end()
