"""What a box says of itself to its centre, retained on `yz-box/{box}`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.base.clock import now_ms
from gateway.live.places import utc
from gateway.model import Millis


class BoxReport:
    """`state` is online, stopped, or offline: the last will, which tells nothing but that."""

    def __init__(self, box: str, version: str, started_at: Millis, stations: Sequence[str]) -> None:
        self.box, self.stations = box, list(stations)
        self._version, self._started_at = version, started_at

    def told(self, state: str, backlog: int) -> bytes:
        body: dict[str, Any] = {"box": self.box, "state": state}
        if state != "offline":
            body |= {
                "version": self._version, "since": utc(self._started_at), "at": utc(now_ms()),
                "stations": self.stations, "backlog": backlog,
            }  # fmt: skip
        return msgspec.json.encode(body)
