import pytest

from gateway.alerts.orders import (
    Order,
    OrderError,
    accept,
    assign,
    claim_done,
    verify,
    verify_by_hand,
)
from tests.gateway.notify.samples import ALERT, T0

VERIFY_WITHIN_MS = 30 * 60_000


def order(*, by_hand: bool = False) -> Order:
    alert = None if by_hand else ALERT
    return assign("o1", alert, "yanshan", "pile-01", "repair", "wang", "li", T0).order


def done(*, by_hand: bool = False) -> Order:
    return claim_done(accept(order(by_hand=by_hand), "wang", T0 + 1).order, "wang", T0 + 2).order


def test_an_order_goes_from_assigned_to_accepted_to_done() -> None:
    assert order().state == "assigned"
    assert accept(order(), "wang", T0).order.state == "accepted"
    assert done().state == "done"


@pytest.mark.parametrize(("holds", "state"), [(False, "closed"), (True, "accepted"), (None, None)])
def test_done_is_a_claim_that_evidence_decides(holds: bool | None, state: str | None) -> None:
    event = verify(done(), holds, T0 + 3)
    assert (event.order.state if event else None) == state


def test_a_claim_without_evidence_is_reopened_after_half_an_hour() -> None:
    assert verify(done(), None, T0 + 2 + VERIFY_WITHIN_MS - 1) is None
    event = verify(done(), None, T0 + 2 + VERIFY_WITHIN_MS)
    assert event is not None
    assert (event.action, event.order.reopened, event.order.done_at) == ("reopened", 1, None)
    assert claim_done(event.order, "wang", T0 + 9).order.state == "done"


def test_work_that_no_sensor_sees_waits_for_a_person() -> None:
    claimed = done(by_hand=True)
    assert verify(claimed, None, T0 + 10 * VERIFY_WITHIN_MS) is None
    assert verify_by_hand(claimed, "li", T0 + 3).order.state == "closed"


def test_a_step_out_of_turn_is_refused_by_name() -> None:
    with pytest.raises(OrderError, match="accepted"):
        accept(accept(order(), "wang", T0).order, "wang", T0)
    with pytest.raises(OrderError, match="done"):
        claim_done(done(), "wang", T0)
    with pytest.raises(OrderError, match="sensor"):
        verify_by_hand(done(), "li", T0)
    with pytest.raises(OrderError, match="assigned"):
        verify_by_hand(order(by_hand=True), "li", T0)
    assert verify(order(), True, T0) is None
