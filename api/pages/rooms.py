"""The page /rooms: a room for a group at a time. It is a form and its answer; no script runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from api.pages.wordlist import Speaker
from api.rooms import RoomAnswer, RoomQuestion
from gateway.base.local_time import HOUR_MS, local_of
from gateway.model import Millis

SHEETS: Final = "tokens+phone+find"
WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "title": ("找一间活动室", "找一間活動室", "Find a room"),
    "people": ("人数", "人數", "People"),
    "day": ("日期", "日期", "Day"),
    "from": ("从", "從", "From"),
    "to": ("到", "到", "To"),
    "features": ("需要", "需要", "With"),
    "go": ("查找", "查找", "Find"),
    "free": ("空闲", "空閒", "Free"),
    "unknown": ("未知", "未知", "Unknown"),
    "some": ("{n} 间合适", "{n} 間合適", "{n} rooms fit"),
    "none": ("没有合适的房间，换个时间试试", "沒有合適的房間，換個時間試試", "No room fits. Try another time"),
    "holds": ("可容纳 {n} 人", "可容納 {n} 人", "for {n}"),
    "open": ("这段时间开放", "這段時間開放", "open then"),
    "not_booked": ("没有预订", "沒有預訂", "not booked"),
    "no_calendar": ("没有预订日历", "沒有預訂日曆", "no booking calendar"),
    "free_now": ("现在没人", "現在沒人", "nobody there now"),
    "hours_unknown": ("开放时间不详", "開放時間不詳", "hours unknown"),
    "calendar_unread": ("预订情况不详", "預訂情況不詳", "bookings unknown"),
    "calendar_too_far": ("预订日历还看不到那天", "預訂日曆還看不到那天", "calendar does not reach that day"),
    "capacity_unknown": ("容量不详", "容量不詳", "size unknown"),
    "doubt": ("现场情况不详", "現場情況不詳", "state unknown"),
}  # fmt: skip
MOST_ROOMS: Final = 50
_COLUMN: Final = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}


@dataclass(frozen=True, slots=True)
class RoomsAsked:
    """What the form says, as it was filled in."""

    people: str
    day: str
    begin: str
    end: str
    features: frozenset[str]


def said(key: str, lang: str, **values: object) -> str:
    text = WORDS.get(key, WORDS["doubt"])[_COLUMN.get(lang, 0)]
    return text.format(**values)


def told(asked: RoomsAsked, offered: Iterable[str], answers: Sequence[RoomAnswer], lang: str) -> dict[str, str]:
    """HTML by the names of the template's places."""
    speaker = Speaker(lang)
    boxes = "".join(_box(feature, feature in asked.features) for feature in sorted(offered))
    return {
        **{f"say_{key}": escape(said(key, lang)) for key in ("title", "people", "day", "from", "to", "go", "features")},
        "people": escape(asked.people), "day": escape(asked.day), "begin": escape(asked.begin),
        "end": escape(asked.end), "boxes": boxes, "with": "" if boxes else " hidden",
        "some": escape(said("some", lang, n=sum(room.free == "yes" for room in answers))),
        "none": "" if answers else escape(said("none", lang)),
        "found": "".join(_item(room, speaker) for room in answers),
    }  # fmt: skip


def _box(feature: str, chosen: bool) -> str:
    mark = " checked" if chosen else ""
    name = escape(feature)
    return f'<label><input type="checkbox" name="features" value="{name}"{mark}> {name}</label>'


def _item(answer: RoomAnswer, say: Speaker) -> str:
    lang = say.lang
    room, area, station = answer.room, answer.area, answer.station
    name = say.of(room.name) or say.of(area.name) or room.id
    place = say.of(station.name) or station.id
    word = said("free" if answer.free == "yes" else "unknown", lang)
    reasons = "、".join(said(reason, lang) for reason in answer.because) if lang != "en" else ", ".join(
        said(reason, lang) for reason in answer.because
    )  # fmt: skip
    facts = [place, *((said("holds", lang, n=answer.capacity),) if answer.capacity else ())]
    facts += [", ".join(room.features)] if room.features else []
    if answer.away_m is not None:
        facts.append(f"{answer.away_m / 1000:.1f} km")
    return (
        f'<li class="spot" data-kind="room" data-resource="{escape(room.id)}" data-usable="{answer.free}">'
        f'<i class="win"><span></span></i><div><h2><a href="/m/{escape(station.id)}">{escape(name)}</a></h2>'
        f'<p class="count"><b>{escape(word)}</b></p><p class="way">{escape(reasons)}</p>'
        f'<p class="way">{escape(" · ".join(facts))}</p></div></li>'
    )


def room_question(
    people: str, day: str, begin: str, end: str, features: Iterable[str], now: Millis, zone: ZoneInfo
) -> tuple[RoomsAsked, RoomQuestion]:
    """What is asked, as the form shows it again and as it is looked for; by default the coming hour."""
    full_hour = local_of(now, zone).replace(minute=0, second=0, microsecond=0)
    days, times = (day, full_hour.date().isoformat()), (begin, f"{full_hour:%H:%M}")
    first = next(moment for moment in (_moment(d, t, zone) for d in days for t in times) if moment is not None)
    wanted = frozenset(filter(None, features))
    start = round(first.timestamp() * 1000)
    last = _moment(f"{first:%Y-%m-%d}", end, zone)
    if last is not None and last <= first:
        last += timedelta(days=1)  # over midnight
    finish = start + HOUR_MS if last is None else round(last.timestamp() * 1000)
    heads = int(people) if people.isascii() and people.isdecimal() and len(people) < 7 and int(people) > 0 else None
    shown = RoomsAsked(
        "" if heads is None else str(heads), f"{first:%Y-%m-%d}", f"{first:%H:%M}",
        f"{local_of(finish, zone):%H:%M}", wanted,
    )  # fmt: skip
    return shown, RoomQuestion(start, finish, heads, wanted)


def _moment(day: str, time: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(f"{day} {time}", "%Y-%m-%d %H:%M").replace(tzinfo=zone)
    except ValueError:
        return None
