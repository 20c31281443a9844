"""Watermarks that wait for the centre."""

from gateway.runtime.confirming import MOST, Confirming, Watermark


def told(upto: int | None) -> tuple[list[Watermark], Confirming, list[int]]:
    heard: list[Watermark] = []
    reached = [0]
    confirming = Confirming(heard.extend)
    if upto is not None:
        reached[0] = upto
        confirming.upto = lambda: reached[0]
    return heard, confirming, reached


def test_without_a_centre_they_go_at_once() -> None:
    heard, confirming, _ = told(None)
    confirming.put(1, [("a", b"1")])
    assert heard == [("a", b"1")]


def test_with_one_they_go_when_it_has_all_up_to_them() -> None:
    heard, confirming, reached = told(0)
    confirming.put(1, [("a", b"1")])
    confirming.put(2, [("a", b"2"), ("b", b"1")])
    confirming.put(3, [("a", b"3")])
    confirming.tell()
    assert heard == []
    reached[0] = 2
    confirming.tell()
    assert heard == [("a", b"2"), ("b", b"1")]


def test_many_that_wait_are_joined_and_none_goes_early() -> None:
    heard, confirming, reached = told(0)
    for number in range(1, MOST + 100):
        confirming.put(number, [(f"d{number}", b"1")])
    reached[0] = MOST + 98
    confirming.tell()
    assert ("d256", b"1") not in heard
    reached[0] = MOST + 99
    confirming.tell()
    assert len(heard) == MOST + 99
