"""Remote commands: `yz-cmd/{station}/{device}/unlock`. Each is done once, soon, or never.

Payload: `{"nonce": "...", "expires": ms since 1970}`. A retained command is refused (the broker would repeat it to
every newcomer), so is one that has expired, reaches too far ahead, or whose nonce was seen before; the nonces outlive
a restart. Whatever was decided is told as an event `command` with `granted`, so it is in the store.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from firmware_bridge.spool import Spool
from gateway.model import Millis
from gateway.wire import NAME

AHEAD_MS = 60_000


class _Payload(Struct):
    nonce: Annotated[str, Meta(min_length=8, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
    expires: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A command for a device, and why it is refused; None when it is to be done."""

    device: str
    refused: str | None


def filter_of(station: str) -> str:
    return f"yz-cmd/{station}/+/unlock"


def judge(topic: bytes, payload: bytes, retained: bool, spool: Spool, now: Millis) -> Asked | None:
    """None when the topic is no command of ours."""
    parts = topic.decode("utf-8", "replace").split("/")
    if len(parts) != 4 or parts[0] != "yz-cmd" or parts[3] != "unlock" or not NAME.match(parts[2]):
        return None
    return Asked(parts[2], _refusal(payload, retained, spool, now))


def _refusal(payload: bytes, retained: bool, spool: Spool, now: Millis) -> str | None:
    if retained:
        return "retained"
    try:
        found = msgspec.json.decode(payload, type=_Payload)
    except (msgspec.DecodeError, RecursionError):
        return "unreadable"
    if found.expires <= now:
        return "expired"
    if found.expires > now + AHEAD_MS:
        return "too_far_ahead"
    return None if spool.first_use(found.nonce, found.expires, now) else "repeated"
