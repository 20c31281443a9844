"""What a feed is: a public standard, written from what every station shows right now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from config.schema import AreaSettings, StationSettings
from gateway.live.station_document import StationDocument, Texts
from gateway.model import Millis
from gateway.policy.activities import Activity
from gateway.policy.hours.opening import Opening


@dataclass(frozen=True, slots=True)
class FeedStation:
    """A station as configured, and its present document, in which nothing outlasts its time.

    `zone` is its time zone. `changed_at`: when anything that a feed tells of it last changed, as far as this process
    saw; never earlier than the change.
    """

    station: StationSettings
    shown: StationDocument
    zone: str
    changed_at: Millis


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """One question. `query` has the words behind the `?` and the `{names}` of the path; `root` is our own address.

    `hours` answers when a station, or one of its areas with hours of its own, is open. `activities` of a station by
    area; None where only what its document shows of them is known.
    """

    query: Mapping[str, str]
    root: str
    now: Millis
    hours: Callable[[StationSettings, AreaSettings | None], Opening | None]
    activities: Callable[[str], Mapping[str, Sequence[Activity]]] | None = None

    def word(self, key: str, allowed: Sequence[str]) -> str:
        """What is asked for under `key`, by default the first allowed. ValueError for another."""
        word = self.query.get(key, allowed[0])
        if word not in allowed:
            raise ValueError(f"{key}: is none of {', '.join(allowed)}")
        return word


Render = Callable[[Sequence[FeedStation], FeedRequest], bytes]


@dataclass(frozen=True, slots=True)
class Feed:
    """`path` is below `/feeds/`; one with `{station}` in it is of one station.

    `render` makes the whole answer, in a thread of its own. It says `usable` only where the document does, raises
    ValueError `"KEY: what is wrong; the mend"` for a query that it can't take, and LookupError for a place that is not
    there.
    """

    path: str
    media_type: str
    summary: str
    render: Render


def named(texts: Texts | Mapping[str, str], language: str, otherwise: str) -> str:
    """A name in a language, else in whatever language there is, else `otherwise`."""
    return texts.get(language) or next(iter(texts.values()), otherwise)
