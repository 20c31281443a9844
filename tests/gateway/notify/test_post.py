from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from gateway.alerts.words import Alert, Delivery
from gateway.notify.base import SendError, StaffMessage
from gateway.notify.post import Outlet, Post
from tests.gateway.notify.samples import ALERT, PLACES, T0, delivery

GIVE_UP_AFTER_MS = 3 * 86_400_000


@dataclass
class Channel:
    """Takes everything until told to fail."""

    fail: SendError | Exception | None = None
    only: Callable[[StaffMessage], bool] = lambda _: True
    got: list[StaffMessage] = field(default_factory=list)
    tries: int = 0

    def send(self, message: StaffMessage) -> None:
        self.tries += 1
        if self.fail is not None and self.only(message):
            raise self.fail
        self.got.append(message)


class Box:
    """An outbox in memory with the store's rules."""

    def __init__(self) -> None:
        self.rows: dict[str, Delivery] = {}
        self.broken = False

    def put(self, *deliveries: Delivery) -> None:
        self.rows |= {row.id: row for row in deliveries}

    def due(self, now: int) -> list[Delivery]:
        return sorted(
            (row for row in self.rows.values() if row.state == "waiting" and row.due <= now), key=lambda row: row.at
        )

    def next_due(self, now: int) -> int | None:
        return min((row.due for row in self.rows.values() if row.state == "waiting" and row.due > now), default=None)

    def sent_at(self, channel: str, since: int) -> list[int]:
        times = {row.done_at for row in self.rows.values() if row.state == "delivered" and row.via == channel}
        return sorted(at for at in times if at is not None and at > since)

    def standing(self, channel: str) -> list[Alert]:
        told = [row.alert for row in self.rows.values() if row.state == "delivered" and row.via == channel]
        return [alert for alert in told if alert.state != "closed"]

    def record(self, deliveries: Sequence[Delivery]) -> bool:
        if not self.broken:
            for row in deliveries:
                if self.rows.get(row.id, row).state == "waiting" and row.id in self.rows:
                    self.rows[row.id] = row
        return not self.broken


class Office:
    def __init__(self, fallback: str | None = "mail", cap: int = 20) -> None:
        self.now = T0
        self.box, self.duty, self.mail = Box(), Channel(), Channel()
        outlets = {
            "duty": Outlet("duty", self.duty, "zh", cap, fallback),
            "mail": Outlet("mail", self.mail, "en", 1000),
        }
        self.post = Post(self.box, self.box.record, outlets, PLACES, self._clock)

    def _clock(self) -> int:
        self.now += 1
        return self.now

    def run_until(self, then: int) -> None:
        for _ in range(1000):
            wake = self.post.run()
            if wake is None or wake > then:
                self.now = then
                return
            self.now = max(self.now, wake)
        raise AssertionError("it never rests")

    def states(self) -> list[str]:
        return [row.state for row in self.box.rows.values()]


def test_what_is_due_is_sent_once_and_recorded() -> None:
    office = Office()
    office.box.put(delivery("d1"), replace(delivery("d2"), due=T0 + 60_000))
    office.run_until(T0 + 30_000)
    assert office.states() == ["delivered", "waiting"]
    office.run_until(T0 + 90_000)
    assert office.states() == ["delivered", "delivered"]
    assert len(office.duty.got) == 2
    assert office.box.rows["d1"].via == "duty"


def test_a_failing_channel_is_left_alone_and_its_fallback_takes_over() -> None:
    office = Office()
    office.duty.fail = SendError("HTTP 500")
    office.box.put(*(delivery(f"d{number}") for number in range(5)))
    office.run_until(T0 + 1000)
    assert office.states() == ["delivered"] * 5
    assert {row.via for row in office.box.rows.values()} == {"mail"}
    assert office.duty.tries == 1


def test_without_a_fallback_it_is_tried_again_until_the_provider_recovers() -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 500")
    office.box.put(delivery("d1"), delivery("d2"))
    office.run_until(T0 + 3_600_000)
    tries = office.duty.tries
    assert 10 < tries < 25
    office.duty.fail = None
    office.run_until(T0 + 3_600_000 + 300_000)
    assert office.states() == ["delivered", "delivered"]
    assert office.duty.tries == tries + 2


def test_retry_after_is_honoured_to_the_second() -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 429", retry_after_s=90)
    office.box.put(delivery("d1"))
    office.run_until(T0 + 89_000)
    office.duty.fail = None
    assert office.duty.tries == 1
    office.run_until(T0 + 91_000)
    assert office.states() == ["delivered"]


