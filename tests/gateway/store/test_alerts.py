from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.alerts.orders import assign, claim_done
from gateway.alerts.words import AlertEvent
from gateway.store.alerts_reader import AlertReader
from gateway.store.apart import write_apart
from gateway.store.apply import apply
from gateway.store.files import connect, transaction
from gateway.store.jobs import (
    ForgetAlerts,
    Job,
    KeepAlerts,
    KeepAudit,
    KeepOrder,
    RetryDelivery,
    SettleDeliveries,
    SpendLink,
)
from tests.gateway.notify.samples import ALERT, CLOSED, T0, delivery

OPENED = AlertEvent(ALERT, ALERT.opened_at, "opened")
SHUT = AlertEvent(CLOSED, T0, "closed")


class Book:
    def __init__(self, folder: Path) -> None:
        self.db = connect(folder / "yizhan.db", "core", synchronous="OFF")
        self.reader = AlertReader(folder)

    def do(self, *jobs: Job) -> None:
        for job in jobs:
            self.write([job])

    def write(self, jobs: Sequence[Job]) -> None:
        with transaction(self.db):
            for job in jobs:
                apply(self.db, job)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path)
    yield book
    book.reader.close()
    book.db.close()


def test_an_alert_is_kept_with_its_history(book: Book) -> None:
    acknowledged = replace(ALERT, state="acknowledged", acknowledged_by="li", changed_at=T0 - 500)
    book.do(KeepAlerts([OPENED, AlertEvent(acknowledged, T0 - 500, "acknowledged", "li"), SHUT], []))
    assert book.reader.alert("a1") == CLOSED
    assert [line[1:3] for line in book.reader.history("a1")] == [
        ("opened", "sensor"), ("acknowledged", "li"), ("closed", "sensor")
    ]  # fmt: skip
    assert book.reader.response_times(0) == (709.5, 710.0)


def test_storing_twice_changes_nothing_not_even_after_the_end(book: Book) -> None:
    book.do(KeepAlerts([OPENED], [delivery()], 7), KeepAlerts([SHUT], [], 8))
    book.do(SettleDeliveries([replace(delivery(), state="delivered", done_at=T0, via="duty", attempts=1)]))
    book.do(KeepAlerts([OPENED], [delivery()], 7))
    assert book.reader.alert("a1") == CLOSED
    assert book.reader.due(T0) == []
    assert book.reader.sent_at("duty", 0) == [T0]


def test_the_cursor_moves_with_the_events_or_not_at_all(book: Book) -> None:
    assert book.reader.cursor() == 0
    broken = AlertEvent(replace(ALERT, id="a2", detail={"no": object()}), T0, "opened")  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        book.do(KeepAlerts([OPENED, broken], [], 9))
    assert book.reader.cursor() == 0
    assert book.reader.alerts() == []
    book.do(KeepAlerts([], [], 9))
    assert book.reader.cursor() == 9


def test_what_cannot_be_stored_costs_itself_and_its_caller_is_told(book: Book) -> None:
    works: list[Job] = [
        KeepAlerts([OPENED], []),
        KeepAudit(1 << 70, "li", "x", "y"),
        KeepAudit(T0, "li", "override", "seat-01"),
    ]
    left_out: list[tuple[Job, str]] = []

    def failed(job: Job, error: Exception) -> None:
        left_out.append((job, type(error).__name__))

    assert isinstance(write_apart(book.write, works, failed), OverflowError)
    assert left_out == [(works[1], "OverflowError")]
    assert book.reader.alert("a1") == ALERT
    assert [what for _, _, what, _, _ in book.reader.audit()] == ["override"]
    assert write_apart(book.write, works[:1], failed) is None


def test_a_link_that_is_good_for_ever_is_spent_like_any_other(book: Book) -> None:
    book.do(SpendLink("x", 1 << 63), SpendLink("x", 1 << 63))
    assert book.reader.link_used("x")


def test_a_starting_core_is_told_what_is_open_and_what_staff_closed(book: Book) -> None:
    by_hand = replace(CLOSED, id="a2", subject="pile-02", closed_by="li")
    older = replace(by_hand, id="a3", opened_at=1)
    for alert in (ALERT, by_hand, older, replace(CLOSED, id="a4", subject="pile-04")):
        book.do(KeepAlerts([AlertEvent(alert, alert.opened_at, "opened")], []))
    assert {alert.id for alert in book.reader.unsettled()} == {"a1", "a2"}


def test_alerts_are_found_by_state_and_station(book: Book) -> None:
    own = replace(ALERT, id="a9", station=None, kind="disk_filling")
    book.do(KeepAlerts([OPENED, AlertEvent(own, T0, "opened")], []))
    assert len(book.reader.alerts("open")) == 2
    assert [alert.id for alert in book.reader.alerts("open", ["yanshan"])] == ["a1"]
    assert book.reader.alerts("closed") == []
    assert book.reader.alerts(stations=[]) == []


def test_deliveries_wait_until_due_and_end_once(book: Book) -> None:
    book.do(KeepAlerts([OPENED], [delivery(), replace(delivery("d2"), due=T0 + 5)]))
    assert [due.id for due in book.reader.due(T0)] == ["d1"]
    assert book.reader.next_due(T0) == T0 + 5
    dead = replace(delivery(), state="dead", done_at=T0, error="HTTP 400")
    book.do(SettleDeliveries([dead]), SettleDeliveries([replace(dead, state="delivered")]))
    assert [dead_letter.error for dead_letter in book.reader.dead_letters()] == ["HTTP 400"]
    book.do(RetryDelivery("d1", T0 + 9))
    assert [due.id for due in book.reader.due(T0 + 9)] == ["d2", "d1"] or len(book.reader.due(T0 + 9)) == 2
    assert [row.id for row in book.reader.deliveries_of("a1")] == ["d1", "d2"]


def test_a_link_is_spent_once(book: Book) -> None:
    assert not book.reader.link_used("n1")
    book.do(SpendLink("n1", T0), SpendLink("n1", T0 + 5))
    assert book.reader.link_used("n1")
    assert book.db.execute("SELECT expires_at FROM used_link").fetchall() == [(T0,)]


def test_orders_are_kept_with_their_steps(book: Book) -> None:
    first = assign("o1", ALERT, "yanshan", "pile-01", "repair", "wang", "li", T0)
    book.do(KeepOrder(first), KeepOrder(claim_done(first.order, "wang", T0 + 1)))
    [order] = book.reader.orders(["yanshan"])
    assert (order.state, order.assignee) == ("done", "wang")
    assert [line[1] for line in book.reader.order_history(order.id)] == ["assigned", "done"]
    assert book.reader.order(order.id) == order
    assert book.reader.order("none") is None
    assert book.reader.orders(state="closed") == []


def test_the_audit_trail_is_newest_first_and_old_things_are_forgotten(book: Book) -> None:
    book.do(
        KeepAlerts([OPENED, SHUT], [delivery()]),
        KeepAudit(T0, "li", "close", "a1"),
        KeepAudit(T0 + 1, "li", "accept", "o1"),
    )
    assert [line[2] for line in book.reader.audit()] == ["accept", "close"]
    book.do(SettleDeliveries([replace(delivery(), state="delivered", done_at=T0)]), ForgetAlerts(T0 + 10))
    assert book.reader.audit() == []
    assert book.reader.alerts() == []
    assert book.reader.history("a1") == []
