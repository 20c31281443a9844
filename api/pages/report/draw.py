"""The report's two pictures as SVG: bars by day, and the week by hours. Colours and the hatch come from report.css."""

from collections.abc import Iterable

from api.pages.report.gather import MonthReport
from api.pages.report.words import Words
from api.usage import Usage
from gateway.base.local_time import local_of

WIDTH, HEIGHT, LEFT = 1000, 140, 78
STRIP, FOOT = (HEIGHT + 12, HEIGHT + 32), HEIGHT + 54  # where the unknown is drawn; the days' line
CELL, ROW = 39, 18
TOPS = (0.2, 0.4, 1.0)
STEPS = (0.12, 0.3, 0.5, 0.7, 0.88)
HATCH = (
    '<defs><pattern id="{id}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="h0" width="6" height="6"/><rect class="h1" width="1.8" height="6"/></pattern></defs>'
)


def days(report: MonthReport, say: Words) -> str:
    """A bar for each day's utilisation; below it, hatched, what share of the day is not known."""
    keys = list(report.days)
    step = (WIDTH - LEFT) / max(len(keys), 28)
    top = top_of(usage.minutes.utilization or 0.0 for usage in report.days.values())
    parts = [HATCH.format(id="hd"), *_scale(top, say)]
    for place, key in enumerate(keys):
        parts += _bar(report.days[key], LEFT + place * step, step, top)
        local = local_of(key, report.zone)
        weekend = ' class="rest"' if local.weekday() >= 5 else ""
        x = LEFT + (place + 0.5) * step
        parts.append(f'<text x="{x:.1f}" y="{FOOT}" text-anchor="middle"{weekend}>{local.day}</text>')
    return _svg(WIDTH, FOOT + 6, say("by_day"), parts)


def top_of(shares: Iterable[float]) -> float:
    """Where the scale ends, so that a month of 20 % is no flat line: the least of these that holds all."""
    most = max(shares, default=0.0)
    return next(top for top in TOPS if most <= top)


def _scale(top: float, say: Words) -> list[str]:
    lines = []
    for share in (0, top / 2, top):
        y = _y(share / top)
        lines.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * 100:.0f}%</text>')
    lines.append(f'<text x="{LEFT - 6}" y="{STRIP[1] - 4}" text-anchor="end">{say("unknown")}</text>')
    return lines


def _y(share: float) -> float:
    return 18 + (HEIGHT - 18) * (1 - share)


def _bar(usage: Usage, x: float, step: float, scale: float) -> list[str]:
    left, width = x + step * 0.14, step * 0.72
    used, seen = usage.minutes.utilization, usage.minutes.coverage
    parts = []
    if used is not None:
        y = _y(used / scale)
        parts.append(_rect("bar", left, y, width, HEIGHT - y))
        parts.append(f'<text class="of" x="{x + step / 2:.1f}" y="{y - 4:.1f}">{used * 100:.0f}</text>')
    elif seen is not None:
        parts.append(_rect("", left, _y(1), width, HEIGHT - _y(1), "hd"))
    if seen is not None and seen < 1:
        top, end = STRIP
        parts.append(_rect("", left, top, width, max(1.5, (end - top) * (1 - seen)), "hd"))
    return parts


def step_of(share: float) -> int:
    """The shade of a utilisation: 0 is the brightest."""
    return sum(share >= edge for edge in STEPS)


def week(report: MonthReport, say: Words) -> str:
    """Seven rows of hours: bright is empty, dark is busy, hatched is not known, a frame was shut, a dot is a peak.

    Nothing is drawn of what nothing is kept of.
    """
    left = WIDTH - 24 * CELL
    parts = [HATCH.format(id="hw")]
    parts += [f'<text x="{left + hour * CELL + 2}" y="12">{hour}</text>' for hour in range(0, 24, 3)]
    for day in range(7):
        y = 18 + day * (ROW + 2)
        parts.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{say.weekday(day)}</text>')
        for hour in range(24):
            parts.append(_cell(report.week.get(day * 24 + hour), left + hour * CELL, y))
    return _svg(WIDTH, 18 + 7 * (ROW + 2), say("by_hour"), parts)


def _cell(usage: Usage | None, x: float, y: float) -> str:
    if usage is None or not usage.minutes.recorded:
        return ""
    if not usage.minutes.known_open and not usage.minutes.unknown:
        return _rect("shut", x + 0.5, y + 0.5, CELL - 3, ROW - 1)
    share = usage.minutes.utilization
    if share is None or usage.minutes.unknown > usage.minutes.known_open:
        return _rect("", x, y, CELL - 2, ROW, "hw")
    dot = f'<circle class="peak" cx="{x + CELL / 2 - 1:.1f}" cy="{y + ROW / 2:.1f}" r="4"/>' if usage.peak else ""
    return _rect(f"u{step_of(share)}", x, y, CELL - 2, ROW) + dot


def _rect(cls: str, x: float, y: float, width: float, height: float, pattern: str = "") -> str:
    look = f'fill="url(#{pattern})"' if pattern else f'class="{cls}"'
    return f'<rect {look} x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _svg(width: int, height: int, label: str, parts: list[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
