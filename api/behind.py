"""An API that reads mirrors says so in every answer about the past while they are not up to now: nothing old is live.

It stands around all routes, so that none can be forgotten; those that tell what is true now, or what this API keeps
itself, are named here. A JSON object gets `lacks`, a page a line at its top, every answer `yizhan-whole-until`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.times import rfc3339
from config.schema import Settings
from gateway.base.clock import monotonic_s
from gateway.base.local_time import local_of
from gateway.model import Millis
from gateway.store.replica.mirror_state import MirrorState, mirrors_in

LOOK_S = 0.5
HEADER = b"yizhan-whole-until"
OF_NOW = re.compile(
    r"/api/v1/(stations|rooms|stream|session|sessions|staff|discover|subscriptions|wishes)"
    r"|/api/v1/(config|setup|account|sessions|subscriptions)(/.*)?"
    r"|/api/v1/stations/[^/]+(/piles|/left-out|/wishes|/tally)?"
    r"|/(static|feeds|ocpi|screen|setup|login|account|docs|discover|p)(/.*)?"
    r"|/m(/[^/]+)?|/m/.*webmanifest|/m/[^/]+/wish|/rooms|/wishes|/checks.*|/healthz|/readyz|/metrics|/openapi.json|/.*\.(js|css)"
)
"""Paths whose answers mirrors have no part in."""
_LINE = {
    "zh-Hans": "过往记录、警报和工单只到 {at}，之后的还没有到这台机器。",
    "zh-Hant": "過往紀錄、警報和工單只到 {at}，之後的還沒有到這台機器。",
    "en": "The past, alerts and orders are told up to {at}; what came since is not on this machine yet.",
}
_NOTHING = {
    "zh-Hans": "过往记录、警报和工单正在取到这台机器，还没有取完。",
    "zh-Hant": "過往紀錄、警報和工單正在取到這台機器，還沒有取完。",
    "en": "The past, alerts and orders are being fetched to this machine and are not here yet.",
}


@dataclass(frozen=True, slots=True)
class Lag:
    """`whole_until` None: nothing of it is here. `why`: in words, for anybody; `details`: for staff of the machine."""

    whole_until: Millis | None
    why: str
    details: tuple[str, ...]

    @property
    def text(self) -> str:
        if self.whole_until is None:
            return f"not all of the past, of alerts and orders is here yet: {self.why}"
        return f"the past, alerts and orders are whole up to {rfc3339(self.whole_until)}: {self.why}"


def lag_of(mirrors: dict[str, MirrorState]) -> Lag | None:
    """None while all are up to now."""
    behind = {name: state for name, state in mirrors.items() if not state.current}
    if not behind:
        return None
    times = [state.whole_until for state in behind.values()]
    until = None if None in times else min(time for time in times if time is not None)
    details = tuple(
        f"{name} is mirrored up to {_time(state)}: {state.detail or state.why}" for name, state in behind.items()
    )
    return Lag(until, "; ".join(dict.fromkeys(state.why for state in behind.values())), details)


def _time(state: MirrorState) -> str:
    return "nothing yet" if state.whole_until is None else rfc3339(state.whole_until)


class Lagging:
    """How far behind this machine's mirrors are; looked at twice a second at most. Any thread may ask."""

    def __init__(self, settings: Callable[[], Settings], now: Callable[[], Millis]) -> None:
        self._settings, self._now = settings, now
        self._at_s, self._lag = -LOOK_S, None

    _lag: Lag | None

    def __call__(self) -> Lag | None:
        if monotonic_s() - self._at_s >= LOOK_S:
            self.look()
        return self._lag

    def look(self) -> None:
        """Now."""
        self._lag = lag_of(mirrors_in(self._settings().store.path, self._now()))
        self._at_s = monotonic_s()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self._settings().timezone)


class TellsLag:
    """An ASGI application around all routes."""

    def __init__(self, app: ASGIApp, lagging: Lagging) -> None:
        self._app, self._lagging = app, lagging

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lag = self._lagging() if scope["type"] == "http" else None
        if lag is None or (OF_NOW.fullmatch(scope["path"]) and scope["path"] != "/build"):
            await self._app(scope, receive, send)
            return
        # Who has the answer of before would not hear that it is old now; what is packed can't be told in.
        headers = [header for header in scope["headers"] if header[0] not in (b"if-none-match", b"accept-encoding")]
        await self._app({**scope, "headers": headers}, receive, _Telling(lag, self._lagging.zone, scope, send))


_OF_WHAT_HOLDS = (b"etag", b"cache-control")
"""Headers by which others keep an answer: this one is old in a moment, and was old before."""


class _Telling:
    """A `send` that has the answer tell it; a body that is changed is sent as one."""

    def __init__(self, lag: Lag, zone: ZoneInfo, scope: Scope, send: Send) -> None:
        self._lag, self._zone, self._path, self._send = lag, zone, scope["path"], send
        self._wall = b"station=" in scope["query_string"]
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            until = b"none" if self._lag.whole_until is None else rfc3339(self._lag.whole_until).encode()
            kept = [header for header in message.get("headers", ()) if header[0] not in _OF_WHAT_HOLDS]
            headers = [*kept, (b"cache-control", b"no-store"), (HEADER, until)]
            message = {**message, "headers": headers}
            kind = next((value for name, value in headers if name == b"content-type"), b"")
            if kind.startswith((b"application/json", b"text/html")):
                self._start = message
                return
            await self._send(message)
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._whole(self._start)

    async def _whole(self, start: Message) -> None:
        body = self._told()
        headers = [header for header in start["headers"] if header[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _told(self) -> bytes:
        body = self._body
        if self._path == "/build":  # by which a page that is open learns that it is to be loaded again
            if self._wall:
                return body
            return body.replace(b'"build":"', b'"build":"behind-', 1).replace(b'"filling":false', b'"filling":true', 1)
        if body.startswith(b"{") and body.endswith(b"}"):
            if b'"lacks":' in body:
                return body
            told = msgspec.json.encode({"lacks": self._lag.text})
            return told if body == b"{}" else body[:-1] + b"," + told[1:]
        if body[:9].lower() == b"<!doctype":
            return self._page(body)
        return body

    def _page(self, body: bytes) -> bytes:
        lang = re.search(rb'<html lang="([^"]+)"', body)
        name = lang[1].decode() if lang is not None else "zh-Hans"
        until = self._lag.whole_until
        if until is None:
            text = _NOTHING.get(name, _NOTHING["zh-Hans"])
        else:
            at = f"{local_of(until, self._zone):%Y-%m-%d %H:%M:%S}"
            text = _LINE.get(name, _LINE["zh-Hans"]).format(at=at)
        line = f'\n<p class="filling" role="status">{text}</p>'.encode()
        body = body.replace(b'data-build="', b'data-build="behind-', 1)
        return re.sub(rb"(<body[^>]*>)", lambda tag: tag[1] + line, body, count=1)


class MirrorCollector(Collector):
    """For an API in a process of its own."""

    def __init__(self, mirrors: Callable[[], dict[str, MirrorState]]) -> None:
        self._mirrors = mirrors

    def collect(self) -> Iterator[Metric]:
        current = GaugeMetricFamily("yizhan_mirror_current", "1 while it is up to now", labels=["gateway"])
        until = GaugeMetricFamily(
            "yizhan_mirror_whole_until_seconds", "all that was stored until then is here", labels=["gateway"]
        )
        for name, state in self._mirrors().items():
            if not state.former:
                current.add_metric([name], float(state.current))
                until.add_metric([name], (state.whole_until or 0) / 1000)
        yield from (current, until)
