"""The pages /m/{station}/wish, where residents wish for an activity, and /wishes, where organisers take wishes up.

The server writes all of both, so they work without script.
"""

from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.wordlist import Speaker
from gateway.base.local_time import local_of
from gateway.history.wishes import ALIKE_MIN, INTERESTS, SLOTS, Demand

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "wish": ("您想在这里参加什么活动?", "您想在這裡參加什麼活動?", "What would you come here for?"),
    "what": ("活动", "活動", "Activity"),
    "when": ("什么时候", "什麼時候", "When"),
    "send": ("许个愿", "許個願", "Wish for it"),
    "how": (
        "不记名。五个人有同样的愿望，组织者就会看到。",
        "不記名。五個人有同樣的願望，組織者就會看到。",
        "No name is asked. Once five people wish the same, an organiser sees it.",
    ),
    "thanks": ("已收到，谢谢", "已收到，謝謝", "Received, thank you"),
    "again": ("没有收到：请选活动和时间", "沒有收到：請選活動和時間", "Not received: choose an activity and a time"),
    "enough": ("这一小时的愿望已满，请稍后再来", "這一小時的願望已滿，請稍後再來", "Enough for this hour: come later"),
    "wished": ("大家的愿望", "大家的願望", "What many wish for"),
    "back": ("返回", "返回", "Back"),
    "list": ("居民点单", "居民點單", "Wishes of residents"),
    "none": ("还没有五个人相同的愿望", "還沒有五個人相同的願望", "Nothing yet that five people wish alike"),
    "some": ("{n} 人", "{n} 人", "{n} people"),
    "open": ("等人接单", "等人接單", "nobody has taken it up"),
    "assigned": ("已派给 {who}", "已派給 {who}", "assigned to {who}"),
    "accepted": ("{who} 已接单，日历上还没有", "{who} 已接單，日曆上還沒有", "{who} has taken it up; no date yet"),
    "accepted_public": ("已有人接单", "已有人接單", "somebody organises it"),
    "planned": ("已排期：{at}", "已排期：{at}", "planned: {at}"),
    "held": ("已举办：{at}", "已舉辦：{at}", "held: {at}"),
    "closed": ("已关闭 ({who})", "已關閉 ({who})", "closed ({who})"),
    "not_held": ("上一次没有人来", "上一次沒有人來", "nobody came to the last one"),
    "unknown": ("上一次有没有举办不详", "上一次有沒有舉辦不詳", "whether the last one was held is not known"),
    "called_off": ("上一次从日历上取消了", "上一次從日曆上取消了", "the last one was taken off the calendar"),
    "assign": ("派单", "派單", "Assign"),
    "accept": ("接单", "接單", "Take it up"),
    "release": ("退回", "退回", "Give it back"),
    "close": ("关闭", "關閉", "Close"),
    "to": ("派给谁", "派給誰", "to whom"),
    "login": ("请先登录", "請先登入", "Please log in"),
    "overview": ("总览", "總覽", "Overview"),
    "too_late": ("没有做成：别人已经处理了", "沒有做成：別人已經處理了", "Not done: somebody was quicker"),
    "failed": ("没有做成，请重试", "沒有做成，請重試", "Not done: try again"),
}  # fmt: skip
_COLUMN: Final = {"zh-Hans": 0, "zh-Hant": 1, "en": 2}
_DEEDS: Final[dict[str, tuple[str, ...]]] = {
    "open": ("accept", "assign", "close"),
    "assigned": ("accept", "release", "close"),
    "accepted": ("release", "close"),
    "planned": ("release",),
}


