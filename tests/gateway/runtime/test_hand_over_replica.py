"""After a change of the number of shards the replica has what the folders have: a restore begins no other change."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from config.load import load
from gateway.alerts.orders import Order, OrderEvent
from gateway.alerts.words import Alert, AlertEvent
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.model import Batch
from gateway.runtime import hand_over_replica
from gateway.runtime.hand_over import HandOverStoppedError, hand_over
from gateway.runtime.parts import companions_of, mirrors_of, replica_of, store_of
from gateway.store.alerts_reader import AlertReader
from gateway.store.days import core_files
from gateway.store.jobs import KeepAlerts, KeepOrder
from gateway.store.replica.mirror_state import mirrors_in
from gateway.store.tenure import is_over, periods_in
from tests.patience import until
from tests.postgres import PostgresServer, servers

OF_TWO = {1: ("north", "south"), 2: ("east",)}  # of three, south is the third's
CONFIG = """\
mqtt: {{url: "embedded://127.0.0.1:0"}}
gateway: {{id: {name}}}
store: {{path: {folder}, ballast_mib: 0, replica: {{url_file: url, required: {required}}}}}
stations:
"""
STATION = '  - {id: %s, hours: "24/7", areas: [{id: yard, resources: [{id: seat-01, kind: seat}]}]}\n'


@pytest.fixture(scope="module")
def server():
    for made in servers():
        running = made.new_server()
        running.make()
        running.start()
        yield running


class Town:
    """A gateway of two shards with a replica; each station has readings, an open alert and an order."""

    def __init__(self, root: Path, server: PostgresServer, name: str, *, required: bool = True) -> None:
        self.root, self.server, self.name, self.required = root, server, name, required
        self.reach(server.url)
        self.settings = self.configured("data")
        for shard in OF_TWO:
            self._fill(shard)

    def reach(self, url: str) -> None:
        (self.root / "url").write_text(url)

    def configured(self, folder: str) -> Any:
        return load(self.config(folder))

    def config(self, folder: str) -> Path:
        path = self.root / f"{folder}.yaml"
        head = CONFIG.format(name=self.name, folder=folder, required=str(self.required).lower())
        path.write_text(head + "".join(STATION % station for stations in OF_TWO.values() for station in stations))
        return path

    def _fill(self, shard: int) -> None:
        gateway = f"{self.name}-{shard}of2"
        folder, now = self.settings.store.path / gateway, now_ms()
        sender = replica_of(self.settings, folder, gateway)
        assert sender is not None
        store = store_of(self.settings, folder, now, sender)
        _, filing = companions_of(self.settings, sender, folder, gateway, Mishaps())
        sender.start()
        for station in OF_TWO[shard]:
            batch = Batch()
            for seq in range(1, 6):
                payload = b'{"boot":"a","seq":%d,"occupied":true}' % seq
                batch.append(b"yz/%s/seat-01/state" % station.encode(), payload, now, 0)
            store.commit(batch, [], [], now)
        assert filing.look()  # whole; what comes now is in steps alone
        for station in OF_TWO[shard]:
            alert = Alert(
                id=f"a-{station}", station=station, subject="seat-01", resource="seat-01", kind="device_fault",
                severity="warning", state="open", since=now, opened_at=now, changed_at=now, cause="state", detail={},
            )  # fmt: skip
            order = Order(
                id=f"o-{station}", alert=alert.id, station=station, resource="seat-01", title="look", assignee="li",
                state="assigned", opened_at=now, changed_at=now,
            )  # fmt: skip
            store.write([KeepAlerts([AlertEvent(alert, now, "opened")])])
            store.write([KeepOrder(OrderEvent(order, now, "assigned", "li"))])
        until(lambda: sender.confirmed == store.last_step, "the replica having all")
        sender.end(10)
        filing.hang_up()
        store.close()

    def change(self, shards: int, folder: str = "data") -> bool:
        return hand_over(self.configured(folder), shards, lambda: False)

    def restored(self, folder: str) -> Path:
        assert main(["restore", "--config", str(self.config(folder)), "--from-replica"]) == 0
        return self.root / folder

    def exported(self, capsys: Any, folder: str) -> list[tuple[str, int]]:
        capsys.readouterr()
        assert main(["export", "--config", str(self.config(folder))]) == 0
        rows = map(json.loads, capsys.readouterr().out.splitlines())
        return sorted((row["station"], row["seq"]) for row in rows)


@pytest.fixture
def name(request) -> str:
    return re.sub(r"\W|_", "-", request.node.name)[-30:].strip("-")


ALL = sorted((station, seq) for stations in OF_TWO.values() for station in stations for seq in range(1, 6))
EACH = (["a-east", "a-north", "a-south"], ["o-east", "o-north", "o-south"])


def open_in(root: Path) -> tuple[list[str], list[str]]:
    """The open alerts and orders of all folders, each as often as it stands there."""
    alerts, orders = list[str](), list[str]()
    for path in core_files(root):
        with closing(AlertReader(path.parent)) as reader:
            alerts += [row.id for row in reader.unsettled()]
            orders += [row.id for row in reader.orders()]
    return sorted(alerts), sorted(orders)


@pytest.mark.parametrize("numbers", [(3,), (3, 2), (0,)], ids=["to-three", "and-back", "to-one-alone"])
def test_what_is_restored_has_each_alert_once_and_hands_nothing_over_again(server, tmp_path, capsys, name, numbers):
    town = Town(tmp_path, server, name)
    assert town.exported(capsys, "data") == ALL
    for number in numbers:
        assert town.change(number)
    root = town.restored("again")
    assert town.exported(capsys, "again") == ALL
    assert open_in(root) == open_in(tmp_path / "data") == EACH
    for path in core_files(root):
        assert periods_in(path.parent) == periods_in(tmp_path / "data" / path.parent.relative_to(root))
    assert not town.change(numbers[-1], "again")
    assert town.exported(capsys, "again") == ALL


def test_an_api_elsewhere_has_each_alert_once_and_takes_the_old_shards_as_former(server, tmp_path, name):
    town = Town(tmp_path, server, name)
    keeper = mirrors_of(lambda: town.configured("office"), Mishaps())
    assert keeper is not None
    keeper.look()
    assert open_in(tmp_path / "office") == EACH
    town.change(3)

    def looked() -> dict[str, bool]:
        server.sql("DELETE FROM yizhan_lease")  # nobody runs
        keeper._files_at_s = -1_000.0
        keeper.look()
        return {name[-4:]: state.former for name, state in mirrors_in(tmp_path / "office", now_ms()).items()}

    former = {"1of2": True, "2of2": True, "1of3": False, "2of3": False, "3of3": False}
    until(lambda: looked() == former, "the old ones are former")
    until(lambda: looked() and open_in(tmp_path / "office") == EACH, "each alert once")
    keeper.close()


def test_where_it_is_required_nothing_is_handed_over_whole_until_the_replica_has_it(server, tmp_path, name):
    town = Town(tmp_path, server, name)
    town.reach("postgresql://postgres@127.0.0.1:1/postgres")
    looks = iter(range(20))
    with pytest.raises(HandOverStoppedError):
        hand_over(town.settings, 3, lambda: next(looks, None) is None)
    town.reach(server.url)
    assert open_in(town.restored("before")) == EACH  # as before the change
    assert town.change(3)
    assert not town.change(3)
    assert open_in(town.restored("again")) == EACH
    assert not town.change(3, "again")


def test_where_it_is_not_required_the_change_goes_on_without_and_says_what_is_missing(
    server, tmp_path, capsys, name, monkeypatch, caplog
):
    monkeypatch.setattr(hand_over_replica, "PATIENCE_S", 0.1)
    town = Town(tmp_path, server, name, required=False)
    town.reach("postgresql://postgres@127.0.0.1:1/postgres")
    assert town.change(3)
    assert "lacks what changed hands" in caplog.text
    assert all(is_over(periods_in(tmp_path / f"data/{name}-{shard}of2")) for shard in OF_TWO)
    town.reach(server.url)
    assert open_in(town.restored("again")) == EACH
    server.sql("DELETE FROM yizhan_lease")  # the lost machine's has run out
    assert town.change(3, "again")
    assert town.exported(capsys, "again") == ALL
    assert open_in(tmp_path / "again") == EACH
