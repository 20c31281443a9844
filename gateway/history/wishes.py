"""What residents wish for, how many wish alike, and whether it came to be: 点单 → 派单 → 接单 → held. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from gateway.base.local_time import DAY_MS, local_of
from gateway.model import ActivityEnded, Held, Millis
from gateway.policy.activities import Activity

ALIKE_MIN: Final = 5
"""So many wish for the same before anybody is told."""
COUNTED_WEEKS: Final = 13
"""A wish counts for so long, unless it came true before."""
UNSEEN_MS: Final = 2 * DAY_MS
"""An activity of which nothing became known by then is over without a verdict."""

DemandState = Literal["open", "assigned", "accepted", "planned", "held", "closed"]
"""`open`: enough wish for it. `assigned` to an organiser, `accepted` by one, `planned`: a calendar has it."""
DemandRemark = Literal["", "not_held", "unknown", "called_off"]
"""What became of the last activity that was planned for it."""
OVER: Final[tuple[DemandState, ...]] = ("held", "closed")

SLOTS: Final[dict[str, tuple[str, str, str]]] = {
    "weekday_morning": ("工作日上午", "工作日上午", "weekday mornings"),
    "weekday_afternoon": ("工作日下午", "工作日下午", "weekday afternoons"),
    "weekday_evening": ("工作日晚上", "工作日晚上", "weekday evenings"),
    "weekend_morning": ("周末上午", "週末上午", "weekend mornings"),
    "weekend_afternoon": ("周末下午", "週末下午", "weekend afternoons"),
    "weekend_evening": ("周末晚上", "週末晚上", "weekend evenings"),
}
"""Times of the week, simplified, traditional, English."""


@dataclass(frozen=True, slots=True)
class Interest:
    """`words`: in a calendar's title each of them, and each of the names, stands for it."""

    names: tuple[str, str, str]
    words: tuple[str, ...] = ()

    def is_in(self, title: str) -> bool:
        lower = title.lower()
        return any(word.lower() in lower for word in (*self.names, *self.words))


INTERESTS: Final[dict[str, Interest]] = {
    "dance": Interest(("广场舞", "廣場舞", "Dance"), ("舞蹈", "跳舞", "dancing")),
    "tai_chi": Interest(("太极", "太極", "Tai chi")),
    "choir": Interest(("合唱", "合唱", "Choir"), ("唱歌", "歌咏", "singing")),
    "music": Interest(("乐器", "樂器", "Music"), ("钢琴", "二胡", "吉他", "piano")),
    "calligraphy": Interest(("书画", "書畫", "Calligraphy"), ("书法", "書法", "国画", "painting")),
    "crafts": Interest(("手工", "手工", "Crafts"), ("编织", "剪纸")),
    "chess": Interest(("棋牌", "棋牌", "Chess and cards"), ("象棋", "围棋", "圍棋", "chess")),
    "reading": Interest(("读书", "讀書", "Reading"), ("阅读", "閱讀", "book club")),
    "fitness": Interest(("健身", "健身", "Fitness"), ("瑜伽", "体操", "yoga")),
    "health": Interest(("健康讲座", "健康講座", "Health"), ("健康", "义诊", "義診", "养生")),
    "phone_skills": Interest(("智能手机课", "智能手機課", "Smartphone class"), ("手机", "手機", "smartphone")),
    "languages": Interest(("外语", "外語", "Languages"), ("英语", "英語", "english")),
    "children": Interest(("亲子", "親子", "With children"), ("儿童", "兒童", "绘本", "children")),
    "film": Interest(("电影", "電影", "Films"), ("观影", "film")),
    "legal_advice": Interest(("法律咨询", "法律諮詢", "Legal advice"), ("法律", "普法", "legal")),
    "job_skills": Interest(("职业培训", "職業培訓", "Job skills"), ("技能", "培训", "培訓")),
}
"""What one can wish for: a list, so that wishes are alike, and no word is anybody's own."""

WishKey = tuple[str, str, str]
"""(station, interest, slot)"""


@dataclass(frozen=True, slots=True)
class Demand:
    """What several people wish alike, and who took it up.

    `taken_at`: when it was accepted. `uid`: of the calendar's event, as the organiser told it or as it was found.
    `area` and `start`: the planned occurrence; the last one that was tried where nothing is planned now.
    """

    station: str
    interest: str
    slot: str
    wishes: int
    state: DemandState = "open"
    assignee: str = ""
    changed_by: str = ""
    changed_at: Millis = 0
    taken_at: Millis | None = None
    uid: str | None = None
    area: str | None = None
    start: Millis | None = None
    remark: DemandRemark = ""

    @property
    def key(self) -> WishKey:
        return self.station, self.interest, self.slot


