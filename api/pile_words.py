"""What bridges say of charging piles, as it comes."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Short = Annotated[str, Meta(max_length=200)]


class PileThere(Struct, kw_only=True):
    """`yz-pile/{station}/{charge_point}`."""

    bridge: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
    protocol: Short = ""
    since: Short = ""
    vendor: Short | None = None
    model: Short | None = None
    firmware: Short | None = None
    devices: tuple[Short, ...] = ()
    operator: Literal["there", "away"] | None = None  # of a relayed pile: whether its operator hears it


class BoxThere(Struct):
    """`yz/{station}/{bridge}/availability`; a bridge that dies has left `offline` there as its last will."""

    state: Literal["online", "offline"]


class BridgeReply(Struct, kw_only=True):
    """One of `result`, `error` (as the pile says) and `trouble` (there is neither) is set."""

    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    trouble: Short | None = None
    text: Annotated[str, Meta(max_length=1000)] = ""
