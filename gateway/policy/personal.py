"""Numbers of people in text: identity numbers (GB 11643: 18 characters, or the 15 digits before it) and mobile phones.

Whatever a text came from (a visitor, staff, a calendar, a device), nobody needs them, so they are taken out. Other
numbers stay: orders, readings, moments, coordinates, hardware addresses.
"""

import re
from datetime import date

MASK = "…"
FEWEST_DIGITS = 11  # a mobile phone's; a text with fewer holds nothing of the kind
_DIGIT = re.compile(r"\d")  # of any script: full-width digits too
_GAP = r"[\s\-‐-―−－\u200b-\u200f\u2060\ufeff]?"  # between digits: a space, a hyphen, what nobody sees
_BREAK = r"[\W_]{0,3}"  # a check digit lets an identity number be known through more
_IDENTITY_18 = re.compile(rf"(?=(?<!\d)([1-9](?:{_BREAK}\d){{16}}{_BREAK}[\dXxＸｘ])(?!\d))")
_IDENTITY_15 = re.compile(rf"(?=(?<!\d)(?<!\d\.)([1-9](?:{_GAP}\d){{14}})(?!\d))")
_CODE = r"(?:(?:\+|＋|00)?86[\s\-]?)?"
_PHONE = re.compile(rf"(?=(?<!\d)(?<!\d\.)({_CODE}1{_GAP}[3-9](?:{_GAP}\d){{9}})(?!\d))")
# With dots and commas only as phones are grouped, so that amounts, decimals and IP addresses stay.
_DOTTED = re.compile(
    rf"(?=(?<!\d)({_CODE}1[3-9]\d([.,，．、·])\s?(?:\d{{4}}\2\s?\d{{4}}|\d{{3}}\2\s?\d{{5}}|(?:\d\d\2\s?){{3}}\d\d))(?!\d))"
)
# What only looks like one: hardware addresses and digests with a letter in them, a place, a moment.
_OTHER = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\b(?=[0-9]*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})\b"
    r"|-?\d{1,3}\.\d{3,}[\s,，;]+-?\d{1,3}\.\d{3,}"
    r"|(?<!\d)\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?",
    re.IGNORECASE,
)
_PROVINCES = frozenset(
    (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
Span = tuple[int, int]


def without_personal_numbers(text: str) -> str:
    """The text with each identity and mobile phone number in it replaced by `…`; the text itself when it has none.

    A number is known with spaces or hyphens between its digits, in full-width digits, and inside words. A text with
    fewer than eleven digits costs one short scan, so this may be called for every title, name or remark. It is for
    single texts, not for payloads: `gateway.wire.carries_identity` looks at the bytes of a message.
    """
    for begin, end in reversed(_spans(text)):
        text = text[:begin] + MASK + text[end:]
    return text


def carries_personal_number(text: str) -> bool:
    """Whether `without_personal_numbers` would take something out."""
    return bool(_spans(text))


def _spans(text: str) -> list[Span]:
    """Where they stand, in order, none over another."""
    if len(_DIGIT.findall(text)) < FEWEST_DIGITS:
        return []
    if not text.isascii():
        text = _DIGIT.sub(lambda digit: str(int(digit[0])), text)  # as long as before
    others = [other.span() for other in _OTHER.finditer(text)]
    numbers = [match.span(1) for match in _IDENTITY_18.finditer(text) if _is_identity(_digits(match[1]))]
    numbers += [match.span(1) for match in _IDENTITY_15.finditer(text) if _is_old_identity(_digits(match[1]))]
    numbers += [match.span(1) for pattern in (_PHONE, _DOTTED) for match in pattern.finditer(text)]
    spans: list[Span] = []
    for begin, end in sorted(numbers):
        if any(first <= begin and end <= last for first, last in others):
            continue
        if spans and begin < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return spans


def _digits(text: str) -> str:
    """The digits alone, with X where an identity number may have it."""
    return "".join("X" if sign in "XxＸｘ" else sign for sign in text if sign.isdecimal() or sign in "XxＸｘ")


def _is_identity(number: str) -> bool:
    if int(number[:2]) not in _PROVINCES or not "1800" <= number[6:10] < "2100" or not _is_date(number[6:14]):
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11
    return number[17] == "10X98765432"[rest]


def _is_old_identity(number: str) -> bool:
    return int(number[:2]) in _PROVINCES and _is_date("19" + number[6:12])


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
