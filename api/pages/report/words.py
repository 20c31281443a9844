"""How the report speaks: its texts in one language, and how its figures are written."""

from collections.abc import Mapping
from html import escape

from api.pages.language import CONFIGURED
from api.pages.report.texts import LANGUAGES, WORDS
from api.usage import Usage
from config.called import of_language
from gateway.base.local_time import HOUR_MS
from gateway.history.activities import HeldCount
from gateway.history.occupations import OCCUPATIONS, Shares
from gateway.model import Millis
from gateway.policy.privacy import Band


def floored(share: float) -> int:
    """Per cent, rounded down."""
    return int(share * 100 + 1e-9)


class Words:
    """A speaker of one language; everything that it says is safe in HTML."""

    def __init__(self, lang: str) -> None:
        self.lang, self._column = lang, LANGUAGES.index(lang)
        self.configured = CONFIGURED[lang]

    def __call__(self, key: str, **values: object) -> str:
        return escape(WORDS[key][self._column].format(**values))

    def name(self, names: Mapping[str, str], otherwise: str) -> str:
        return escape(of_language(names, self.configured) or otherwise)

    def month(self, year: int, month: int) -> str:
        names = WORDS["months"][self._column].split()
        return self("month", year=year, month=month, name=names[month - 1] if names else "")

    def weekday(self, number: int) -> str:
        return self("weekdays").split()[number]

    # ---- figures: what is not known is a word, never a number ----

    def share(self, value: float | None) -> str:
        return self("unknown") if value is None else f"{value * 100:.0f}%"

    def coverage(self, value: float | None) -> str:
        """Rounded down, so that 100% leaves nothing unknown; none where it was shut all the time."""
        if value is None:
            return self("none")
        return "&lt;1%" if 0 < value < 0.01 else f"{floored(value)}%"

    def share_of(self, usage: Usage) -> str:
        """A bucket's utilisation; one that was shut all the time has none."""
        shut = not usage.minutes.known_open and not usage.minutes.unknown
        return self("none") if shut else self.share(usage.minutes.utilization)

    def hours(self, ms: Millis) -> str:
        return f"{ms / HOUR_MS:,.1f}"

    def energy(self, usage: Usage) -> str:
        """All that is known to have flowed, in kWh."""
        tally = usage.tally
        return self.kwh(tally.energy_mwh + tally.gap_mwh) if usage.metered else self("unknown")

    def occupations(self, told: Shares) -> str:
        """Each group with its share, the largest first."""
        parts = [
            f"{escape(OCCUPATIONS[name][self._column])} {self.share(share)}" for name, share in told.shares.items()
        ]
        return " · ".join(parts)

    def held(self, count: HeldCount) -> str:
        """How many, and what part of the calendar was seen; none where nothing was planned."""
        if not count.planned:
            return self("none")
        return f"{count.held} · {self.coverage(count.coverage)}" if count.coverage else self("unknown")

    def kwh(self, mwh: int) -> str:
        return f"{mwh / 1_000_000:,.1f}"

    def band(self, band: Band | None) -> str:
        if band is None:
            return self("unknown")
        return f"≥ {band.low:,}" if band.high is None else f"{band.low:,}–{band.high:,}"
