"""One opening_hours expression, evaluated day by day with the kind of day put in by us.

opening-hours-py has no Chinese make-up workdays and guesses for years that nobody has published, so it never sees `PH`:
for each date the weekday and `PH` selectors are replaced by ones that hold or don't. It also drops the hours after
midnight where a later rule names the next day (`Fr 22:00-02:00; Sa 10:00-12:00` is closed on Saturday at 1), so each
expression is split into what a day's rules say before its midnight and after it, and the two are joined here.

Two more readings are ours. A rule whose only modifier is a comment (`"by appointment"`) is unknown, as the
specification has it; the library calls it open. `Mo, We, Fr 09:00-17:00` is one list of days, as opening_hours.js and
its writers read it; the library makes Mo and We days that are open round the clock.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

from opening_hours import OpeningHours, validate

from gateway.policy.hours.official import DayKind

HoursAnswer = Literal["open", "closed", "unknown"]
DayHours = tuple[tuple[int, HoursAnswer], ...]
"""(minute from midnight by the wall clock, answer from there on), the first at 0."""

DAY_MIN = 1440
MAX_LENGTH = 20_000
"""Characters of an expression: years of closures and special days, and still quick to try."""
_TRIED_DAYS = (date(2026, 2, 28), date(2026, 12, 31), date(2028, 2, 29))
_NOBODY_KNOWS: DayHours = ((0, "unknown"),)
Said = TypeVar("Said")

_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NAME = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_SELECTOR = re.compile(rf"\b(?:PH|{_NAME}(?:-{_NAME})?)\b(?!\[)")
_RANGE = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_RULE = re.compile(r"(.*?) ?((?:\d\d:\d\d-\d\d:\d\d,?)*)(?: ?(closed|unknown))?")
_YEAR_MONTH = re.compile(r"(?<=[0-9+])(?=[A-Z][a-z]{2})")
_COMMENT = re.compile(r' ?"[^"]*"')
_MODIFIER = re.compile(r'\s*(?:\b(open|closed|off|unknown)\s*)?"[^"]*"', re.IGNORECASE)
_NTH = rf"{_NAME}(?:\[[-0-9,]+\])?(?:\s*-\s*{_NAME})?"
_SPACED_DAYS = re.compile(rf"(?<=[a-zH\]])\s*,\s*(?={_NTH}|PH)", re.IGNORECASE)
_ENDS_IN_DAY = re.compile(rf"(?:{_NAME}|PH|{_NAME}\[[-0-9,]+\])$", re.IGNORECASE)
_ONLY_YEARS = re.compile(r"\d{4}-\d{4}(?:/\d+)?")
_REFUSED = (
    (re.compile(r"\bSH\b"), "SH (school holidays) has no official calendar", "name the dates"),
    (re.compile(r"dawn|dusk|sunrise|sunset"), "hours by the sun are not supported", "write clock times"),
    (re.compile(r"\|\|"), "the fallback || is not supported", "write it as rules parted by ;"),
    (re.compile(r"PH [+-]?\d+ day"), "days counted from PH are not supported", "name the dates"),
    (re.compile(r"\d\d:\d\d\+|:\d\d/"), "open ends and repetitions are not supported", "write from-to"),
)  # fmt: skip
_ANSWERS: dict[str, HoursAnswer] = {"open": "open", "closed": "closed", "unknown": "unknown"}
_FOREVER: dict[str, HoursAnswer] = {"24/7": "open", "24/7 closed": "closed", "24/7 unknown": "unknown"}


class HoursRule(NamedTuple):
    """`joined` by `; ` (replaces what went before on its days) or `, ` (adds to it)."""

    joined: str
    when: str
    times: tuple[tuple[int, int], ...]
    state: str


@lru_cache(maxsize=4096)
def problem(text: str) -> str | None:
    """What in an expression we can't answer for, and how to mend it; None if we can.

    Whatever the library raises for an expression is such a thing too: each is tried here before anything relies on it.
    """
    if len(text) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters; write fewer rules"
    if not _guarded(lambda: validate(text) and validate(_as_meant(text)), otherwise=False):
        return f"{text!r} is not in opening_hours syntax; write it like 24/7 or Mo-Fr 08:00-20:00; PH off"
    beyond: str | None = f"{text!r} is beyond what can be evaluated; write it in plainer rules"
    return _guarded(lambda: _refusal(text) or _tried(text), otherwise=beyond)


def _refusal(text: str) -> str | None:
    canonical = _canonical(text)
    for pattern, what, mend in _REFUSED:
        if pattern.search(canonical):
            return f"{text!r}: {what}; {mend}"
    rules = _rules(canonical)
    for rule, after in zip(rules, [*rules[1:], None], strict=True):
        if rule.times or rule.state or rule.when == "24/7":
            continue
        if _ONLY_YEARS.fullmatch(rule.when):
            return f"{text!r}: {rule.when} means years; write {_as_clock(rule.when)} for hours"
        if after is not None and after.joined == ", ":
            mend = f"write a list without spaces, or {rule.when} 00:00-24:00 if that is meant"
            return f"{text!r}: {rule.when} has no hours before the comma; {mend}"
    return None


def _tried(text: str) -> str | None:
    """Evaluates a day of each kind; what the library raises goes to the caller."""
    expression = Expression(text, checked=True)
    kinds = (DayKind(0, False), DayKind(6, True))
    for day in _TRIED_DAYS:
        expression.evaluated(day, kinds, kinds)
    return None


def _as_clock(years: str) -> str:
    return f"{years[:2]}:{years[2:4]}-{years[5:7]}:{years[7:9]}"


def _guarded(work: Callable[[], Said], otherwise: Said) -> Said:
    """What `work` says; `otherwise` for whatever the library raises. A panic in it is no Exception in Python."""
    try:
        return work()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 (see above)
        return otherwise


def on_dates(dates: str, text: str) -> str:
    """The expression as it holds on some dates only, such as `2026 Dec 31` or `2027 Feb 05-2027 Feb 12`.

    A text that is no expression stays none, for `problem` to say so.
    """
    rules = _guarded(lambda: _rules(_canonical(text)), otherwise=None)
    if rules is None:
        return f"{dates} {text}"
    return _written(rule._replace(when=f"{dates} {rule.when.removeprefix('24/7')}".strip()) for rule in rules)


class Expression:
    """Compiled once, shared by all who have the same text. ValueError (see `problem`) for what can't be answered."""

    def __init__(self, text: str, *, checked: bool = False) -> None:
        """`checked`: `problem` has nothing against the text."""
        wrong = None if checked else problem(text)
        if wrong is not None:
            raise ValueError(wrong)
        rules = _rules(_canonical(text))
        self._own = _written(HoursRule(r.joined, r.when, tuple(_before(r.times)), r.state) for r in rules)
        self._spill = _written(_after(rules)) if any(end > DAY_MIN for r in rules for _, end in r.times) else None
        breaks = [
            HoursRule(", ", r.when, tuple(_before(r.times)), "") for r in rules if r.times and r.state == "closed"
        ]
        self._breaks = _written(breaks) if breaks and self._spill else None
        self.forever: HoursAnswer | None = _FOREVER.get(_canonical(text))

    def day(self, day: date, today: Iterable[DayKind], yesterday: Iterable[DayKind]) -> DayHours:
        """The answers of one date that may be of any of the kinds `today`, the one before of any of `yesterday`.

        Unknown where the library has no answer.
        """
        return _guarded(lambda: self.evaluated(day, today, yesterday), otherwise=_NOBODY_KNOWS)

    def evaluated(self, day: date, today: Iterable[DayKind], yesterday: Iterable[DayKind]) -> DayHours:
        """As `day`, but what the library raises comes through."""
        own = _agreed(_evaluate(self._own, day, kind) for kind in today)
        if self._spill is None:
            return own
        night = _agreed(_evaluate(self._spill, day - timedelta(days=1), kind) for kind in yesterday)
        if self._breaks is not None:
            pause = _agreed(_evaluate(self._breaks, day, kind) for kind in today)
            night = _merged((night, pause), _unless)
        return _merged((own, night), _either)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> OpeningHours:
    return OpeningHours(text, auto_country=False, auto_timezone=False)


