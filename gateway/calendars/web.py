"""A calendar at a web address: asked for changes only, with a copy on disk for the next start.

The address may be the secret itself (a private link, `user:password@`), so it stands in no text and no file: only the
host does. What the site says is quoted nowhere either.
"""

import os
import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from config.files import UnusableFileError, read_bytes
from gateway.base import reach
from gateway.base.clock import monotonic_s
from gateway.calendars.lines import MAX_BYTES
from gateway.model import Millis

READ_TIMEOUT_S, DOWNLOAD_S = 10.0, 30.0
AGENT = "yizhan (venue monitor; calendar)"
_SCHEME = re.compile("(https?|webcals?)://", re.IGNORECASE)


def is_web(source: str) -> bool:
    """Whether a configured source is a web address; else it is a path."""
    return _SCHEME.match(source) is not None


def host_of(url: str) -> str:
    """All of an address that may be shown."""
    return urlsplit(url).hostname or "?"


COPY_HEAD_BYTES = 16_384


class WebRefusalError(OSError):
    """The site answered, and did not give what was asked for. The text says what may be shown of it."""

    def __init__(self, status: int) -> None:
        super().__init__(_status(status))
        self.status = status


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """`headers` by their names in small letters."""

    data: bytes
    headers: Mapping[str, str]


class WebLine:
    """One site: every request goes over judged addresses, and its log-in is shown to that site alone."""

    def __init__(self, url: str, login: Callable[[], Mapping[str, str]]) -> None:
        self.url, self._login = url, login

    def ask(
        self, method: str, url: str | None = None, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> SiteAnswer:
        """What it says. OSError with a text that quotes neither the address nor the answer; WebRefusalError for
        any status but 2xx."""
        own = {"User-Agent": AGENT, "Accept-Encoding": "identity, gzip"}
        target = url or self.url
        try:
            asked = request.Request(target, data, own | dict(headers or {}), method=method)  # noqa: S310  see _Handler
            with _opener(_origin(self.url), self._login()).open(asked, timeout=READ_TIMEOUT_S) as answer:
                told = {name.lower(): value for name, value in answer.headers.items()}
                return SiteAnswer(_drained(answer), told)
        except HTTPError as error:
            error.close()
            raise WebRefusalError(error.code) from None
        except URLError as error:
            raise OSError(_reason(error.reason)) from None
        except (HTTPException, ValueError) as error:  # their texts quote the answer or the address
            raise OSError(f"no usable answer ({type(error).__name__})") from None


class Copy(msgspec.Struct):
    """First line of a copy on disk; the calendar follows. The file's name says for which address."""

    fetched_at: Millis
    etag: str | None
    last_modified: str | None


class WebSource:
    """An http(s) or webcal address. Redirects lead to http(s) alone, and from the public web never inward."""

    every_ms = 15 * 60_000

    def __init__(self, url: str, cache: Path, login: Callable[[], Mapping[str, str]] | None = None) -> None:
        """`login()` is the header that shows who asks; by default what stands in the address."""
        parts = urlsplit(url)
        own = reach.basic_login(parts.username, parts.password)
        self._line = WebLine(_plain(parts), login or (lambda: own))
        self._path = cache / f"{sha256(url.encode()).hexdigest()[:32]}.ics"
        self._tags: tuple[str | None, str | None] = None, None
        self._last: bytes | None = None
        self._came: tuple[str | None, str | None] = None, None

    def get(self) -> bytes:
        """What the site says now. OSError with a text that quotes neither the address nor the answer."""
        headers = {"Accept": "text/calendar"}
        if self._last is not None:
            tags = zip(("If-None-Match", "If-Modified-Since"), self._tags, strict=True)
            headers |= {header: tag for header, tag in tags if tag is not None}
        try:
            answer = self._line.ask("GET", headers=headers)
        except WebRefusalError as error:
            if error.status == 304 and self._last is not None:
                self._came = self._tags
                return self._last
            raise
        self._came = answer.headers.get("etag"), answer.headers.get("last-modified")
        return answer.data

    def keep(self, data: bytes, now: Millis) -> None:
        self._tags, self._last = self._came, data
        about = msgspec.json.encode(Copy(now, *self._tags))
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):  # a full disk must not cost today's calendar
            own_folder(self._path.parent)
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(about + b"\n" + data)
            fresh.replace(self._path)

    def kept(self) -> tuple[bytes, Millis] | None:
        try:
            head, _, data = read_bytes(self._path, "calendar", MAX_BYTES + COPY_HEAD_BYTES).partition(b"\n")
            about = msgspec.json.decode(head, type=Copy)
        except (UnusableFileError, msgspec.MsgspecError):
            return None
        self._tags, self._last = (about.etag, about.last_modified), data
        return data, about.fetched_at


