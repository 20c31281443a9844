"""Readers: one foreign JSON value in, one of the contract's values out, or Unreadable. Strict: 0 is not false.

A reader answers None where the value is there but says nothing (null, a nested object without the part we need).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from gateway.base import bounds
from gateway.dialects.base import Elsewhere, Unreadable
from gateway.model import Signal

SignalReader = Callable[[object], Signal | None]

_TEXT_LIMIT: Final = 64
_COUNT_LIMIT: Final = 100_000

# Words for "I have no value now"
NOTHING: Final = ("", "nan", "none", "null", "unknown", "unavailable")


def words(yes: str, no: str) -> Callable[[object], bool | None]:
    """A reader of JSON booleans and of these space-separated words, in any case; None for a word that says nothing."""
    table: dict[str, bool | None] = dict.fromkeys(NOTHING)
    table |= dict.fromkeys(yes.split(), True) | dict.fromkeys(no.split(), False)

    def read(value: object) -> bool | None:
        if value is True or value is False:
            return value
        if not isinstance(value, str):
            raise Unreadable("wrong_type")
        try:
            return table[value.lower()]
        except KeyError:
            raise Unreadable("unknown_value") from None

    return read


flag = words("on true yes", "off false no")
present = words("on true yes occupied present detected trigger", "off false no vacant unoccupied absent normal idle")
opened = words("on true yes open opened", "off false no close closed")
alarm = words(
    "on true yes alarm leak leaking wet flood abnormal detected triggered trigger smoke fire",
    "off false no normal clear dry idle ok silence",
)
locked = words(
    "on true yes lock locked", "off false no unlock unlocked not_fully_locked jammed locking unlocking open opening"
)


def shut(value: object) -> bool | None:
    """A contact: true means the two halves touch, so the door is closed."""
    apart = opened(value)
    return None if apart is None else not apart


def within(low: float, high: float, scale: float = 1) -> Callable[[object], float]:
    """A reader of finite numbers, multiplied by `scale` > 0; the range is that of the result."""
    least, most = low / scale, high / scale

    def read(value: object) -> float:
        if type(value) is not int and type(value) is not float:
            raise Unreadable("wrong_type")
        if not least <= value <= most:
            raise Unreadable("out_of_range")
        return value if scale == 1 else value * scale

    return read


number = within(-1e12, 1e12)
power_w = within(*bounds.POWER_W)
energy_wh = within(*bounds.ENERGY_WH)
energy_kwh = within(*bounds.ENERGY_WH, 1000)
battery_pct = within(*bounds.BATTERY_PCT)
rssi_dbm = within(*bounds.RSSI_DBM)
temperature_c = within(*bounds.TEMPERATURE_C)
humidity_pct = within(0, 100)
co2_ppm = within(*bounds.CO2_PPM)
pm25_ugm3 = within(*bounds.PM25_UGM3)
illuminance_lx = within(*bounds.ILLUMINANCE_LX)


def temperature_f(value: object) -> float:
    """Degrees Fahrenheit as Celsius."""
    return round(temperature_c((number(value) - 32) / 1.8), 2)


def count(value: object) -> int:
    """A number of things. LoRaWAN servers write every number as a float, so 3.0 is three."""
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise Unreadable("wrong_type")
    if not 0 <= value <= _COUNT_LIMIT:
        raise Unreadable("out_of_range")
    return value


def total(value: object) -> int:
    """What a counter has counted since it began."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return sequence(value)


def people(value: object) -> int:
    """A number of persons: what a counter says that has none is no crowd."""
    persons = count(value)
    if persons in bounds.NOBODY_COUNTED:
        raise Unreadable("out_of_range")
    return persons


def sequence(value: object) -> int:
    """A message's number."""
    if type(value) is not int:
        raise Unreadable("wrong_type")
    if not 0 <= value <= 2**53:
        raise Unreadable("out_of_range")
    return value


def text(value: object) -> str:
    """A code or version of at most 64 characters."""
    if not isinstance(value, str):
        raise Unreadable("wrong_type")
    if len(value) > _TEXT_LIMIT:
        raise Unreadable("out_of_range")
    return value


def known_or_raw(known: tuple[str, ...]) -> SignalReader:
    """A reader of these words in any case, answered as we write them; another word, or the number of a state that
    nobody gave a word, stays raw, and means: not known."""
    table = {word.lower(): word for word in known}

    def read(value: object) -> str:
        word = text(spelled(value) if is_number(value) else value)
        return table.get(word.lower(), word)

    return read


def day(value: object) -> str:
    """A calendar day, YYYY-MM-DD."""
    try:
        return date.fromisoformat(text(value)).isoformat()
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else Unreadable("unknown_value") from None


def inside(key: str, reader: SignalReader) -> SignalReader:
    """Reads `key` of a nested object."""

    def read(value: object) -> Signal | None:
        if not isinstance(value, dict):
            raise Unreadable("wrong_type")
        part = value.get(key)
        return None if part is None else reader(part)

    return read


def translated(words: Mapping[str, Signal], reader: SignalReader) -> SignalReader:
    """`words` turns a foreign word into ours first; JSON true, 1 and 1.5 are looked up as `true`, `1`, `1.5`.

    Where the words are codes, as of radio remotes, another code is another sender's: Elsewhere.
    """
    if not words:
        return reader
    table = by_spelling(words)
    codes = all(_is_code(word) for word in table)

    def read(value: object) -> Signal | None:
        word = spelled(value)
        if codes and word not in table and _is_code(word):
            raise Elsewhere
        return reader(table.get(word, value))

    return read


def scaled(factor: float, reader: SignalReader) -> SignalReader:
    """The number times `factor`, then read."""
    if factor == 1:
        return reader
    scale = within(-1e12, 1e12, factor)
    return lambda value: reader(scale(value))


def by_spelling(words: Mapping[str, Signal]) -> dict[str, Signal]:
    """The words as `spelled` writes them: who configures `1.0` means 1."""
    return {
        (word[:-2] if word.endswith(".0") and word[:-2].isdecimal() else word): ours for word, ours in words.items()
    }


def _is_code(word: str) -> bool:
    return len(word) >= 4 and any(map(str.isdecimal, word)) and all(digit in "0123456789abcdefABCDEF" for digit in word)


def spelled(value: object) -> str:
    """A JSON scalar as it is written, 1.0 as 1; empty for anything else."""
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def nothing(_value: object) -> None:
    """Reads a field that is used elsewhere."""


def is_number(value: object) -> bool:
    """A JSON number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def if_number(read: SignalReader) -> SignalReader:
    """Reads numbers only."""
    return lambda value: read(value) if is_number(value) else None


def unless_number(read: SignalReader) -> SignalReader:
    """Reads everything else."""
    return lambda value: None if is_number(value) else read(value)


def some(read: SignalReader) -> SignalReader:
    """Whether a count is above nought."""

    def anybody(value: object) -> Signal | None:
        persons = read(value)
        return None if persons is None else persons != 0

    return anybody


def or_some(read: SignalReader) -> SignalReader:
    """A word, or a count of which any makes it true."""
    return lambda value: people(value) != 0 if is_number(value) else read(value)
