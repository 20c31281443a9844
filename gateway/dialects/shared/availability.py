"""`availability_topic` for any dialect: online and offline told on a topic of its own."""

from gateway.dialects.base import NO_HEADER, Decoded, Decoder, Unreadable, read_object, read_text
from gateway.dialects.shared import values
from gateway.model import Millis, Resource

online_word = values.words("online true on 1 connected", "offline false off 0 disconnected")


class WithAvailability:
    """A decoder that listens to one topic more, before all others."""

    __slots__ = ("_inner", "_resource", "_seen", "_topic", "filters")

    def __init__(self, inner: Decoder, topic: str, resource: Resource) -> None:
        self._inner, self._topic, self._resource = inner, topic, resource
        self._follow()

    def _follow(self) -> None:
        self._seen = self._inner.filters
        self.filters = (self._topic, *self._seen)

    @property
    def valid_for_ms(self) -> Millis | None:
        """See `Decoder`."""
        return self._inner.valid_for_ms

    def decode(self, topic: str, payload: bytes, received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic == self._topic:
            here, online = self._resource, is_online(payload)
            return Decoded(here.station, here.device, "availability", NO_HEADER, {"online": online})
        decoded = self._inner.decode(topic, payload, received_at)
        if self._inner.filters is not self._seen:
            self._follow()
        return decoded


def is_online(payload: bytes) -> bool:
    """A plain word, or `{"state": word}`. Raises Unreadable, aside."""
    try:
        return _is_online(payload)
    except Unreadable as error:
        raise Unreadable(error.reason, aside=True) from None


def _is_online(payload: bytes) -> bool:
    if payload[:1] != b"{":
        return _sure(online_word(read_text(payload)))
    state = read_object(payload).get("state")
    if state is None:
        raise Unreadable("wrong_type")
    return _sure(online_word(state))


def _sure(online: bool | None) -> bool:
    if online is None:
        raise Unreadable("unknown_value")
    return online
