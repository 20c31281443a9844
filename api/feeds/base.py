"""What a feed is: a public standard, written from what every station shows right now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from config.schema import StationSettings
from gateway.live.station_document import StationDocument


@dataclass(frozen=True, slots=True)
class FeedStation:
    """A station as configured, and its present document, in which nothing outlasts its time."""

    station: StationSettings
    shown: StationDocument


Query = Mapping[str, str]
Render = Callable[[Sequence[FeedStation], Query], bytes]


@dataclass(frozen=True, slots=True)
class Feed:
    """`path` is below `/feeds/`; one with `{station}` in it is of one station.

    `render` makes the whole answer, in a thread of its own. It says `usable` only where the document does, and raises
    ValueError `"KEY: what is wrong; the mend"` for a query that it can't take.
    """

    path: str
    media_type: str
    summary: str
    render: Render
