"""What went wrong in a month, folded by what and where, the longest first."""

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from api.pages.report.gather import MonthReport
from api.pages.report.words import Words
from gateway.model import Millis
from gateway.notify.catalogue import entry
from gateway.notify.texts import duration

MOST = 15


@dataclass(slots=True)
class MonthFault:
    """One kind of trouble of one thing, as far as it lay in the month."""

    times: int = 0
    lasted: Millis = 0
    longest: Millis = 0
    ongoing: bool = False


def faults(report: MonthReport, say: Words) -> tuple[list[list[str]], int]:
    """Rows (what, where, how often, how long in all, the longest), and how many are left out."""
    folded: dict[tuple[str, str], MonthFault] = defaultdict(MonthFault)
    for alert in report.alerts or ():
        fault = folded[alert.kind, alert.subject]
        end = report.month.upto if alert.state != "closed" else min(alert.changed_at, report.month.upto)
        length = end - max(alert.since, report.month.start)
        fault.times += 1
        fault.lasted += length
        fault.longest = max(fault.longest, length)
        fault.ongoing |= alert.state != "closed"
    worst = sorted(folded.items(), key=lambda item: (-item[1].lasted, item[0]))
    rows = [
        [
            escape(_capital(entry(kind, say.configured).title)),
            place_of(report, subject, say),
            str(one.times),
            _length(one.lasted, say) + (f" ({say('ongoing')})" if one.ongoing else ""),
            _length(one.longest, say),
        ]
        for (kind, subject), one in worst[:MOST]
    ]
    return rows, max(0, len(worst) - MOST)


def place_of(report: MonthReport, subject: str, say: Words) -> str:
    """A resource as people call it, with its area where that has a name."""
    for area in report.station.areas:
        for resource in area.resources:
            if resource.id == subject:
                return " ".join(filter(None, (say.name(area.name, ""), say.name(resource.name, resource.id))))
    return escape(subject)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _length(ms: Millis, say: Words) -> str:
    return duration(ms, say.configured)
