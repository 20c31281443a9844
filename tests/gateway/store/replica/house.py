"""A gateway's store with its replica in PostgreSQL, at a time that is told."""

from contextlib import closing
from pathlib import Path
from typing import Any

from api.cli import main
from gateway.base.mishaps import Mishaps
from gateway.store.files import read_only
from gateway.store.jobs import Keep, KeepAudit, SpendLink
from gateway.store.replica.filing import ReplicaFiling, files_beside
from gateway.store.replica.postgres import Postgres
from gateway.store.replica.restoring import StoreRestored, restore_from
from gateway.store.replica.sender import ReplicaSender
from gateway.store.replica.words import Holder
from gateway.store.sqlite import SqliteStore
from tests.gateway.store.world import DAY, HOUR, NOON, SEATS, STALE, TAKEN, batch, change, refused
from tests.patience import until
from tests.postgres import PostgresServer


class House:
    """A gateway's store, its sender and its files, at a time that is told."""

    def __init__(
        self, folder: Path, server: PostgresServer, name: str = "gateway", holder: Holder | None = None
    ) -> None:
        self.folder, self.name, self.now = folder, name, NOON
        self.holder = holder or Holder("one", "one")
        self.server, self.url = server, server.url
        self.connect = lambda: Postgres(server.url, name)
        self.seq = 0

    def start(self) -> "House":
        self.sender = ReplicaSender(self.connect, required=True, holder=self.holder)
        self.store = SqliteStore(self.folder, self.now, ballast_mib=0, replica=self.sender)
        self.sender.begin(self.store)
        self.sender.start()
        beside = lambda: files_beside(self.folder, self.folder / "keys.json")  # noqa: E731
        self.filing = ReplicaFiling(self.sender, self.connect, self.folder, beside, Mishaps(), lambda: self.now)
        return self

    def live(self, hours: int = 1) -> None:
        """Messages of some hours, with all that a commit may bring."""
        for _ in range(hours):
            self.now += HOUR
            for seat in SEATS:
                self.seq += 5
                at = self.now + self.seq
                wrong = [refused(at, b"{%d" % self.seq)]
                self.store.commit(batch(self.seq, 5, at), [change(at, TAKEN, seat)], wrong, self.now)
                self.store.commit(batch(self.seq + 2, 2, at + 7), [change(at + 7, STALE, seat)], [], self.now)
            said = KeepAudit(self.now, "li", "tested", "x", f"{self.seq}")
            self.store.write([said, SpendLink(f"l{self.seq}", self.now + DAY), Keep("seq", b"%d" % self.seq)])
            self.store.checkpoint_all([(0, b"part %d" % self.seq)], self.store.last_id)
        self.settle()

    def settle(self) -> None:
        until(lambda: self.sender.confirmed == self.store.last_step, "the replica having all")

    def tidy(self) -> None:
        while self.store.tidy(self.now):
            pass

    def whole(self) -> None:
        self.filing.look()
        assert self.sender.whole

    def stop(self) -> None:
        self.sender.end(10)
        self.filing.end(1)
        self.filing.hang_up()
        self.store.close()

    def exported(self, capsys: Any, folder: Path | None = None) -> list[Any]:
        """What `yizhan export` prints, raw and quarantine, and all of the core file."""
        folder = folder or self.folder
        config = folder.parent / f"{folder.name}.yaml"
        config.write_text(
            f"store: {{path: {folder}}}\nstations: [{{id: yanshan, areas: [{{id: lounge, resources: ["
            "{id: seat-00, kind: seat}, {id: seat-01, kind: seat}, {id: seat-02, kind: seat}]}]}]\n"
        )
        told: list[Any] = []
        for more in ([], ["--raw"], ["--quarantine"]):
            capsys.readouterr()
            assert main(["export", "--config", str(config), *more]) == 0
            told.append(capsys.readouterr().out)
        assert told[0]
        with closing(read_only(folder / "yizhan.db")) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
            # Checkpoints follow in their own time: an older one means that more is replayed.
            tables = [name for name in tables if name not in ("replica_step", "checkpoint")]
            told += [(name, db.execute(f"SELECT * FROM {name}").fetchall()) for name in tables]
        for day in sorted(folder.glob("*.day.db")):
            with closing(read_only(day)) as db:
                told.append(
                    db.execute("SELECT text, at, code FROM change JOIN name ON id = resource ORDER BY 1, 2").fetchall()
                )
        return told

    def restored(self, target: Path) -> StoreRestored:
        with closing(self.connect()) as server:
            return restore_from(server, target, target / "keys.json")
