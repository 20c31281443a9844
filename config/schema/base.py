"""What all settings models share: strictness, and the small types that check one value each.

A checker raises `wrong(what, mend)`; the loader adds file, line and key path.
Relative paths are resolved against the folder of the configuration, which the loader hands over as context.
"""

import ipaddress
import re
import sys
from collections.abc import Callable, Set
from datetime import date
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import opening_hours
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from config.kinds import NAMES

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[NAMES]
Reporting = Literal["periodic", "on_change"]
Language = Literal["zh", "zh-hant", "en"]
Lifecycle = Literal["planned", "active", "removed"]


STRICT = ConfigDict(
    frozen=True,
    extra="forbid",
    hide_input_in_errors=True,
    use_attribute_docstrings=True,
    validate_default=True,
    revalidate_instances="always",  # so that paths in default sections are resolved too
)


class Model(BaseModel):
    """A frozen settings model; an unknown key is a mistake. The text under a field is its description."""

    model_config = STRICT


def wrong(what: str, mend: str) -> PydanticCustomError:
    """The ValueError for a value: what is wrong with it and how to mend it."""
    return PydanticCustomError("mistake", "{what}; {mend}", {"what": what, "mend": mend})


class HostPort(NamedTuple):
    """An address to listen on; port 0 lets the system choose a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class DaySpan(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}/{self.last}"


def parse_days(text: object) -> DaySpan:
    """DaySpan of `2027-01-01`, `2027-01-01/2027-01-03` or a DaySpan. ValueError names the mend."""
    if isinstance(text, DaySpan):
        return text
    try:
        first, _, last = str(text).partition("/")
        span = DaySpan(date.fromisoformat(first), date.fromisoformat(last or first))
    except ValueError:
        raise wrong(
            f"{str(text)[:40]!r} is no day or span", "write it like 2027-01-01 or 2027-01-01/2027-01-03"
        ) from None
    if not 0 <= (span.last - span.first).days <= 31:
        raise wrong(f"{span} is no span of up to 31 days", "write the first day, then the last")
    return span


def parse_host_port(text: object) -> HostPort:
    """HostPort of `host:port`, `[::1]:port` or a HostPort. ValueError names the mend."""
    if isinstance(text, HostPort):
        return text
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\s\[\]/]+)):(\d+)", text) if isinstance(text, str) else None
    if match is None:
        raise wrong("is not host:port", "write it like 127.0.0.1:8080")
    port = int(match[3])
    if port > 65535:
        raise wrong(f"port {port} is out of range", "take one from 0 to 65535")
    return HostPort(match[1] or match[2], port)


def is_loopback(host: str) -> bool:
    """True for localhost, 127.0.0.0/8 and ::1."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(*schemes: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise wrong("is not a web address", f"write it like {schemes[0]}://host/path")
        return text.rstrip("/") if urlsplit(text).path == "/" else text

    return check


def _root(text: str) -> str:
    parts = urlsplit(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong("has a path, but the pages stand at the root of a host", "write it like https://host")
    return text


def _hours(text: str) -> str:
    if not opening_hours.validate(text):
        raise wrong(f"{text!r} is not in opening_hours syntax", "write it like 24/7 or Mo-Fr 08:00-20:00; PH off")
    return text


@cache
def _zones() -> Set[str]:
    """Those of this machine. Looking for them reads every file of the time zones, so it is done once."""
    return available_timezones()


def _zone(text: str) -> str:
    if text not in _zones():
        raise wrong(f"unknown time zone {text!r}", "write it like Asia/Shanghai")
    return text


def _network(text: object) -> object:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) else text
    except ValueError:
        raise wrong(f"{text!r} is no network", "write it like 10.0.0.0/8 or 127.0.0.1") from None


def _resolved(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    try:
        return base / path.expanduser()
    except RuntimeError:
        raise wrong(f"{str(path)[:60]!r} begins at the home of nobody", "write the whole path") from None


def _existing(path: Path, info: ValidationInfo) -> Path:
    path = _resolved(path, info)
    if (info.context or {}).get("check_files") and not _is_file(path):
        raise wrong(f"there is no file {str(path)[:400]}", "create it or correct the path")
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a name can be
        return False


def _texts(value: object) -> object:
    return {"zh": value} if isinstance(value, str) else value


def _plain_line(text: str) -> str:
    """A name is one line wherever it is shown: line ends become spaces, signs that nobody sees are a mistake."""
    line = _LINE_ENDS.sub(" ", text).strip() if _LINE_ENDS.search(text) else text
    if _UNSEEN.search(line):
        raise wrong("holds a control character or a mark of direction", "write plain text on one line")
    return line


def _feed(text: str, info: ValidationInfo) -> str:
    """A file, or a web address; `webcal:` is how calendars call https."""
    scheme = re.match("([A-Za-z][A-Za-z0-9+.-]*)://", text)
    if scheme is None:
        return str(_existing(Path(text), info))
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https", "webcal", "webcals") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise wrong("is no address of a calendar", "write it like https://host/calendar.ics, or the path of a file")
    return text


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


_LINE_ENDS = re.compile(r"\s*[\t-\r\x85\u2028\u2029]\s*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ID_PATTERN = r"^[a-z0-9-]{1,64}$"
DEVICE_PATTERN = r"^[A-Za-z0-9_.:-]{1,64}$"
TOPIC_PATTERN = r"^[^#+\x00]{1,1024}$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$"

# Interned: the same few ids stand in every one of thousands of stations.
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN), AfterValidator(sys.intern)]
DeviceId = Annotated[str, StringConstraints(pattern=DEVICE_PATTERN)]
PlainWord = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
MqttTopic = Annotated[str, StringConstraints(pattern=TOPIC_PATTERN)]
Texts = Annotated[
    dict[Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)], Annotated[str, AfterValidator(_plain_line)]],
    BeforeValidator(_texts, json_schema_input_type=str | dict[str, str]),
]
Strings = Annotated[tuple[str, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]
Listen = Annotated[
    HostPort, BeforeValidator(parse_host_port, json_schema_input_type=str), PlainSerializer(str, when_used="json")
]
Span = Annotated[
    DaySpan, BeforeValidator(parse_days, json_schema_input_type=str), PlainSerializer(str, when_used="json")
]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network, json_schema_input_type=str)]
HttpUrl = Annotated[str, AfterValidator(_url("https", "http"))]
RootUrl = Annotated[HttpUrl, AfterValidator(_root)]
Hours = Annotated[str, AfterValidator(_hours)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Folder = Annotated[Path, AfterValidator(_resolved)]
File = Annotated[Path, AfterValidator(_existing)]
FeedAddress = Annotated[str, AfterValidator(_feed)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Seconds = Annotated[int, Field(ge=1, le=31_536_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Percent = Annotated[int, Field(ge=0, le=100)]
