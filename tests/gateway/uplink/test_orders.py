"""What staff of a centre say is done at the box once, and only with the centre's key."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.commands import sign
from gateway.uplink.orders import CentreOrders
from tests.gateway.world import NOON

KEY = b"k" * 40
TOPIC = "yz-cmd/yanshan/override"


@pytest.fixture
def done() -> list[tuple[str, bytes]]:
    return []


@pytest.fixture
def orders(tmp_path: Path, done: list[tuple[str, bytes]]) -> CentreOrders:
    (tmp_path / "centre.key").write_bytes(KEY)
    return CentreOrders(tmp_path / "centre.key", lambda topic, text: done.append((topic, text)))


def text(nonce: str = "n" * 16, expires: int = NOON + 30_000) -> bytes:
    return json.dumps({"nonce": nonce, "expires": expires, "by": "li"}).encode()


def take(
    orders: CentreOrders, topic: str = TOPIC, *, key: bytes = KEY, said: bytes | None = None, **more: bool
) -> None:
    payload = sign(key, topic, said or text())
    orders.take(topic.encode(), payload, NOON, retained=more.get("retained", False))


def test_what_the_centre_signed_is_done_with_its_own_words(orders: CentreOrders, done: list[tuple[str, bytes]]) -> None:
    take(orders)
    assert done == [(TOPIC, text())]


def test_the_same_command_is_done_once(orders: CentreOrders, done: list[tuple[str, bytes]]) -> None:
    take(orders)
    take(orders)
    assert len(done) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda orders: take(orders, key=b"x" * 40),
        lambda orders: take(orders, retained=True),
        lambda orders: take(orders, said=text(expires=NOON - 1)),
        lambda orders: take(orders, "yz-cmd/yanshan/staff"),
        lambda orders: take(orders, "yz-cmd/yanshan/keys"),
        lambda orders: take(orders, "yz-cmd/yanshan/door/unlock"),
        lambda orders: orders.take(TOPIC.encode(), b"closed", NOON, retained=False),
    ],
)
def test_anything_else_is_refused(
    orders: CentreOrders, done: list[tuple[str, bytes]], wrong: Callable[[CentreOrders], None]
) -> None:
    wrong(orders)
    assert done == []


def test_without_the_key_nothing_is_obeyed(orders: CentreOrders, tmp_path: Path, done: list[tuple[str, bytes]]) -> None:
    (tmp_path / "centre.key").unlink()
    take(orders)
    assert done == []


def test_a_box_behind_this_one_that_can_not_be_reached_costs_the_command_alone(tmp_path: Path) -> None:
    (tmp_path / "centre.key").write_bytes(KEY)

    def away(_topic: str, _text: bytes) -> None:
        raise ConnectionError("the line is down")

    take(CentreOrders(tmp_path / "centre.key", away))