def pauses_s(office: Office, span_ms: int) -> list[float]:
    """Between the tries at one message that is never taken."""
    tries: list[int] = []
    send = office.duty.send
    office.duty.send = lambda message: (tries.append(office.now), send(message))[1]  # type: ignore[method-assign]
    office.box.put(delivery("d1"))
    office.run_until(T0 + span_ms)
    return [round((later - earlier) / 1000, 1) for earlier, later in pairwise(tries)]


def test_pauses_double_from_five_seconds_to_five_minutes() -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 500")
    assert pauses_s(office, 1_300_000) == [5, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(("wish_s", "waited_s"), [(3599, 3599), (3600, 3600), (3601, 3600)])
def test_a_provider_may_ask_for_an_hour(wish_s: float, waited_s: float) -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 429", retry_after_s=wish_s)
    assert pauses_s(office, 4_000_000) == [waited_s]


@pytest.mark.parametrize("wish_s", [-1e30, -1, 0, 0.5, float("nan"), float("-inf")])
def test_a_senseless_wish_to_wait_is_no_wish(wish_s: float) -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 429", retry_after_s=wish_s)
    office.box.put(delivery("d1"))
    office.run_until(T0 + 3_600_000)
    assert 10 < office.duty.tries < 25


@pytest.mark.parametrize("wish_s", [3601, 2.0**64, 1e300, float("inf")])
def test_nobody_can_have_us_wait_for_more_than_an_hour(wish_s: float) -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 429", retry_after_s=wish_s)
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    assert office.box.rows["d1"].due <= T0 + 3_600_000 + 10
    office.duty.fail = None
    office.run_until(T0 + 3_600_100)
    assert office.states() == ["delivered"]


def test_a_message_on_which_our_sender_breaks_again_and_again_is_a_dead_letter_with_the_reason(caplog) -> None:
    office = Office(fallback=None)
    office.duty.fail, office.duty.only = ValueError("no line ends in a subject"), lambda message: message.id == "d1"
    office.box.put(delivery("d1"), delivery("d2", at=T0 + 1))
    office.run_until(T0 + 2 * 3_600_000)
    assert office.states() == ["dead", "delivered"]
    assert office.box.rows["d1"].attempts == 10
    assert "no line ends in a subject" in (office.box.rows["d1"].error or "")
    assert sum(record.exc_info is not None for record in caplog.records) < 10


def test_what_stands_open_is_repeated_to_who_forgets_until_it_is_closed() -> None:
    office = Office(fallback=None)
    office.post._outlets["duty"] = replace(office.post._outlets["duty"], repeat_ms=60_000)  # type: ignore[index]
    office.box.put(delivery("d1"), delivery("d2", alert=replace(ALERT, id="a2"), at=T0 + 1))
    office.run_until(T0 + 600_000)
    first, second, *again = office.duty.got
    assert {first.action, second.action} == {"opened"}
    assert 9 <= len(again) <= 11
    assert {message.action for message in again} == {"standing"}
    assert [alert.id for alert in again[-1].alerts] == ["a1", "a2"]
    assert len(again[-1].titles) == 2
    office.box.rows["d1"] = replace(office.box.rows["d1"], alert=replace(ALERT, state="closed"))
    office.box.rows["d2"] = replace(office.box.rows["d2"], alert=replace(ALERT, id="a2", state="closed"))
    told = len(office.duty.got)
    office.run_until(T0 + 1_200_000)
    assert len(office.duty.got) == told


def test_a_channel_that_fails_says_so_until_it_took_something() -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 500")
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    assert office.post.failing(office.now) == {"duty": ("HTTP 500", False)}
    office.duty.fail = None
    office.run_until(T0 + 600_000)
    assert office.post.failing(office.now) == {}


def test_a_lost_message_is_said_for_an_hour_although_the_next_was_taken() -> None:
    office = Office(fallback=None)
    office.duty.fail, office.duty.only = SendError("HTTP 400", permanent=True), lambda message: message.id == "d1"
    office.box.put(delivery("d1"), delivery("d2", at=T0 + 1), delivery("d3", channel="gone"))
    office.run_until(T0 + 1000)
    assert office.post.failing(office.now)["duty"] == ("HTTP 400", True)
    assert "gone" in office.post.failing(office.now)["gone"][0]
    assert office.post.failing(office.now + 3_600_000) == {}


def test_a_message_that_is_refused_for_ever_is_a_dead_letter_with_its_reason() -> None:
    office = Office(fallback=None)
    office.duty.fail = SendError("HTTP 400", permanent=True)
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    assert office.states() == ["dead"]
    assert office.box.rows["d1"].error == "HTTP 400"


def test_what_nobody_takes_for_three_days_is_a_dead_letter() -> None:
    office = Office()
    office.duty.fail = office.mail.fail = SendError("timeout")
    office.box.put(delivery("d1"))
    office.run_until(T0 + GIVE_UP_AFTER_MS - 600_000)
    assert office.states() == ["waiting"]
    office.run_until(T0 + GIVE_UP_AFTER_MS + 600_000)
    assert office.states() == ["dead"]


def test_one_message_that_a_provider_chokes_on_does_not_hold_up_the_others() -> None:
    office = Office(fallback=None)
    office.duty.fail, office.duty.only = SendError("HTTP 500"), lambda message: message.id == "d0"
    office.box.put(*(delivery(f"d{number}", at=T0 + number) for number in range(5)))
    office.run_until(T0 + 120_000)
    assert office.states() == ["waiting", *["delivered"] * 4]


def test_a_fault_in_a_sender_is_only_a_failed_delivery() -> None:
    office = Office()
    office.duty.fail = KeyError("a mistake of ours")
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    assert office.states() == ["delivered"]
    assert office.post._mishaps.take() == [(None, "KeyError")]


def test_an_escalation_is_told_only_while_nobody_cares() -> None:
    office = Office()
    office.box.put(
        delivery("e1", action="escalated"),
        delivery("e2", action="escalated", alert=replace(ALERT, state="acknowledged")),
        delivery("e3", action="escalated", alert=replace(ALERT, state="closed")),
    )
    office.run_until(T0 + 1000)
    assert office.states() == ["delivered", "dropped", "dropped"]


def test_beyond_the_cap_a_storm_comes_as_one_digest() -> None:
    office = Office(cap=5)
    office.box.put(*(delivery(f"d{number:02}") for number in range(40)))
    office.run_until(T0 + 1000)
    assert office.states() == ["delivered"] * 40
    assert [len(message.alerts) for message in office.duty.got] == [1, 1, 1, 1, 36]
    office.box.put(*(delivery(f"x{number:02}", at=T0 + 1000) for number in range(3)))
    office.run_until(T0 + 600_000)
    assert len(office.duty.got) == 5
    office.run_until(T0 + 1_000_000)
    assert [len(message.alerts) for message in office.duty.got][5:] == [3]


def test_a_channel_that_was_taken_out_leaves_a_visible_dead_letter() -> None:
    office = Office()
    office.box.put(delivery("d1", channel="gone"))
    office.run_until(T0 + 1000)
    assert office.states() == ["dead"]
    assert "gone" in (office.box.rows["d1"].error or "")


def test_a_delivery_that_could_not_be_recorded_is_not_sent_again() -> None:
    office = Office()
    office.box.put(delivery("d1"))
    office.box.broken = True
    office.run_until(T0 + 60_000)
    assert office.states() == ["waiting"]
    office.box.broken = False
    office.run_until(T0 + 120_000)
    assert office.states() == ["delivered"]
    assert len(office.duty.got) == 1


def test_a_trouble_of_the_store_is_told_without_it_and_not_again_once_it_is_stored() -> None:
    office = Office()
    office.box.broken = True
    office.post.tell([delivery("d1")])
    office.run_until(T0 + 60_000)
    assert len(office.duty.got) == 1
    office.box.broken = False
    office.box.put(delivery("d1"))
    office.run_until(T0 + 120_000)
    assert office.states() == ["delivered"]
    assert len(office.duty.got) == 1


def test_a_ring_of_fallbacks_ends() -> None:
    office = Office()
    office.duty.fail = office.mail.fail = SendError("down")
    office.post._outlets["mail"] = Outlet("mail", office.mail, "en", 1000, "duty")  # type: ignore[index]
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    assert (office.duty.tries, office.mail.tries) == (1, 1)


@pytest.mark.parametrize("number", range(3))
def test_the_receivers_language_is_the_channels(number: int) -> None:
    office = Office()
    if number == 1:
        office.duty.fail = SendError("down")
    office.box.put(delivery("d1"))
    office.run_until(T0 + 1000)
    [message] = office.duty.got + office.mail.got
    assert ("Cause" in message.text) is (number == 1)
