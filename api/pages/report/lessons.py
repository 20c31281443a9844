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
    found = sorted(told.kinds.items(), key=lambda each: -(each[1][1].full_per_week or 0))
    return [
        (
            speaker.kind(kind if sort is None else f"{kind}:{sort}"),
            str(total),
            say("unknown") if (full := seen.full_per_week) is None else f"{full / MINUTE_MS:,.0f}",
            f"{seen.full / HOUR_MS:,.1f}",
            say.coverage(seen.coverage),
        )
        for (kind, sort), (total, seen) in found
    ]


def edge_words(told: Lessons, say: Words) -> str:
    """Empty where it never closes."""
    if not told.edges.openings:
        return ""
    first, last = told.edges.first, told.edges.last
    shares = {"first": say.share(first.utilization), "last": say.share(last.utilization)}
    seen = {"seen_first": say.coverage(first.coverage), "seen_last": say.coverage(last.coverage)}
    text = say("edges", n=told.edges.openings, **dict.fromkeys((*shares, *seen), "{}"))
    order = ("first", "seen_first", "last", "seen_last")
    return text.format(*(({**shares, **seen})[name] for name in order))
