"""The forecast on sessions that it never saw: learnt from the first two thirds by time, asked about the last.

    python -m tests.benchmarks.forecast [FILE.csv]

FILE has columns plugged_in and unplugged. The last line is JSON; `covered` should be near 0.8, and the error of the
point forecast below both naive ones (the past's mean or median, less what has passed).
"""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

from gateway.history.forecast import Forecast, UseSpan, looks

SESSIONS = Path(__file__).parents[1] / "vectors" / "forecast" / "ev_sessions.csv"
ZONE = ZoneInfo("UTC")  # the file's times are local already
MINUTE = 60_000


def sessions(path: Path = SESSIONS) -> list[UseSpan]:
    """By the time they began."""
    with path.open() as file:
        return sorted(
            UseSpan(*(_ms(row[name]) for name in ("plugged_in", "unplugged"))) for row in csv.DictReader(file)
        )


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def backtest(past: list[UseSpan], held_back: list[UseSpan]) -> dict[str, Any]:
    """Coverage of the interval and mean error in minutes over every look at every session held back."""
    forecast = Forecast(past, ZONE)
    durations = [use.end - use.start for use in past]
    naive = {"naive_mean": mean(durations), "naive_median": median(durations)}
    errors: dict[str, list[float]] = {name: [] for name in ("forecast", *naive)}
    covered: list[bool] = []
    widths: list[int] = []
    asked = 0
    for use, now in looks(held_back):
        asked += 1
        told = forecast.remaining(use.start, now)
        if told is None:
            continue
        true = use.end - now
        covered.append(told.low <= true <= told.high)
        widths.append(told.high - told.low)
        errors["forecast"].append(abs(told.median - true))
        for name, whole in naive.items():
            errors[name].append(abs(max(0.0, whole - (now - use.start)) - true))
    return {
        "learnt_from": len(past), "held_back": len(held_back), "asked": asked, "answered": len(covered),
        "level": round(forecast.level, 3), "covered": round(mean(covered), 3),
        "width_min": round(mean(widths) / MINUTE, 1),
        **{f"error_min_{name}": round(mean(values) / MINUTE, 1) for name, values in errors.items()},
    }  # fmt: skip


def held_back_third(every: list[UseSpan]) -> dict[str, Any]:
    cut = len(every) * 2 // 3
    return backtest(every[:cut], every[cut:])


if __name__ == "__main__":
    print(json.dumps(held_back_third(sessions(Path(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS))))
