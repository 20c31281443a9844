"""Busy hours as a picture and in words, for the phone: a part of its page, and a page for who has no script."""

from html import escape
from string import Template

from api.busy import WEEKS, BusyWeek, day_of_week, share
from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.report.draw import HATCH, step_of
from api.pages.report.words import Words
from gateway.base.local_time import local_of
from gateway.history.utilization import Minutes

CELL, ROW, LEFT, TOP = 13, 13, 34, 14
DAYS = range(7)


class BusyPaper:
    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "busy.html").read_text("utf-8"))

    def print(self, told: BusyWeek, say: Words) -> str:
        name = say.name(told.station.name, told.station.id)
        return self._template.substitute(
            lang=say.lang, build=self._build, title=say("busy_hours"), name=name, station=escape(told.station.id),
            back=say("busy_back"), body=body(told, say),
        )  # fmt: skip


def body(told: BusyWeek, say: Words) -> str:
    """The picture, today in words, the other days, and what it rests on."""
    if not told.enough:
        return f"<p>{say('busy_too_little', weeks=told.weeks)}</p>"
    today = local_of(told.upto, told.zone).weekday()
    days = "".join(f"<li>{_day(told, day, say)}</li>" for day in DAYS if day != today)
    legend = "".join(f'<i class="u{step}"></i>' for step in range(6))
    rests = say("busy_rests", weeks=told.weeks, of=WEEKS, coverage="{}").format(say.coverage(told.coverage))
    return (
        f"<p><b>{_day(told, today, say)}</b></p>{picture(told, today, say)}"
        f'<p class="ramp">{say("empty")} <span>{legend}</span> {say("busy")}'
        f' <i class="hatched"></i> {say("unknown")}</p>'
        f"<details><summary>{say('busy_days')}</summary><ul>{days}</ul></details><p>{rests}</p>"
    )


def picture(told: BusyWeek, today: int, say: Words) -> str:
    """Seven rows of hours; hatched is not known, empty was shut; a frame is around today."""
    width, height = LEFT + 24 * CELL, TOP + 7 * ROW
    parts = [HATCH.format(id="hb")]
    parts += [f'<text x="{LEFT + hour * CELL}" y="10">{hour}</text>' for hour in range(0, 24, 6)]
    for day in DAYS:
        y = TOP + day * ROW
        parts.append(f'<text x="0" y="{y + 10}"{" class=now" if day == today else ""}>{say.weekday(day)}</text>')
        parts += [_cell(told.hours.get(day * 24 + hour), LEFT + hour * CELL, y) for hour in range(24)]
    frame = f'x="{LEFT - 1}" y="{TOP + today * ROW - 1}" width="{24 * CELL}" height="{ROW}"'
    parts.append(f'<rect class="today" {frame}/>')
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{say("busy_picture")}">{"".join(parts)}</svg>'


def _cell(minutes: Minutes | None, x: int, y: int) -> str:
    box = f'x="{x}" y="{y}" width="{CELL - 2}" height="{ROW - 2}"'
    if minutes is None or is_shut(minutes):
        return ""
    used = share(minutes)
    return f'<rect fill="url(#hb)" {box}/>' if used is None else f'<rect class="u{step_of(used)}" {box}/>'


def is_shut(minutes: Minutes) -> bool:
    """Never known to be open, and more often closed than nobody knows what."""
    seen = minutes.known_open or minutes.broken
    return not seen and minutes.closed >= minutes.unknown


def _day(told: BusyWeek, day: int, say: Words) -> str:
    busy_day = day_of_week(told.hours, day)
    if busy_day is None:
        return say("busy_day_unknown", day=say.weekday(day))
    if busy_day.flat:
        return say("busy_day_flat", day=say.weekday(day), share=in_tenths(busy_day.busiest[1], say))
    return say(
        "busy_day", day=say.weekday(day), busiest=_hour(busy_day.busiest[0]), most=in_tenths(busy_day.busiest[1], say),
        quietest=_hour(busy_day.quietest[0]), least=in_tenths(busy_day.quietest[1], say),
    )  # fmt: skip


def _hour(hour: int) -> str:
    return f"{hour:02}:00–{hour + 1:02}:00"


def in_tenths(used: float, say: Words) -> str:
    """In tenths, as people speak of it."""
    tenths = round(used * 10)
    return say("nearly_none") if not tenths else say("nearly_all") if tenths == 10 else say("tenths", n=tenths)
