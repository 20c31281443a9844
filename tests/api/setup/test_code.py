"""The one-time code: once, for an hour, five tries."""

import re
from concurrent.futures import ThreadPoolExecutor

from api.setup.code import LIFE_MS, TRIES, SetupCode

NOW = 1_000


def test_it_is_good_once_however_it_is_typed() -> None:
    code = SetupCode(NOW, "ABCD2345")
    assert code.text == "ABCD-2345"
    assert code.take(" abcd 2345 ", NOW)
    assert not code.take("ABCD-2345", NOW)
    assert not code.is_open(NOW)


def test_it_ends_after_an_hour() -> None:
    code = SetupCode(NOW, "ABCD2345")
    assert code.is_open(NOW + LIFE_MS - 1)
    assert not code.take("ABCD-2345", NOW + LIFE_MS)
    assert SetupCode(NOW, "ABCD2345").take("ABCD-2345", NOW + LIFE_MS - 1)


def test_five_tries_are_all() -> None:
    code = SetupCode(NOW, "ABCD2345")
    for _ in range(TRIES):
        assert not code.take("WRONG", NOW)
    assert not code.take("ABCD-2345", NOW)


def test_the_fifth_try_may_be_the_right_one() -> None:
    code = SetupCode(NOW, "ABCD2345")
    assert [code.take("WRONG", NOW) for _ in range(TRIES - 1)] == [False] * (TRIES - 1)
    assert code.take("ABCD-2345", NOW)


def test_of_many_who_say_it_at_once_one_comes_in() -> None:
    code = SetupCode(NOW, "ABCD2345")
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: code.take("ABCD-2345", NOW), range(32))) == 1


def test_no_two_houses_have_the_same() -> None:
    codes = {SetupCode(NOW).text for _ in range(100)}
    assert len(codes) == 100
    assert all(re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