def _canonical(text: str) -> str:
    """As the library writes it, without comments. It writes 2026 Mar as 2026Mar, which it then reads as never."""
    return _YEAR_MONTH.sub(" ", _COMMENT.sub("", str(_compiled(_as_meant(text)))))


def _as_meant(text: str) -> str:
    """Without comments: a rule with no other modifier is unknown. Lists of weekdays without spaces in them."""
    plain = _MODIFIER.sub(lambda match: f" {match[1] or 'unknown'}", text).strip()
    parts = _SPACED_DAYS.split(plain)
    joined = parts[0]
    for part in parts[1:]:
        joined += ("," if _ENDS_IN_DAY.search(joined) else ", ") + part
    return joined


def _rules(canonical: str) -> list[HoursRule]:
    parts = re.split("(; |, )", f"; {canonical}")[1:]
    return [_rule(joined, text) for joined, text in zip(parts[::2], parts[1::2], strict=True)]


def _rule(joined: str, text: str) -> HoursRule:
    match = _RULE.fullmatch(text)
    assert match is not None, text
    times = []
    for hour, minute, end_hour, end_minute in _RANGE.findall(match[2]):
        start, end = int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)
        times.append((start, end if end > start else end + DAY_MIN))
    return HoursRule(joined, match[1], tuple(times), match[3] or "")


