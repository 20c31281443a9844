"""How large a number can be that a device tells, and what real firmware puts around its JSON. One place for all.

Whatever speaks to us is bounded here: native messages, dialects of others and the bridge. Standard library only.
"""

import re
from typing import Final

BATTERY_PCT: Final = (0, 100)
RSSI_DBM: Final = (-200, 50)
POWER_W: Final = (-1e6, 1e6)
"""A whole charging park; below zero for a clamp put on backwards."""
ENERGY_WH: Final = (0, 1e12)
COUNT: Final = (0, 1_000_000)
TOTAL: Final = (0, 2**53)
"""What a counter has counted since it began."""
TEMPERATURE_C: Final = (-60, 100)
CO2_PPM: Final = (0, 100_000)
PM25_UGM3: Final = (0, 10_000)
ILLUMINANCE_LX: Final = (0, 1_000_000)
NOBODY_COUNTED: Final = frozenset((255, 32_767, 65_535))
"""A counter of people says so, filled with ones, where it has no number: its widest integer is no crowd."""
HOLD_S: Final = (0, 86_400)
SEQ: Final = (0, 2**53)
"""What a number in JSON holds exactly everywhere."""

_NO_NUMBER: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)\b')


def mended(payload: bytes) -> bytes | None:
    """The payload without what real firmware puts around or into its JSON; None if there is nothing to mend.

    A byte order mark in front, the NUL that ends a C string, and `nan` or `inf`, which mean: no value.
    """
    better = payload.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0 \r\n\t")
    better = _NO_NUMBER.sub(lambda match: match[0] if match[0][:1] == b'"' else b"null", better)
    return better if better != payload and better[:1] in (b"{", b"[") else None
