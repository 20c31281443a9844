"""What follows a station from one store to another, and what stays."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.alerts.orders import Order, OrderEvent
from gateway.alerts.words import Alert, AlertEvent, Delivery
from gateway.evidence.checks import CheckReport, StoredCheck
from gateway.model import OpeningChange
from gateway.store.alerts_reader import AlertReader
from gateway.store.audit import AuditReader
from gateway.store.jobs import Keep, KeepAlerts, KeepAudit, KeepOpenings, KeepOrder, KeepReports
from gateway.store.moving import close_own_alerts, move_stations, stations_in
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import MINUTE, NOON

MOVED_AT = NOON + MINUTE


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteStore]]:
    both = (
        SqliteStore(tmp_path / "box-1of2", NOON, ballast_mib=0),
        SqliteStore(tmp_path / "box-3of3", NOON, ballast_mib=0),
    )
    yield both
    for store in both:
        store.close()


def alert(station: str | None, name: str) -> Alert:
    return Alert(
        id=name, station=station, subject="pile", resource="pile", kind="device_fault", severity="warning",
        state="open", since=NOON, opened_at=NOON, changed_at=NOON, cause="state", detail={},
    )  # fmt: skip


def filled(store: SqliteStore) -> None:
    """Two stations with an alert, an order, a check, a word by hand, and a trouble of the gateway's own."""
    for station in ("north", "south"):
        made = alert(station, f"a-{station}")
        order = Order(
            id=f"o-{station}", alert=made.id, station=station, resource="pile", title="look", assignee="li",
            state="assigned", opened_at=NOON, changed_at=NOON,
        )  # fmt: skip
        owed = Delivery(f"d-{station}", "hook", made, "opened", NOON, NOON)
        report = CheckReport(id=f"r-{station}", check="fire", ts=NOON, result="ok", note="", by="li")
        store.write(
            [
                KeepAlerts([AlertEvent(made, NOON, "opened")], [owed]),
                KeepOrder(OrderEvent(order, NOON, "assigned", "li")),
                KeepReports([StoredCheck(station, report, NOON)]),
                KeepOpenings([OpeningChange(station, NOON, "proved")]),
            ]
        )
    store.write(
        [
            KeepAlerts([AlertEvent(alert(None, "a-own"), NOON, "opened")]),
            Keep("overrides", json.dumps([["north", None, None, {}], ["south", "hall", None, {}]]).encode()),
            Keep("checks_since", json.dumps({"north/fire": 1, "south/fire": 2}).encode()),
            Keep("nonces", json.dumps({"one": 1}).encode()),
        ]
    )


def told(store: SqliteStore) -> tuple[list[str], list[str], list[str]]:
    reader = AlertReader(store.folder)
    try:
        alerts = [row.id for row in reader.unsettled()]
        return sorted(alerts), [row.id for row in reader.orders()], [row.id for row in reader.due(NOON)]
    finally:
        reader.close()


def test_all_of_a_station_goes_and_nothing_of_another(stores: tuple[SqliteStore, SqliteStore]) -> None:
    old, new = stores
    filled(old)
    assert stations_in(old) == {"north", "south"}
    move_stations(old, new, {"north"}, MOVED_AT)
    assert told(new) == (["a-north"], ["o-north"], ["d-north"])
    assert told(old) == (["a-own", "a-south"], ["o-south"], ["d-south"])
    assert new.report_ids(0) == {"r-north": NOON}
    assert old.report_ids(0) == {"r-south": NOON}
    assert list(new.openings()) == ["north"]
    assert list(old.openings()) == ["south"]
    assert json.loads(new.kept("overrides") or b"") == [["north", None, None, {}]]
    assert json.loads(old.kept("overrides") or b"") == [["south", "hall", None, {}]]
    assert json.loads(new.kept("checks_since") or b"") == {"north/fire": 1}
    assert stations_in(old) == {"south"}


def test_what_a_shard_of_before_said_by_hand_gives_way_to_what_comes(stores: tuple[SqliteStore, SqliteStore]) -> None:
    old, new = stores
    filled(old)
    stale = [["north", None, None, {"stale": True}], ["east", None, None, {}]]
    new.write([Keep("overrides", json.dumps(stale).encode()), Keep("nonces", json.dumps({"two": 2}).encode())])
    move_stations(old, new, {"north"}, MOVED_AT)
    assert json.loads(new.kept("overrides") or b"") == [["east", None, None, {}], ["north", None, None, {}]]
    assert json.loads(new.kept("nonces") or b"") == {"one": 1, "two": 2}, "a command stays spent everywhere"


def test_what_a_kill_left_half_done_may_be_done_again(stores: tuple[SqliteStore, SqliteStore], tmp_path: Path) -> None:
    old, new = stores
    filled(old)
    before = tmp_path / "before"
    before.mkdir()
    kept = SqliteStore(before / "box-1of2", NOON, ballast_mib=0)
    filled(kept)
    move_stations(kept, new, {"north"}, MOVED_AT)  # all of it is there, and still here
    kept.close()
    move_stations(old, new, {"north"}, MOVED_AT)
    assert told(new) == (["a-north"], ["o-north"], ["d-north"])


def test_what_was_moved_whole_stays_there_when_a_kill_has_it_done_again(
    stores: tuple[SqliteStore, SqliteStore],
) -> None:
    old, new = stores
    filled(old)
    new.write([Keep("overrides", json.dumps([["east", None, None, {}]]).encode())])  # of another shard of before
    for _ in range(2):
        move_stations(old, new, {"north"}, MOVED_AT)
    assert json.loads(new.kept("overrides") or b"") == [["east", None, None, {}], ["north", None, None, {}]]
    assert [line.what for line in trail(new)] == ["move"]


def test_both_audit_trails_say_it_and_verify(stores: tuple[SqliteStore, SqliteStore]) -> None:
    old, new = stores
    filled(old)
    old.write([KeepAudit(NOON, "li", "override", "north", "free")])
    end = trail(old)[-1]
    move_stations(old, new, {"north"}, MOVED_AT)
    came, went = trail(new)[-1], trail(old)[-1]
    assert (came.what, came.target) == ("move", "box-1of2")
    assert came.detail == f"stations from there: north; its audit trail ends with line {end.id}, {end.digest}"
    assert (went.what, went.target, went.detail) == ("move", "box-3of3", "stations go there: north")
    for lines in (trail(old), trail(new)):
        digest = ""
        for line in lines:
            assert line.follows(digest)
            digest = line.digest or ""


def trail(store: SqliteStore):
    reader = AuditReader(store.folder)
    try:
        return list(reader.lines())
    finally:
        reader.close()


def test_troubles_of_a_gateway_that_is_no_more_are_over(stores: tuple[SqliteStore, SqliteStore]) -> None:
    old, _ = stores
    filled(old)
    assert close_own_alerts(old, MOVED_AT) == ["a-own"]
    assert close_own_alerts(old, MOVED_AT) == []
    reader = AlertReader(old.folder)
    closed = reader.alert("a-own")
    assert closed is not None
    assert (closed.state, closed.changed_at, closed.closed_by) == ("closed", MOVED_AT, "shards")
    assert reader.history("a-own")[-1][1] == "closed"
    reader.close()