def _before(times: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(start, min(end, DAY_MIN)) for start, end in times]


def _after(rules: Iterable[HoursRule]) -> list[HoursRule]:
    """The rules for the hours after a day's midnight, written as hours of that day."""
    kept = []
    for rule in rules:
        times = tuple((0, end - DAY_MIN) for _, end in rule.times if end > DAY_MIN)
        if times:
            kept.append(rule._replace(times=times))
        elif rule.joined == "; " and not (rule.times and rule.state == "closed"):
            kept.append(HoursRule("; ", rule.when, (), "closed"))
    return kept


def _written(rules: Iterable[HoursRule]) -> str:
    text = ""
    for joined, when, times, state in rules:
        clock = ",".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in times)
        text += joined + " ".join(part for part in (when or ("" if clock else "24/7"), clock, state) if part)
    return text[2:]


def _for_kind(text: str, day: date, kind: DayKind) -> str:
    """The expression with each weekday and PH selector made to hold on `day`, or not to, as its kind wants."""
    holds, fails = _NAMES[day.weekday()], _NAMES[(day.weekday() + 1) % 7]

    def replace(match: re.Match[str]) -> str:
        if match[0] == "PH":
            return holds if kind.holiday else fails
        first, last = _NAMES.index(match[0][:2]), _NAMES.index(match[0][-2:])
        return holds if (kind.weekday - first) % 7 <= (last - first) % 7 else fails

    return _SELECTOR.sub(replace, text)


def _evaluate(text: str, day: date, kind: DayKind) -> DayHours:
    midnight = datetime.combine(day, time())
    spans = _compiled(_for_kind(text, day, kind)).intervals(midnight, midnight + timedelta(days=1))
    return tuple((start.hour * 60 + start.minute, _ANSWERS[str(state)]) for start, _, state, _ in spans)


def _agreed(days: Iterable[DayHours]) -> DayHours:
    """What all possibilities say; unknown where they differ."""
    every = tuple(dict.fromkeys(days))
    return every[0] if len(every) == 1 else _merged(every, lambda said: said[0] if len(set(said)) == 1 else "unknown")


def _either(said: tuple[HoursAnswer, ...]) -> HoursAnswer:
    return "open" if "open" in said else "unknown" if "unknown" in said else "closed"


def _unless(said: tuple[HoursAnswer, ...]) -> HoursAnswer:
    night, pause = said
    return night if pause == "closed" else "closed" if pause == "open" or night == "closed" else "unknown"


def _merged(days: tuple[DayHours, ...], rule: Callable[[tuple[HoursAnswer, ...]], HoursAnswer]) -> DayHours:
    merged: list[tuple[int, HoursAnswer]] = []
    for minute in sorted({start for day in days for start, _ in day}):
        answer = rule(tuple(next(said for start, said in reversed(day) if start <= minute) for day in days))
        if not merged or merged[-1][1] != answer:
            merged.append((minute, answer))
    return tuple(merged)
