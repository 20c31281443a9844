"""Numbers of people are taken out of texts, in every way that people write them; other numbers stay."""

import random
import time

import pytest

from gateway.policy.personal import carries_personal_number, without_personal_numbers
from gateway.policy.text import bounded, one_line

PERSONAL = [
    ("11010519491231002X", "…"),
    ("身份证110101199003074477号", "身份证…号"),
    ("ID110101199003074477", "ID…"),
    ("ID110101199003074477x", "ID…x"),
    ("110101 19900307 4477", "…"),
    ("110101-19900307-4477", "…"),
    ("1 1 0 1 0 1 1 9 9 0 0 3 0 7 4 4 7 7", "…"),
    ("110101 / 199003074477", "…"),
    ("110101\n199003074477", "…"),
    ("110101、199003074477", "…"),
    ("110101_19900307_4477", "…"),
    ("１１０１０１１９９００３０７４４７７", "…"),
    ("１１０１０５１９４９１２３１００２Ｘ", "…"),
    ("11010519491231002x", "…"),
    ("1101\u200b01199003074477", "…"),
    ("seat 3 110101199003074477 again", "seat 3 … again"),
    ("110101900307447", "…"),
    ("旧证 110101 900307 447。", "旧证 …。"),
    ("１１０１０１９００３０７４４７", "…"),
    ("13812345678", "…"),
    ("张三13812345678", "张三…"),
    ("tel13812345678ok", "tel…ok"),
    ("138 1234 5678", "…"),
    ("138-1234-5678", "…"),
    ("138.1234.5670", "…"),
    ("138,1234,5671", "…"),
    ("138，1234，5671", "…"),
    ("138.123.45678", "…"),
    ("138.12.34.56.78", "…"),
    ("1 3 8 1 2 3 4 5 6 7 8", "…"),
    ("+8613812345678", "…"),
    ("+86 138 1234 5678", "…"),
    ("0086-13812345678", "…"),
    ("8613812345678", "…"),
    ("+86 138.1234.5678", "…"),
    ("１３８１２３４５６７８", "…"),
    ("138\u200b1234\u200b5678", "…"),
    ("13812345678,13912345678", "…,…"),
    ("13812345678/110101199003074477", "…/…"),
]

OTHER = [
    "",
    "seat-01",
    "E07",
    "1795262400000",  # a moment in milliseconds
    "1795262400",
    "1795262400000000",
    "2026-11-29T13:45:12.123+08:00",
    "2026-11-29 13:45:12.123456",
    "2019-12-31 20:20:12",
    "20261129134512",
    "20261129134512123",
    "202611291234567890",  # an order of the day
    "2026112922001412345678901234",  # a payment's number
    "1101011990030744771",  # a digit more
    "110101199003074476",  # the check digit is wrong
    "110101199013074477",  # no such month
    "990101199003074477",  # no such province
    "110101901307447",
    "12811234567",  # no mobile phone begins with 12
    "1381234567",
    "138123456789",
    "113.123456, 22.765432",
    "22.765432,113.138123",
    "135.12345678",
    "0.13812345678",
    "22.13812345678",
    "1381234.5678",
    "12345678.901 kWh",
    "13,812,345,670",
    "138.123.145.70",
    "192.168.100.200",
    "550e8400-e29b-41d4-a716-446655440000",
    "00158d0001a2b3c4",
    "f13812345670c0de",
    "0x00158d00018255df",
    "v1.14.2-20261129",
    "ESP32-3.1.0 build 20261129.1345",
    "400-820-8820",
    "12 34 56 78",
]


@pytest.mark.parametrize(("text", "left"), PERSONAL)
def test_a_number_of_a_person_is_taken_out_however_it_is_written(text: str, left: str) -> None:
    assert without_personal_numbers(text) == left
    assert carries_personal_number(text)
    assert not carries_personal_number(left)


@pytest.mark.parametrize("text", OTHER)
def test_any_other_number_stays(text: str) -> None:
    assert without_personal_numbers(text) == text


def test_moments_and_places_stay_whatever_they_are() -> None:
    dice = random.Random(13)
    for _ in range(5_000):
        moment = dice.randrange(1_600_000_000_000, 2_000_000_000_000)
        lat, lon = dice.uniform(-90, 90), dice.uniform(-180, 180)
        for text in (f"{moment}", f"at {moment} ms", f"{lat:.7f}, {lon:.7f}", f"{lon:.5f},{lat:.5f}"):
            assert without_personal_numbers(text) == text


def test_a_long_hostile_text_costs_little() -> None:
    texts = ("1 " * 30_000, "1" * 60_000, "1---" * 15_000, "138.1234." * 7_000, "110101 19900307 447 " * 3_000)
    begun = time.process_time()
    for text in texts:
        without_personal_numbers(text)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a\r\nb\tc\u2028d ", "a b c d"),
        ("a\x00b\x1b[31mc\x85d", "a b [31mc d"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066a\u2069\u2067b\u2068", "ab"),
        ("a\u200bb\ufeff", "ab"),
        ("a\ud800b", "ab"),
        ("👩‍🔧 修好了", "👩‍🔧 修好了"),
        ("   ", ""),
    ],
)
def test_a_text_becomes_one_line_without_anything_unseen(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_text_is_cut_to_its_bound_after_numbers_went() -> None:
    assert bounded("x" * 300, 10) == "x" * 9 + "…"
    assert bounded("call 138 1234 5678\nnow", 20) == "call … now"
    assert bounded("1381234\u202e5678", 20) == "…"
