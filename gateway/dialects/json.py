"""Any device with JSON, or one bare word, on one topic: everything is said by configuration.

`fields` maps our signals to paths (`a.b`, `list.0`, `.` for the whole payload) and may name `boot`, `seq` and `online`
too; `values` maps foreign words to ours, `scale` brings units to ours, `ts` is the path of the time. `field` alone
feeds the resource's main signal.
"""

from dataclasses import replace
from typing import Final

from gateway.dialects.base import (
    NO_HEADER,
    BadSource,
    Decoded,
    Overheard,
    Source,
    Unreadable,
    decode_json,
    millis,
    read,
    read_text,
)
from gateway.dialects.shared import values
from gateway.dialects.shared.availability import online_word
from gateway.dialects.shared.meaning import Meaning, ReadSignals
from gateway.dialects.shared.paths import parse, pick
from gateway.dialects.shared.picks import Pick
from gateway.model import Header, Millis, Resource

OWN_WILL: Final = True
READS_TS: Final = True

_HEADER: Final = ("boot", "seq", "online")


class PlainJson:
    """One configured topic."""

    __slots__ = ("_boot", "_headed", "_meaning", "_online", "_seq", "_topic", "_ts", "_used", "_whole", "filters")
    valid_for_ms = None

    def __init__(self, source: Source, resource: Resource) -> None:
        if not source.field and not source.fields:
            raise BadSource("fields: say where each signal stands, as in {occupied: a.b}")
        ours = {signal: path for signal, path in source.fields.items() if signal not in _HEADER}
        self._meaning = Meaning(replace(source, fields=ours), resource)
        paths = {key: parse(path) for key, path in source.fields.items() if key in _HEADER}
        self._boot, self._seq, online = paths.get("boot"), paths.get("seq"), paths.get("online")
        self._ts = None if source.ts is None else parse(source.ts)
        self._online = (
            None if online is None else Pick(online, "online", values.translated(source.words("online"), online_word))
        )
        self._headed = self._ts is not None or self._seq is not None
        read_here = (self._ts, self._boot, self._seq, online, *(picked.path for picked in self._meaning.picks))
        self._used = len({path[:1] for path in read_here if path})
        self._whole = any(not picked.path for picked in self._meaning.picks)
        self._topic = source.topic
        self.filters = (self._topic,)

    def decode(self, topic: str, payload: bytes, _received_at: Millis) -> Decoded | None:
        """See `Decoder`."""
        if topic != self._topic:
            return None
        body = self._body(payload)
        header = self._header(body) if self._headed else NO_HEADER
        signals = ReadSignals()
        self._meaning.take(body, signals)
        if not signals and not signals.bad and self._is_elsewhere(body):
            return None
        if self._online is not None and not signals:
            online = pick(body, self._online.path)
            if online is not None:
                return self._meaning.availability(self._online.read(online) is True, header)
        ignored = max(0, len(body) - self._used) if isinstance(body, dict) else 0
        return self._meaning.decoded(header, signals, ignored)

    def _is_elsewhere(self, body: object) -> bool:
        """Whether nothing of the device is in it: where many share a topic, a stranger is no sign of life of ours."""
        paths = [picked.path for picked in self._meaning.picks]
        return all(len(path) > 1 for path in paths) and all(pick(body, path[:-1]) is None for path in paths)

    def _body(self, payload: bytes) -> object:
        try:
            body = read(decode_json, payload)
        except Unreadable as refused:
            if not self._whole or refused.reason != "not_json":
                raise
            return read_text(payload)
        if not self._whole and not isinstance(body, dict | list):
            raise Unreadable("not_object")
        return body

    def _header(self, body: object) -> Header:
        ts = None if self._ts is None else millis(pick(body, self._ts))
        seq = None if self._seq is None else pick(body, self._seq)
        boot = None if self._boot is None else pick(body, self._boot)
        if seq is None or boot is None:
            return Header(ts)
        return Header(ts, values.text(values.spelled(boot)), values.sequence(seq))


bind = PlainJson


def hear(_topic: str, _payload: bytes) -> Overheard | None:
    """Nothing: a topic that no other dialect knows is listed by `discover` itself."""
    return None
