"""What the demo's first day begins with: troubles in every state, each through the real core, people and store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.commands.demo_past import Plan, make_past, make_present
from api.commands.demo_since import PastOfDemo, begun
from firmware_bridge.emulator.troubles import DAY_MS, STANDING
from gateway.store.alerts_reader import AlertReader
from gateway.store.reader import SqliteReader

NOW = 1_795_946_400_000  # an afternoon


@pytest.fixture(scope="module")
def present(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert make_present(Plan(folder, 4, 0, NOW)) == [], "nobody does anything in vain"
    return folder


@pytest.fixture
def reader(present: Path) -> Iterator[AlertReader]:
    reader = AlertReader(present)
    yield reader
    reader.close()


def test_a_demo_begins_with_troubles_in_every_state(reader: AlertReader) -> None:
    states = {
        (alert.kind, alert.subject): alert.state for alert in reader.alerts(limit=1000) if alert.state != "closed"
    }
    assert states["charger_fault", "pile-04"] == "open"
    assert states["charger_fault", "pile-07"] == "acknowledged"
    assert states["safety_not_ready", "aed"] == "acknowledged", "who acknowledges with a word has acknowledged"
    assert states["open_contradicted", "chained"] == "acknowledged"
    assert states["device_silent", "seat-16"] == "open"
    assert states["check_problem", "kit"] == "open"
    assert states["reported", "seat-05"] == "open"
    assert [kind for _, _, kind, _, _ in reader.muted(0)] == ["battery_low"]


def test_orders_are_in_course_in_every_state(reader: AlertReader) -> None:
    orders = {(order.station, order.alert): order for order in reader.orders()}
    states = {order.state for order in orders.values()}
    assert states == {"assigned", "accepted", "done"}
    assert max(order.reopened for order in orders.values()) == 1, (
        "one was said to be done while the sensor saw it still"
    )


def test_a_visitors_words_are_kept(reader: AlertReader) -> None:
    (report,) = reader.alerts("open", kind="reported")
    assert ("commented", "visitor") in [(action, by) for _, action, by, _ in reader.history(report.id)]


def test_the_gateway_follows_from_where_its_alerts_were(present: Path) -> None:
    reader = AlertReader(present)
    journal = SqliteReader(present)
    newest = max(reading.id for reading in journal.readings())
    assert reader.cursor() == newest
    reader.close()
    journal.close()


def test_only_those_with_a_standing_trouble_have_their_last_day_in_this_store(present: Path) -> None:
    journal = SqliteReader(present)
    heard = {(reading.station, reading.device) for reading in journal.readings()}
    journal.close()
    for station, things in STANDING.items():
        assert {device for where, device in heard if where == station} <= things


def test_a_demo_that_began_before_keeps_its_first_day(tmp_path: Path) -> None:
    first = begun(tmp_path, NOW, empty=False)
    assert first == begun(tmp_path, NOW + DAY_MS, empty=False) == NOW


def test_an_empty_demo_has_no_past(tmp_path: Path) -> None:
    assert begun(tmp_path, NOW, empty=True) is None
    past = PastOfDemo(Plan(tmp_path, 4, 0, NOW), wanted=False)
    past.make_present()
    past.start()
    assert not past.missing()
    assert list(past.standing()) == []
    assert not list(tmp_path.glob("*.db"))


def test_a_store_of_before_gets_no_past(tmp_path: Path) -> None:
    (tmp_path / "yizhan.db").touch()
    assert begun(tmp_path, NOW, empty=False) is None


def test_a_present_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "2026-11-22.day.db").write_bytes(b"half")
    past = PastOfDemo(Plan(tmp_path, 1, 0, NOW), wanted=True)
    past.make_present()
    assert (tmp_path / "yizhan.db").exists()
    assert past.missing()


@pytest.mark.slow
def test_the_same_seed_and_time_give_the_same_past(tmp_path: Path) -> None:
    def journal(folder: Path) -> list[tuple[object, ...]]:
        folder.mkdir()
        assert make_past(Plan(folder, 1, 7, NOW)) == []
        reader = SqliteReader(folder / "past")
        told: list[tuple[object, ...]] = [
            (reading.station, reading.device, reading.received_at, reading.payload) for reading in reader.readings()
        ]
        reader.close()
        return told

    assert journal(tmp_path / "one") == journal(tmp_path / "other") != []