def week_of(at: Millis, zone: ZoneInfo, back: int = 0) -> str:
    """The Monday of the local week, `back` weeks earlier: `2026-11-16`."""
    day = local_of(at, zone).date()
    return (day - timedelta(days=day.weekday() + 7 * back)).isoformat()


def slot_of(at: Millis, zone: ZoneInfo) -> str:
    """Mornings end at noon, afternoons at six; the small hours belong to no wish but the evening's."""
    local = local_of(at, zone)
    part = "morning" if 5 <= local.hour < 12 else "afternoon" if 12 <= local.hour < 18 else "evening"
    return f"{'weekend' if local.weekday() > 4 else 'weekday'}_{part}"


def told_demands(counts: Mapping[WishKey, int], demands: Sequence[Demand]) -> list[Demand]:
    """Those under way as they are, and what enough people wish for and nobody took up; the most wished first."""
    under_way = {demand.key: demand for demand in demands if demand.state not in OVER}
    told = [replace(demand, wishes=max(demand.wishes, counts.get(key, 0))) for key, demand in under_way.items()]
    told += [Demand(*key, count) for key, count in counts.items() if count >= ALIKE_MIN and key not in under_way]
    return sorted(told, key=lambda demand: (-demand.wishes, demand.key)) + [
        demand for demand in demands if demand.state in OVER
    ]


def progressed(
    demand: Demand,
    agenda: Mapping[str, Sequence[Activity]],
    over: Sequence[ActivityEnded],
    zone: ZoneInfo,
    now: Millis,
    *,
    whole: bool = True,
) -> Demand:
    """What calendars and presence make of a demand that somebody accepted; itself where nothing is new.

    `agenda`: activities of the station by area, `whole` where it has all of the coming days; `over`: those that ended.
    """
    if demand.state not in ("accepted", "planned"):
        return demand
    verdicts = [(activity, activity.held) for activity in over if _is_of(demand, activity)]
    if any(held == "held" for _, held in verdicts):
        return replace(demand, state="held", changed_at=now, changed_by="presence", remark="")
    if demand.state == "planned":
        verdict = next((held for activity, held in verdicts if activity.start == demand.start), None)
        remark = _failed(demand, agenda if whole else None, verdict, now)
        if not remark:
            return demand
        demand = replace(demand, state="accepted", changed_at=now, changed_by="calendar", remark=remark)
    return _planned(demand, agenda, zone, now)


def _is_of(demand: Demand, ended: ActivityEnded) -> bool:
    if demand.taken_at is None or ended.start < demand.taken_at:
        return False
    by_uid = demand.uid is not None and ended.uid == demand.uid
    return by_uid or (demand.state == "planned" and (ended.area, ended.start) == (demand.area, demand.start))


def _failed(
    demand: Demand, agenda: Mapping[str, Sequence[Activity]] | None, verdict: Held | None, now: Millis
) -> DemandRemark:
    """Why the planned occurrence did not fulfil it; empty while it still may."""
    start = demand.start or 0
    if verdict is not None:
        return "not_held" if verdict == "not_held" else "unknown"
    if start + UNSEEN_MS < now:
        return "unknown"
    if (
        agenda is not None
        and start > now
        and all(activity.start != start for activity in agenda.get(demand.area or "", ()))
    ):
        return "called_off"
    return ""


def _planned(demand: Demand, agenda: Mapping[str, Sequence[Activity]], zone: ZoneInfo, now: Millis) -> Demand:
    """The next activity of the calendars that is meant by it: the event the organiser named, else one whose title has
    the interest, at the wished time of the week."""
    after = max(demand.taken_at or 0, -1 if demand.start is None else demand.start + 1)
    if demand.remark == "called_off":
        after = max(demand.taken_at or 0, now)
    meant = sorted(
        (activity.start, area, activity.uid)
        for area, activities in agenda.items()
        for activity in activities
        if activity.reserves and activity.start >= after and _means(demand, activity, zone)
    )
    if not meant:
        return demand
    start, area, uid = meant[0]
    return replace(
        demand, state="planned", changed_at=now, changed_by="calendar", area=area, start=start, uid=demand.uid or uid
    )


def _means(demand: Demand, activity: Activity, zone: ZoneInfo) -> bool:
    if demand.uid:
        return activity.uid == demand.uid
    wanted = INTERESTS.get(demand.interest)
    return wanted is not None and wanted.is_in(activity.title) and slot_of(activity.start, zone) == demand.slot
