"""Copy this file to `api/feeds/NAME.py` and change every line: the route is there, below `/feeds/`.

Say whose standard it is, its version and where it is written, and what is lost in it. Its test holds an answer against
the standard's own schema or validator. The route has a row in tests/api/test_matrix.py and in docs/api.md.
"""

from collections.abc import Sequence

import msgspec

from api.feeds.base import Feed, FeedRequest, FeedStation, named

LANGUAGES = ("zh", "en")


def render(stations: Sequence[FeedStation], asked: FeedRequest) -> bytes:
    """Id, name, whether it is open, and how many resources are usable for certain."""
    language = asked.word("lang", LANGUAGES)
    rows = [
        {
            "id": feed.station.id,
            "name": named(feed.shown.name, language, feed.station.id),
            "open": feed.shown.open.now,
            "usable": sum(line.usable_min for line in feed.shown.summary),
        }
        for feed in stations
    ]
    return msgspec.json.encode(rows)


FEED = Feed("toy.json", "application/json", "What is usable, as a toy", render)
