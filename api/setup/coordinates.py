"""A place as people paste it, in any of the three systems that Chinese maps use. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, get_args

from api.geo import LatLon, from_bd09, from_gcj02

System = Literal["wgs84", "gcj02", "bd09"]
SYSTEMS: Final[tuple[System, ...]] = get_args(System)
LONGEST_TEXT: Final = 500
_DECIMALS: Final = 6  # a decimetre

_NUMBER = r"(-?\d{1,3}(?:\.\d+)?)"
_PAIR: Final = re.compile(rf"(?<![\d.]){_NUMBER}\s*[,;/\s]\s*{_NUMBER}(?![\d.])")
_MINUTES, _SECONDS = r"(\d{1,2}(?:\.\d+)?)\s*[′']", r"(\d{1,2}(?:\.\d+)?)\s*(?:″|\"|''|′′)"
_DEGREES: Final = re.compile(rf"(\d{{1,3}}(?:\.\d+)?)\s*°\s*(?:{_MINUTES}\s*)?(?:{_SECONDS})?")
_SIDES: Final = {"N": (0, 1), "S": (0, -1), "E": (1, 1), "W": (1, -1)}
_SIDE_WORDS: Final = {
    "北纬": "N",
    "北緯": "N",
    "南纬": "S",
    "南緯": "S",
    "东经": "E",
    "東經": "E",
    "西经": "W",
    "西經": "W",
}
_DEGREE_NUMBER = r"(\d{1,3}(?:\.\d+)?)"
_LABELLED: Final = re.compile(rf"([NSEW])\s*[:=]?\s*{_DEGREE_NUMBER}|{_DEGREE_NUMBER}\s*([NSEW])(?![A-Za-z])")
_CHINA: Final = ((3.0, 54.0), (73.0, 136.0))


class NoPlaceError(ValueError):
    """The text holds no place; it says what to paste instead."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A place in WGS 84, as the configuration wants it. `swapped`: longitude stood first, as in Amap and Baidu."""

    lat: float
    lon: float
    swapped: bool = False


def pasted(text: str, system: System) -> Pasted:
    """The place in `text`: `22.765, 112.964`, `112.964,22.765`, `22°45'54"N 112°57'50"E`, `北纬22.765 东经112.964`, or
    the address of a map with such a pair in it. NoPlaceError when there is none."""
    plain = unicodedata.normalize("NFKC", text.strip())[:LONGEST_TEXT].replace("、", ",")
    point, swapped = _point(plain)
    moved = {"wgs84": lambda place: place, "gcj02": from_gcj02, "bd09": from_bd09}[system](point)
    return Pasted(round(moved[0], _DECIMALS), round(moved[1], _DECIMALS), swapped)


def _point(text: str) -> tuple[LatLon, bool]:
    labelled = _labelled(_in_degrees(text))
    if labelled is not None:
        return labelled, False
    pairs = [(float(first), float(second)) for first, second in _PAIR.findall(text.replace("%2C", ","))]
    for pair in (pair for pair in pairs if not all(number.is_integer() for number in pair)):
        if _is_place(pair) and not (_is_place(pair[::-1]) and _in_china(pair[::-1])):
            return pair, False
        if _is_place(pair[::-1]):
            return (pair[1], pair[0]), True
    raise NoPlaceError("no place can be read here; paste two numbers, as in 22.765, 112.964")


def _in_degrees(text: str) -> str:
    """Degrees, minutes and seconds as decimal degrees; words for the sides as letters."""
    for word, letter in _SIDE_WORDS.items():
        text = text.replace(word, letter)

    def decimal(match: re.Match[str]) -> str:
        degrees, minutes, seconds = (float(part or 0) for part in match.groups())
        return f"{degrees + minutes / 60 + seconds / 3600:.8f} "

    return _DEGREES.sub(decimal, text)


def _labelled(text: str) -> LatLon | None:
    """Two numbers of which each says on which side it lies."""
    told: dict[int, float] = {}
    for before, number, other, after in _LABELLED.findall(text):
        axis, sign = _SIDES[before or after]
        told.setdefault(axis, sign * float(number or other))
    point = (told.get(0, 999.0), told.get(1, 999.0))
    return point if _is_place(point) else None


def _is_place(point: LatLon) -> bool:
    return abs(point[0]) <= 90 and abs(point[1]) <= 180


def _in_china(point: LatLon) -> bool:
    return all(low <= value <= high for value, (low, high) in zip(point, _CHINA, strict=True))