class WishPaper:
    """The template. `lang` is the reader's; `said` the key of what is told on top, empty for nothing."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "wishes.html").read_text("utf-8"))

    def form(
        self, station: str, name: Mapping[str, str], told: Sequence[Demand], zone: ZoneInfo, lang: str, said: str = ""
    ) -> str:
        column = _COLUMN.get(lang, 0)
        interests = {key: interest.names[column] for key, interest in INTERESTS.items()}
        slots = {key: names[column] for key, names in SLOTS.items()}
        wished = "".join(_item(demand, zone, lang) for demand in told if demand.state != "closed")
        body = (
            f'<form method="post">{_choices("interest", _word("what", lang), interests)}'
            f"{_choices('when', _word('when', lang), slots)}"
            f'<p class="hint">{_word("how", lang)}</p><button class="main">{_word("send", lang)}</button></form>'
            + (f"<h2>{_word('wished', lang)}</h2><ol>{wished}</ol>" if wished else "")
            + f'<p><a href="/m/{escape(station)}">{_word("back", lang)}</a></p>'
        )
        place = escape(Speaker(lang).of(name) or station)
        return self._page(lang, "form", _word("wish", lang), place, _said(said, lang), body)

    def list(
        self,
        told: Sequence[Demand],
        names: Mapping[str, Mapping[str, str]],
        zones: Mapping[str, ZoneInfo],
        lang: str,
        *,
        may: bool,
        said: str = "",
    ) -> str:
        """`names` and `zones` by station; `may`: whether the reader may do anything."""
        speaker = Speaker(lang)
        items = "".join(
            _item(
                demand,
                zones[demand.station],
                lang,
                speaker.of(names[demand.station]) or demand.station,
                staff=True,
                may=may,
            )
            for demand in told
        )
        body = f"<ol>{items}</ol>" if items else f'<p class="hint">{_word("none", lang)}</p>'
        body += f'<p><a href="/">{_word("overview", lang)}</a></p>'
        return self._page(lang, "list", _word("list", lang), "", _said(said, lang), body)

    def gated(self, lang: str) -> str:
        body = f'<p><a href="/login?next=/wishes">{_word("login", lang)}</a></p>'
        return self._page(lang, "list", _word("list", lang), "", "", body)

    def _page(self, lang: str, form: str, title: str, place: str, said: str, body: str) -> str:
        return self._template.substitute(
            lang=lang, build=self._build, form=form, title=title, place=place, said=said, body=body
        )


def _word(key: str, lang: str, **values: object) -> str:
    """The word of a language with its values, escaped for HTML."""
    return escape(WORDS[key][_COLUMN.get(lang, 0)].format(**values))


def _said(key: str, lang: str) -> str:
    if key not in WORDS:
        return ""
    bad = "" if key == "thanks" else " bad"
    return f'<p class="said{bad}" role="status">{_word(key, lang)}</p>'


def _choices(name: str, legend: str, choices: Mapping[str, str]) -> str:
    labels = "".join(
        f'<label><input type="radio" name="{name}" value="{key}" required> {escape(text)}</label>'
        for key, text in choices.items()
    )
    return f'<fieldset><legend>{legend}</legend><div class="choices">{labels}</div></fieldset>'


def _item(
    demand: Demand, zone: ZoneInfo, lang: str, station: str = "", *, staff: bool = False, may: bool = False
) -> str:
    column = _COLUMN.get(lang, 0)
    interest = INTERESTS[demand.interest].names[column] if demand.interest in INTERESTS else demand.interest
    slot = SLOTS[demand.slot][column] if demand.slot in SLOTS else demand.slot
    head = " · ".join(filter(None, (interest, slot)))
    count = _word("some", lang, n=demand.wishes) if demand.wishes >= ALIKE_MIN else ""
    facts = " · ".join(filter(None, (escape(station), count, _state(demand, zone, lang, staff=staff))))
    remark = f"<p>{_word(demand.remark, lang)}</p>" if staff and demand.remark else ""
    deeds = _deeds(demand, lang) if may else ""
    return f'<li data-state="{demand.state}"><h2>{escape(head)}</h2><p>{facts}</p>{remark}{deeds}</li>'


def _state(demand: Demand, zone: ZoneInfo, lang: str, *, staff: bool) -> str:
    """Who organises it is told to staff alone."""
    at = "" if demand.start is None else f"{local_of(demand.start, zone):%Y-%m-%d %H:%M}"
    if not staff and demand.state in ("assigned", "accepted"):
        return _word("accepted_public", lang)
    who = demand.changed_by if demand.state == "closed" else demand.assignee
    return _word(demand.state, lang, at=at, who=who)


def _deeds(demand: Demand, lang: str) -> str:
    deeds = _DEEDS.get(demand.state, ())
    if not deeds:
        return ""
    to = (
        f'<input name="to" maxlength="60" aria-label="{_word("to", lang)}" placeholder="{_word("to", lang)}">'
        if "assign" in deeds
        else ""
    )
    buttons = "".join(
        f'<button name="deed" value="{deed}"{" class=main" if deed == "accept" else ""}>{_word(deed, lang)}</button>'
        for deed in deeds
    )
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("station", demand.station), ("wish", f"{demand.interest}.{demand.slot}"))
    )
    return f'<form method="post" action="/wishes">{hidden}{to}{buttons}</form>'
