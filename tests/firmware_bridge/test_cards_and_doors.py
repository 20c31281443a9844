"""Card numbers stay where they are read; doors decide alone."""

import copy
import logging
import pickle
import traceback
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from firmware_bridge.cards import CardNumber, Cards, read_allow_list, read_key
from firmware_bridge.devices.base import DeviceOrder, DeviceReading, Heard
from firmware_bridge.devices.readers import CardLines, CardReader
from firmware_bridge.door import Door, Doors, Rules
from tests.firmware_bridge.rig import allowing

KEY = bytes(range(32))
DAY = 86_400_000
NOW = 1_780_000_000_000
CARD = CardNumber.of_int(0x7BB26E)


def cards(rotation: str = "day") -> Cards:
    return Cards(KEY, rotation, ZoneInfo("Asia/Shanghai"))  # type: ignore[arg-type]


def test_a_card_number_can_not_be_printed_formatted_pickled_or_copied_out(caplog: pytest.LogCaptureFixture) -> None:
    secret = CardNumber.of_text(b"11010519491231002X")
    logging.getLogger("x").warning("%s %r", secret, {"card": secret})
    texts = [str(secret), repr(secret), f"{secret:>30}", repr([secret]), caplog.text]
    texts += traceback.format_exception_only(ValueError(secret))
    assert all("1101051949" not in text for text in texts)
    for escape in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            escape(secret)
    assert not hasattr(secret, "__dict__")


def test_the_same_card_has_one_pseudonym_a_period_and_another_in_the_next() -> None:
    for rotation, apart in (("day", DAY), ("week", 7 * DAY), ("month", 32 * DAY)):
        hashed = cards(rotation)
        assert hashed.published(CARD, NOW) == hashed.published(CARD, NOW + 1)
        assert hashed.published(CARD, NOW) != hashed.published(CARD, NOW + apart), rotation
    assert cards("never").published(CARD, NOW) == cards("never").published(CARD, NOW + 400 * DAY)
    assert len(bytes.fromhex(cards().published(CARD, NOW))) == 16


def test_the_day_changes_at_local_midnight() -> None:
    before_midnight = 1_779_983_999_000  # 2026-05-28 23:59:59 in Shanghai
    assert cards().published(CARD, before_midnight) != cards().published(CARD, before_midnight + 2_000)


def test_what_stands_in_an_allow_list_is_never_what_is_published() -> None:
    assert cards("never").access(CARD) != cards("never").published(CARD, NOW)
    assert Cards(bytes(32), "never").access(CARD) != cards().access(CARD)


def test_a_key_that_others_can_read_or_that_is_too_short_is_refused_without_being_told(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY.hex())
    path.chmod(0o644)
    with pytest.raises(ValueError, match="chmod 600"):
        read_key(path)
    path.chmod(0o600)
    assert read_key(path) == KEY
    path.write_text("not hex at all")
    with pytest.raises(ValueError, match="openssl") as error:
        read_key(path)
    assert "not hex" not in str(error.value)
    with pytest.raises(ValueError, match="needs 32"):
        Cards(b"short", "day")


def test_an_allow_list_grants_and_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "allowed"
    path.write_text(f"# volunteers\n{cards().access(CARD)}  # Mrs Li\n\n")
    door = Door("door-1", Rules(cards(), read_allow_list(path), pulse_ms=500), "in")
    decision = door.card(CARD, NOW)
    assert decision.granted
    assert decision.readings[0].signals == {"card": cards().published(CARD, NOW), "granted": True, "direction": "in"}
    stranger = door.card(CardNumber.of_int(5), NOW)
    assert not stranger.granted
    assert stranger.readings[0].signals["granted"] is False


