"""Card numbers: raw only inside a reader's driver, pseudonyms everywhere else.

A pseudonym is HMAC-SHA-256 under a key that lies outside the store, cut to 16 bytes, in hex. What is published changes
with each period, so that the days of one card can't be linked; what stands in an allow-list is made for another
purpose and never published, so that the list can't be matched with the events.
"""

import hmac
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Literal

from config.files import LIST_BYTES, read_secret, read_text
from gateway.model import Millis

Rotation = Literal["day", "week", "month", "never"]
KEY_BYTES = 32


class CardNumber:
    """A number that somebody carries. It can't be printed, formatted, pickled or compared by anything but `Cards`."""

    __slots__ = ("__digits",)

    def __init__(self, digits: bytes) -> None:
        self.__digits = digits

    @classmethod
    def of_int(cls, value: int) -> "CardNumber":
        """The same card gives the same number whatever the base its reader writes it in."""
        return cls(b"%X" % value)

    @classmethod
    def of_text(cls, text: bytes) -> "CardNumber":
        """A number that is not plain hexadecimal: letters upper case, spaces away."""
        return cls(b"".join(text.upper().split()))

    @classmethod
    def of_any(cls, text: bytes) -> "CardNumber":
        """Hexadecimal where it is."""
        try:
            return cls.of_int(int(text, 16))
        except ValueError:
            return cls.of_text(text)

    def keyed(self, key: bytes, purpose: str) -> str:
        """The only thing that a number can be turned into."""
        return hmac.digest(key, purpose.encode() + b"|" + self.__digits, "sha256")[:16].hex()

    def __repr__(self) -> str:
        return "<card>"

    def __format__(self, _spec: str) -> str:
        return "<card>"

    def __reduce__(self) -> str:
        raise TypeError("a card number stays in its reader's driver")


class Cards:
    """Makes pseudonyms with one key. `zone` says when a new day begins."""

    def __init__(self, key: bytes, rotation: Rotation, zone: tzinfo = UTC) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"the card key has {len(key)} bytes and needs {KEY_BYTES}: openssl rand -hex 32 > FILE")
        self.__key, self._rotation, self._zone = key, rotation, zone

    def __repr__(self) -> str:
        return f"Cards(<key>, {self._rotation})"

    def published(self, card: CardNumber, now: Millis) -> str:
        """What may leave the bridge: 32 hex digits, another for each period."""
        return card.keyed(self.__key, f"event|{self._period(now)}")

    def access(self, card: CardNumber) -> str:
        """What stands in an allow-list: lasting, and never published."""
        return card.keyed(self.__key, "access")

    def _period(self, now: Millis) -> str:
        day = datetime.fromtimestamp(now / 1000, self._zone)
        year, week, _ = day.isocalendar()
        return {
            "day": f"{day:%Y-%m-%d}", "week": f"{year}-W{week:02}", "month": f"{day:%Y-%m}", "never": "",
        }[self._rotation]  # fmt: skip


_NUMBERS = re.compile(r"(?:[0-9A-Fa-f]{2}[ :-]){3,}[0-9A-Fa-f]{2}|[0-9A-Za-z]{8,}")
DIGITS_OF_A_NUMBER = 4


def without_numbers(text: str) -> str:
    """Free words of a machine without what may be the number of a card: eight characters and more with four digits
    among them, or bytes in hex with something between."""

    def shown(number: re.Match[str]) -> str:
        word = number.group()
        return "…" if sum(map(str.isdigit, word)) >= DIGITS_OF_A_NUMBER or not word.isalnum() else word

    return _NUMBERS.sub(shown, text)


def read_key(path: Path) -> bytes:
    """The key from its file of hex digits. ValueError says what is wrong with the file, never what is in it."""
    mode = path.stat().st_mode
    if stat.S_IMODE(mode) & 0o077:
        raise ValueError(f"{path} can be read by others: chmod 600 {path}")
    text = read_secret(path, "key").strip()
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{path} holds no hexadecimal key: openssl rand -hex 32 > {path}") from None


@dataclass(frozen=True, slots=True)
class CardStanding:
    """How somebody who shows a card stands on the list. `until`: when a line of it ends, ms since 1970."""

    word: Literal["Accepted", "Blocked", "Expired", "Invalid"]
    until: Millis | None = None

    @property
    def accepted(self) -> bool:
        return self.word == "Accepted"


NOBODY = CardStanding("Invalid")


class AllowList:
    """Who may enter and charge, by access pseudonym. A line is its pseudonym, alone or with `blocked` or `until`."""

    def __init__(self, lines: Mapping[str, CardStanding]) -> None:
        self._lines = dict(lines)

    def __repr__(self) -> str:
        return f"AllowList({len(self._lines)} lines)"

    def standing(self, pseudonym: str, now: Millis) -> CardStanding:
        """`Invalid` for whom it does not name."""
        line = self._lines.get(pseudonym, NOBODY)
        return CardStanding("Expired", line.until) if line.until is not None and line.until <= now else line


def read_allow_list(path: Path, zone: tzinfo = UTC) -> AllowList:
    """Access pseudonyms, one a line, each alone or with `blocked`, or with `until` and its last day by `zone`; `#`
    begins a comment. Of two lines of one pseudonym that with `blocked` counts, else the later. ValueError names a line
    that says something else.
    """
    lines: dict[str, CardStanding] = {}
    for number, text in enumerate(read_text(path, "bridge.allow_list_file", LIST_BYTES).splitlines(), 1):
        pseudonym, *words = text.partition("#")[0].lower().split() or [""]
        if not pseudonym:
            continue
        standing = _standing(words, zone)
        if standing is None:
            raise ValueError(
                f"{path}, line {number}: write PSEUDONYM, PSEUDONYM blocked, or PSEUDONYM until 2027-06-30"
            )
        known = lines.get(pseudonym)
        lines[pseudonym] = standing if known is None or known.word != "Blocked" else known
    return AllowList(lines)


def _standing(words: list[str], zone: tzinfo) -> CardStanding | None:
    if not words or words == ["blocked"]:
        return CardStanding("Blocked" if words else "Accepted")
    if len(words) != 2 or words[0] != "until":
        return None
    try:
        over = datetime.combine(date.fromisoformat(words[1]) + timedelta(1), time(), zone)
    except (ValueError, OverflowError):
        return None
    return CardStanding("Accepted", round(over.timestamp() * 1000))
