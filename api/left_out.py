"""What gateways leave out of what is told them, as they say it on `yz-sys/{gateway}`, believed within reason."""

import contextlib
from collections.abc import Iterable
from typing import Final

import msgspec

from gateway.mqtt.reader import Frame
from gateway.wire import NAME

SYS: Final = b"yz-sys/"
MOST, LONGEST = 100, 400
"""Names of one gateway, characters of a name."""


class _Told(msgspec.Struct):
    left_out: dict[str, int] = {}


def left_out(frames: Iterable[Frame]) -> dict[str, dict[str, int]]:
    """For each gateway that reports of itself what it leaves out, as `station/what`, and how often.

    Nothing where that can't be read.
    """
    told: dict[str, dict[str, int]] = {}
    for topic, payload, _ in frames:
        name = topic[len(SYS) :].decode("utf-8", "replace")
        if topic.startswith(SYS) and NAME.match(name):
            told[name] = {}
            with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError):
                told[name] = _within_reason(msgspec.json.decode(payload, type=_Told).left_out)
    return told


def _within_reason(told: dict[str, int]) -> dict[str, int]:
    return {
        what: count
        for what, count in list(told.items())[:MOST]
        if 0 < count < 2**53 and len(what) <= LONGEST and what.isprintable()
    }
