"""`stations[].checks:`: what a person looks at on rounds (巡检), and how often."""

# ruff: noqa: RUF012 (pydantic copies a mutable default for each model)

import re
from typing import Annotated

from pydantic import AfterValidator

from config.schema.base import Id, Model, Strings, Texts, wrong

PERIODS_H = {"day": 24, "week": 168, "month": 720, "quarter": 2_184, "half_year": 4_368, "year": 8_760}
"""Hours in each word for how often; a month has 30 days, a quarter 91."""
LONGEST_H = PERIODS_H["year"]
_HOURS = re.compile(r"([1-9][0-9]{0,3}) ?h")


def hours_of(every: str) -> int:
    """How many hours lie between two checks. ValueError names the mend."""
    told = _HOURS.fullmatch(every)
    hours = PERIODS_H.get(every, int(told[1]) if told else 0)
    if not 1 <= hours <= LONGEST_H:
        raise wrong(f"{every[:40]!r} is no period", f"take one of {', '.join(PERIODS_H)}, or write it like 12 h")
    return hours


def _period(text: str) -> str:
    hours_of(text)
    return text


class CheckSettings(Model):
    """Something that a person looks at again and again (巡检)."""

    id: Id
    """Unique within the station."""
    of: Strings = ()
    """The resources that its result speaks for; without any it is about the place."""
    every: Annotated[str, AfterValidator(_period)]
    """day, week, month, quarter, half_year, year, or hours such as `12 h`. It holds for one and a half times that, and
    only days on which the place is open count."""
    ask: Texts = {}
    """The question to answer with yes or no, by language; by default whether all is well."""
    expires: bool = False
    """Whether the day is asked on which the thing expires."""
    entry: bool = False
    """Whether it asks if one can come in: then its answer proves that the place is open, or contradicts it."""

    @property
    def every_h(self) -> int:
        """Hours between two checks."""
        return hours_of(self.every)
