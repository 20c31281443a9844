"""`ts` for any dialect: the path of the time in a payload whose dialect knows of none."""

from dataclasses import replace

from msgspec.structs import replace as replaced

from gateway.dialects.base import Decoded, Decoder, Unreadable, decode_json, millis, read
from gateway.dialects.shared.paths import parse, pick
from gateway.model import Millis


class Stamped:
    """A decoder whose states and events carry the time found at `path`, where there is one."""

    __slots__ = ("_inner", "_path")

    def __init__(self, inner: Decoder, path: str) -> None:
        self._inner, self._path = inner, parse(path)

    @property
    def filters(self) -> tuple[str, ...]:
        """See `Decoder`."""
        return self._inner.filters

    @property
    def valid_for_ms(self) -> Millis | None:
        """See `Decoder`."""
        return self._inner.valid_for_ms

    def decode(self, topic: str, payload: bytes, received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        decoded = self._inner.decode(topic, payload, received_at)
        if decoded is None or decoded.topic == "availability":
            return decoded
        try:
            ts = millis(pick(read(decode_json, payload), self._path))
        except Unreadable:
            return decoded  # a plain word has no time
        return decoded if ts is None else replaced(decoded, header=replace(decoded.header, ts=ts))