def _plain(parts: SplitResult) -> str:
    """The address to ask: http or https, without user and password."""
    scheme = {"webcal": "https", "webcals": "https"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def own_folder(folder: Path) -> None:
    """Makes it, for its owner alone."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # one of an earlier version was open to others


def _status(code: int) -> str:
    mends = {401: ": write user:password@ into the address", 403: ": is the address still the calendar's own?"}
    if 300 <= code < 400:
        return f"HTTP {code}, a redirect that is not followed"
    return f"HTTP {code}{mends.get(code, '')}"


def _reason(reason: object) -> str:
    """Why there is no connection, in words of ours or of the system."""
    if isinstance(reason, reach.UnreachableError):
        return str(reason)
    if isinstance(reason, OSError):
        return reason.strerror or type(reason).__name__
    return "no connection"


class _Way:
    """What one question knows of its way: whether the configured address itself is inside a private network."""

    def __init__(self) -> None:
        self.inside: bool | None = None

    def places(self, host: str, port: int) -> list[tuple[str, int]]:
        """Where to connect. The first host is the configured one: where it is private, those after it may be too."""
        if self.inside is None:
            places = reach.addresses(host, port)
            self.inside = not any(reach.is_public(address) for address, _ in places)
            return places
        try:
            return reach.public_addresses(host, port, allow_private=self.inside)
        except reach.UnreachableError as error:
            if not error.final:
                raise
            raise reach.UnreachableError("a redirect leads into a private network, which is not followed") from None


def _connection(way: _Way, tls: bool, host: str, **options: Any) -> HTTPConnection:
    connection: HTTPConnection = (HTTPSConnection if tls else HTTPConnection)(host, **options)

    def connect() -> None:
        line = reach.dial(way.places(connection.host, connection.port), READ_TIMEOUT_S)
        line.settimeout(READ_TIMEOUT_S)
        connection.sock = line
        if tls:
            connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=connection.host)

    connection.connect = connect  # type: ignore[method-assign]
    return connection


class _Handler(request.AbstractHTTPHandler):
    """http and https over judged addresses."""

    def __init__(self, way: _Way) -> None:
        super().__init__()
        self._way = way

    def http_open(self, asked: request.Request) -> HTTPResponse:
        return self._open(asked, tls=False)

    def https_open(self, asked: request.Request) -> HTTPResponse:
        return self._open(asked, tls=True)

    http_request = https_request = request.AbstractHTTPHandler.do_request_

    def _open(self, asked: request.Request, *, tls: bool) -> HTTPResponse:
        def made(host: str, **options: Any) -> HTTPConnection:
            return _connection(self._way, tls, host, **options)

        return self.do_open(made, asked)


class _Login(request.BaseHandler):
    """Shows user and password to the configured site alone, wherever a redirect leads."""

    def __init__(self, origin: tuple[str, str | None, int | None], login: Mapping[str, str]) -> None:
        self._origin, self._login = origin, login

    def http_request(self, asked: request.Request) -> request.Request:
        if _origin(asked.full_url) == self._origin:
            for name, value in self._login.items():
                asked.add_unredirected_header(name, value)
        return asked

    https_request = http_request


def _opener(origin: tuple[str, str | None, int | None], login: Mapping[str, str]) -> request.OpenerDirector:
    web = request.OpenerDirector()
    for handler in (
        _Handler(_Way()), _Login(origin, login), request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(), request.HTTPErrorProcessor(), request.UnknownHandler(),
    ):  # fmt: skip
        web.add_handler(handler)
    return web


class _Answer(Protocol):
    def read1(self, size: int, /) -> bytes: ...


def _drained(answer: _Answer) -> bytes:
    """The body, one byte over the limit at most. OSError when it trickles for too long."""
    data, give_up = bytearray(), monotonic_s() + DOWNLOAD_S
    while len(data) <= MAX_BYTES and (part := answer.read1(65_536)):
        data += part
        if monotonic_s() > give_up:
            raise OSError(f"takes longer than {DOWNLOAD_S:.0f} s")
    return bytes(data[: MAX_BYTES + 1])
