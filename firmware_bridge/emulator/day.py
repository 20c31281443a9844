"""How a day goes: when couriers come, when classes are held, and the real charging sessions the piles follow."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from random import Random
from typing import NamedTuple

from gateway.model import Millis

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

# Visits of an hour of the day against a mean of 0.7: peaks around lunch and supper, a few people all night.
VISITS = (.14, .10, .08, .08, .08, .12, .25, .45, .55, .65, .90, 1.3,
          1.6, 1.5, 1.1, .80, .75, .95, 1.3, 1.2, .85, .60, .40, .22)  # fmt: skip

CLASS_HOURS = ((9.5, 11.0), (12.0, 13.25), (14.5, 16.0), (19.0, 20.5))


class Stay(NamedTuple):
    """A real charging session, in seconds of its day."""

    plugged_in: float
    unplugged: float
    energy_wh: float


def local_s(now: Millis, utc_offset_s: float) -> float:
    """The world's clock for a day that goes with the real one: seconds since 1970 of the local time."""
    return now / 1000 + utc_offset_s


def midday(now: Millis, utc_offset_s: float) -> float:
    """The world's clock for a demo: ten minutes before noon of today's date, when everybody comes."""
    local = local_s(now, utc_offset_s)
    return local - local % DAY_S + 12 * HOUR_S - 600


def visits_per_hour(at: float) -> float:
    """Relative rate of arrivals at second `at` of local time, by straight lines between the hours."""
    hour, part = divmod(at % DAY_S / HOUR_S, 1)
    return VISITS[int(hour)] * (1 - part) + VISITS[int(hour + 1) % 24] * part


def candidate_s(rng: Random, per_hour: float) -> float:
    """Seconds until somebody might come, at the peak of the day's rate; `comes` then decides whether they do."""
    return rng.expovariate(per_hour * max(VISITS) / HOUR_S)


def comes(rng: Random, at: float) -> bool:
    """Thins the candidates down to the hour's rate, which makes the arrivals a Poisson process that follows the day."""
    return rng.random() * max(VISITS) < visits_per_hour(at)


def stay_s(rng: Random, at: float) -> float:
    """How long a courier rests: about 20 minutes by day, about an hour at night."""
    median_min = 20 if 6 <= at % DAY_S / HOUR_S < 23 else 55
    return 60 * min(85.0, max(4.0, rng.lognormvariate(0, 0.45) * median_min))


@cache
def _days_of_stays() -> Sequence[Sequence[Sequence[Stay]]]:
    """By weekday (Monday 0), the recorded days, each with its sessions in order. See data/README.md."""
    days: dict[str, list[Stay]] = defaultdict(list)
    text = (files(__package__) / "data" / "ev_sessions.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        begin, end = datetime.fromisoformat(row["plugged_in"]), datetime.fromisoformat(row["unplugged"])
        midnight = begin.replace(hour=0, minute=0, second=0)
        stay = Stay((begin - midnight).seconds, (end - midnight).seconds, float(row["energy_kwh"]) * 1000)
        days[row["plugged_in"][:10]].append(stay)
    weekdays: list[list[Sequence[Stay]]] = [[] for _ in range(7)]
    for day, stays in days.items():
        weekdays[datetime.fromisoformat(day).weekday()].append(sorted(stays))
    return [weekday or weekdays[4] for weekday in weekdays]


def stays_of_a_day(rng: Random, weekday: int) -> list[Stay]:
    """What one pile sees today: sessions of one recorded day of the same weekday, none over another.

    Nobody charged at that workplace on weekends, so Saturdays and Sundays follow Fridays.
    """
    recorded = rng.choice(_days_of_stays()[weekday])
    stays: list[Stay] = []
    for stay in recorded[rng.randrange(len(recorded)) // 2 :]:
        if not stays or stay.plugged_in > stays[-1].unplugged + 600:
            stays.append(stay)
    return stays