@pytest.mark.parametrize(
    ("words", "at", "word"),
    [
        ("", "2026-11-29T12:00", "Accepted"), ("blocked", "2026-11-29T12:00", "Blocked"),
        ("BLOCKED # lost", "2026-11-29T12:00", "Blocked"), ("until 2026-11-29", "2026-11-29T23:59", "Accepted"),
        ("until 2026-11-29", "2026-11-30T00:00", "Expired"), ("until 2026-11-28", "2026-11-29T12:00", "Expired"),
    ],
)  # fmt: skip
def test_a_line_of_the_list_says_how_somebody_stands(tmp_path: Path, words: str, at: str, word: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    now = round(datetime.fromisoformat(at).replace(tzinfo=zone).timestamp() * 1000)
    path = tmp_path / "allowed"
    path.write_text(f"{cards().access(CARD)} {words}\n")
    door = Door("door-1", Rules(cards(), read_allow_list(path, zone)))
    assert door.rules.allowed is not None
    assert door.rules.allowed.standing(cards().access(CARD), now).word == word
    assert door.card(CARD, now).granted is (word == "Accepted")


def test_of_two_lines_of_one_card_that_which_blocks_counts_else_the_later(tmp_path: Path) -> None:
    path = tmp_path / "allowed"
    path.write_text("aa blocked\naa\nbb until 2020-01-01\nbb until 9999-12-30\n")
    listed = read_allow_list(path)
    assert [listed.standing(name, NOW).word for name in ("aa", "bb", "cc")] == ["Blocked", "Accepted", "Invalid"]


@pytest.mark.parametrize("words", ["banned", "until", "until tomorrow", "until 9999-12-31", "blocked until 2027-01-01"])
def test_a_line_that_says_something_else_is_refused_by_its_number_and_not_told(tmp_path: Path, words: str) -> None:
    path = tmp_path / "allowed"
    path.write_text(f"# people\n{cards().access(CARD)} {words}\n")
    with pytest.raises(ValueError, match="line 2: write PSEUDONYM") as error:
        read_allow_list(path)
    assert cards().access(CARD) not in str(error.value)


def test_without_a_list_nobody_pretends_to_have_decided() -> None:
    assert "granted" not in Door("d", Rules(cards())).card(CARD, NOW).readings[0].signals
    assert Door("d", Rules()).card(CARD, NOW).readings == ()  # no key: nothing may be published


def test_a_card_held_to_the_reader_is_one_card() -> None:
    door = Door("d", Rules(cards()))
    counts = [len(door.card(CARD, NOW + at).readings) for at in (0, 700, 1_400, 2_100, 4_200)]
    assert counts == [1, 0, 0, 0, 1]


def test_a_door_opened_without_a_grant_is_forced_and_after_one_it_is_not() -> None:
    door = Door("d", Rules(cards(), allowing(cards().access(CARD))))
    assert [reading.event for reading in door.contact(True, NOW)] == ["door_forced"]
    assert door.contact(True, NOW + 1) == ()
    door.contact(False, NOW + 2)
    door.card(CARD, NOW + 10)
    assert door.contact(True, NOW + 5_000) == ()
    door.contact(False, NOW + 6_000)
    assert [reading.event for reading in door.contact(True, NOW + 60_000)] == ["door_forced"]


def test_a_door_that_stands_open_is_told_once() -> None:
    doors = Doors(Rules(held_ms=30_000))
    doors.watch(Heard((DeviceReading("d", {"open": True}),)), NOW)
    assert doors.tick(NOW + 29_999) == ()
    assert [reading.event for reading in doors.tick(NOW + 30_000)] == ["door_held"]
    assert doors.tick(NOW + 90_000) == ()


def test_reader_contact_and_lock_of_one_door_may_be_on_three_buses() -> None:
    doors = Doors(Rules())
    listed = Rules(cards(), allowing(cards().access(CARD)))
    doors.know("d", listed, "in")
    doors.know("d", Rules(cards(), listed.allowed, pulse_ms=700))
    reader = CardReader("d", doors["d"])
    contact = Heard((DeviceReading("d", {"open": True}),))
    assert [reading.event for reading in doors.watch(contact, NOW).readings] == [None, "door_forced"]
    doors.watch(Heard((DeviceReading("d", {"open": False}),)), NOW)
    (heard,) = reader.feed(b"7BB26E\r", NOW)
    assert heard.orders == (DeviceOrder("d", "unlock", 700),)
    assert doors.watch(contact, NOW + 3_000) == contact


def test_a_board_that_decided_by_itself_needs_no_pulse_from_us() -> None:
    door = Door("d", Rules(cards(), allowing(), pulse_ms=700))
    assert door.card(CARD, NOW, ok=True).granted
    assert not door.card(CardNumber.of_int(9), NOW, ok=True).opens


def test_a_reader_keeps_to_the_width_it_began_with() -> None:
    """A decimal number that lost its first digits would pass for a hexadecimal one."""
    lines = CardLines()
    assert len(lines.feed(b"0000123478\r\n")) == 1
    assert lines.feed(b"123478\r\n") == []
    assert len(lines.feed(b"0000123478\r\n")) == 1
    assert sum(len(lines.feed(b"01E256\r")) for _ in range(3)) == 1


def test_the_end_of_a_line_that_is_too_long_is_no_card() -> None:
    lines = CardLines()
    assert lines.feed(b"9" * 60) == []
    assert lines.feed(b"01E256\r") == []
    assert len(lines.feed(b"01E256\r")) == 1


def test_a_reader_publishes_the_pseudonym_and_nothing_else() -> None:
    reader = CardReader("door-1", Door("door-1", Rules(cards())))
    (heard,) = reader.feed(b"0000123478\r\n", NOW)
    assert heard.readings[0].event == "card"
    assert heard.readings[0].signals == {"card": cards().published(CardNumber.of_int(123478), NOW)}
    assert reader.feed(b"11010519491231002X\r\n", NOW) == ()
