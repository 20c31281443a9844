"""What the month teaches: where another one is wanted, and how much the edges of opening are used."""

from collections.abc import Sequence

from api.lessons import Lessons
from api.pages.report.words import Words
from api.pages.wordlist import Speaker
from gateway.base.local_time import HOUR_MS

MINUTE_MS = 60_000
Row = Sequence[str]


def full_rows(told: Lessons, say: Words) -> list[Row]:
    """A row a kind, the fullest first: its name, how many, minutes a week in which none was free, what was seen."""
    speaker = Speaker(say.lang)
    return [
        (
            speaker.kind(kind if sort is None else f"{kind}:{sort}"),
            str(total),
            say("unknown") if (full := seen.full_per_week) is None else f"{full / MINUTE_MS:,.0f}",
            f"{seen.full / HOUR_MS:,.1f}",
            say.coverage(seen.coverage),
        )
        for (kind, sort), (total, seen) in told.fullest_first()
    ]


def edge_words(told: Lessons, say: Words) -> str:
    """Words for the first and last half hour; empty where the station never closes."""
    if not told.edges.openings:
        return ""
    first, last = told.edges.first, told.edges.last
    figures = {
        "first": say.share(first.utilization), "seen_first": say.coverage(first.coverage),
        "last": say.share(last.utilization), "seen_last": say.coverage(last.coverage),
    }  # fmt: skip
    # Figures are safe in HTML already (`&lt;1%`): they come in after the words are.
    return say("edges", n=told.edges.openings, **{name: f"{{{name}}}" for name in figures}).format(**figures)
