"""What went wrong in a month, folded by what and where, the longest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from api.pages.report.gather import Month, MonthReport
from api.pages.report.words import Words
from config.called import located
from gateway.alerts.words import Alert
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
        length = length_in(alert, report.month)
        fault.times += 1
        fault.lasted += length
        fault.longest = max(fault.longest, length)
        fault.ongoing |= alert.state != "closed"
    worst = sorted(folded.items(), key=lambda item: (-item[1].lasted, item[0]))
    rows = [
        [
            escape(_capital(entry(kind, say.configured).title)),
            place_of(report, subject, say),
            str(of_kind.times),
            _length(of_kind.lasted, say) + (f" ({say('ongoing')})" if of_kind.ongoing else ""),
            _length(of_kind.longest, say),
        ]
        for (kind, subject), of_kind in worst[:MOST]
    ]
    return rows, max(0, len(worst) - MOST)


def length_in(alert: Alert, month: Month) -> Millis:
    """How long it stood open in this month."""
    end = month.upto if alert.state != "closed" else min(alert.changed_at, month.upto)
    return max(0, end - max(alert.since, month.start))


def lasted(alerts: Sequence[Alert], month: Month) -> Millis:
    """How long the alerts lasted in the month, added up."""
    return sum(length_in(alert, month) for alert in alerts)


def place_of(report: MonthReport, subject: str, say: Words) -> str:
    """A resource as people call it, with its area where that has a name; a device by what it is the sensor of."""
    if named := located(report.station, subject, say.configured):
        return escape(named)
    return say("whole") if subject == report.station.id else escape(subject)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _length(ms: Millis, say: Words) -> str:
    return duration(ms, say.configured)
