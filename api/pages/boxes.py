"""The page /boxes (箱子): a row a box, the troubled first. It needs no script and loads itself anew."""

import re
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from api.boxes import KnownBox, LineState, counted
from api.centre_changes import CONFLICT
from api.errands import what_of
from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.language import LANGUAGES, name_in
from config.schema import Settings
from gateway.base.local_time import local_of
from gateway.commands.answers import in_short
from gateway.commands.errands import Errand
from gateway.live.box_lines import BoxWord
from gateway.model import Millis

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
ERRANDS_SHOWN = 50
FEW_DAYS, CLOCK_OFF_MS, LONG_BACKLOG = 14, 5_000, 10_000
"""From where on a figure is marked: days of disk or certificate left, a clock that is off, messages that wait."""

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "boxes": ("箱子", "箱子", "Boxes"),
    "overview": ("总览", "總覽", "Overview"),
    "login": ("箱子的情况只给工作人员看", "箱子的情況只給工作人員看", "Boxes are for staff"),
    "login_how": ("请用密钥登录，再打开本页。", "請用密鑰登入，再打開本頁。", "Log in with a key, then open it."),
    "login_go": ("登录", "登入", "Log in"),
    "none": ("还没有箱子向这里汇报", "還沒有箱子向這裡匯報", "No box tells us yet"),
    "none_how": (
        "在箱子的配置里写 uplink，在这里的 uplinks.accept 里写上它的名字。",
        "在箱子的設定裡寫 uplink，在這裡的 uplinks.accept 裡寫上它的名字。",
        "Write uplink in the configuration of a box, and its name in uplinks.accept here.",
    ),
    "up": ("在线", "連線中", "Line up"),
    "down": ("断线", "斷線", "Line down"),
    "unlooked": ("未知", "未知", "Not known"),
    "box": ("箱子", "箱子", "Box"),
    "line": ("线路", "線路", "Line"),
    "seen": ("最后来信", "最後來信", "Last heard"),
    "backlog": ("待补传", "待補傳", "Backlog"),
    "clock": ("时钟", "時鐘", "Clock"),
    "disk": ("磁盘可用", "磁碟可用", "Disk lasts"),
    "walls": ("屏幕", "螢幕", "Walls"),
    "config": ("配置版本", "設定版本", "Config."),
    "certificate": ("证书剩余", "憑證剩餘", "Certificate"),
    "version": ("程序版本", "程式版本", "Version"),
    "back": ("已退回 {version}", "已退回 {version}", "took {version} back"),
    "for": ("已 {span}", "已 {span}", "for {span}"),
    "ago": ("{span}前", "{span}前", "{span} ago"),
    "now": ("刚刚", "剛剛", "just now"),
    "right": ("准", "準", "right"),
    "days": ("{n} 天", "{n} 天", "{n} d"),
    "hours": ("{n} 小时", "{n} 小時", "{n} h"),
    "minutes": ("{n} 分钟", "{n} 分鐘", "{n} min"),
    "seconds": ("{n} 秒", "{n} 秒", "{n} s"),
    "fast": ("快 {span}", "快 {span}", "{span} fast"),
    "slow": ("慢 {span}", "慢 {span}", "{span} slow"),
    "gib": ("余 {n} GiB", "餘 {n} GiB", "{n} GiB free"),
    "ended": ("已过期", "已過期", "ended"),
    "made": ("{at} 的情况", "{at} 的情況", "as of {at}"),
    "errands": ("中心交代的事", "中心交代的事", "Said at the centre"),
    "errands_how": (
        "等待中的事，箱子一连上就办，只办一次；过了时限还没办成的，会在这里写明。",
        "等待中的事，箱子一連上就辦，只辦一次；過了時限還沒辦成的，會在這裡寫明。",
        "What waits is done once, as soon as the box has its line; what could not be done in its time is told here.",
    ),
    "at": ("时间", "時間", "When"),
    "by": ("谁", "誰", "Who"),
    "what": ("事项", "事項", "What"),
    "state": ("结果", "結果", "Outcome"),
    "waiting": ("等待箱子", "等待箱子", "Waits for the box"),
    "waits_until": ("最晚 {at}", "最晚 {at}", "until {at}"),
    "done": ("已办", "已辦", "Done"),
    "refused": ("箱子拒绝", "箱子拒絕", "The box refuses"),
    "nth": ("第 {n} 版", "第 {n} 版", "version {n}"),
    "expired": ("没办成", "沒辦成", "Not done in time"),
    "do.override": ("手动设定", "手動設定", "Set by hand"),
    "do.config": ("配置", "設定", "Configuration"),
    "do.check": ("巡检", "巡檢", "Check"),
    "do.acknowledge": ("确认告警", "確認告警", "Acknowledge"),
    "do.close": ("关闭告警", "關閉告警", "Close an alert"),
    "do.comment": ("留言", "留言", "Comment"),
    "do.mute": ("静音", "靜音", "Mute"),
    "do.undo": ("撤销", "撤銷", "Take back"),
    "do.undo_order": ("撤回一步", "撤回一步", "Take a step back"),
    "do.assign": ("派单", "派單", "Order"),
    "do.accept": ("接单", "接單", "Accept"),
    "do.done": ("报完成", "報完成", "Report as done"),
    "do.verify": ("验收", "驗收", "Verify"),
    "do.report": ("访客反馈", "訪客回饋", "A visitor's report"),
    "note": (
        "断线的箱子照常在站内运行，屏幕、门锁和告警都不受影响；线路恢复后自动补传，一条不少。断线期间，中心显示的状态一律为未知。",
        "斷線的箱子照常在站內運作，螢幕、門鎖和告警都不受影響；線路恢復後自動補傳，一則不少。斷線期間，中心顯示的狀態一律為未知。",
        (
            "A box without a line works on at its station: walls, doors and alerts go on. With the line it sends all "
            "that it has stored. Until then everything at its stations is unknown here."
        ),
    ),
}  # fmt: skip


REASONS: Final = {
    "there is no such alert here": ("箱子那边没有这条告警", "箱子那邊沒有這則告警", "there is no such alert there"),
    "there is no such open alert here": ("那边的告警已经结束", "那邊的告警已經結束", "the alert is over there"),
    "there is no such order here": ("箱子那边没有这张工单", "箱子那邊沒有這張工單", "there is no such order there"),
    CONFLICT: (
        "箱子那边的配置已被改过，请核对后再改一次",
        "箱子那邊的設定已被改過，請核對後再改一次",
        "the box's files were changed meanwhile; look, and change it again",
    ),
    "no such place": ("箱子那边没有这个位置", "箱子那邊沒有這個位置", "there is no such place there"),
}
"""Why boxes refuse, as they say it."""
WORDS.update(REASONS)


class BoxesPage:
    """The template and where its style sheets are."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "boxes.html").read_text("utf-8"))

    def told(self, boxes: Sequence[KnownBox], settings: Settings, now: Millis, lang: str) -> str:
        say = _Say(lang, settings.zone_of(None))
        made = say("made", at=f"{local_of(now, say.zone):%Y-%m-%d %H:%M:%S}")
        names = {station.id: say.name(station.name, station.id) for station in settings.stations}
        return self._page(say, made, _body(boxes, names, now, say) if boxes else _empty(say))

    def gated(self, lang: str) -> str:
        say = _Say(lang, ZoneInfo("UTC"))
        told = f'<section class="gated"><h2>{say("login")}</h2><p>{say("login_how")}</p></section>'
        return self._page(say, "", told, link=("/login", say("login_go")))

    def _page(self, say: "_Say", made: str, body: str, link: tuple[str, str] | None = None) -> str:
        address, text = link or ("/", say("overview"))
        return self._template.substitute(
            lang=say.lang, build=self._build, title=say("boxes"), made=made, body=body,
            links=f'<a class="btn" href="{address}">{text}</a>', again="" if link else _AGAIN,
        )  # fmt: skip


_AGAIN = '<meta http-equiv="refresh" content="15">'


class _Say:
    """The words of one language, escaped."""

    def __init__(self, lang: str, zone: ZoneInfo) -> None:
        self.lang, self.zone = lang, zone
        self._column = LANGUAGES.index(lang) if lang in LANGUAGES else 0

    def __call__(self, key: str, **values: object) -> str:
        return escape(WORDS[key][self._column].format(**values))

    def name(self, names: dict[str, str], otherwise: str) -> str:
        return name_in(self.lang, names) or next(iter(names.values()), otherwise)

    def span(self, ms: Millis) -> str:
        for unit, word in ((DAY_MS, "days"), (HOUR_MS, "hours"), (MINUTE_MS, "minutes")):
            if ms >= unit:
                return self(word, n=ms // unit)
        return self("seconds", n=max(0, ms) // 1000)


def _empty(say: _Say) -> str:
    return f'<section class="gated"><h2>{say("none")}</h2><p>{say("none_how")}</p></section>'


STATE_WORDS: Final[dict[LineState, str]] = {"down": "down", "unknown": "unlooked", "up": "up"}
_COLUMNS = ("line", "seen", "backlog", "clock", "disk", "walls", "config", "certificate", "version")


def _body(boxes: Sequence[KnownBox], names: dict[str, str], now: Millis, say: _Say) -> str:
    tiles = "".join(
        f'<div class="{state}"><dt>{say(STATE_WORDS[state])}</dt><dd><b>{count}</b></dd></div>'
        for state, count in counted(boxes).items()
        if count or state != "unknown"
    )
    heads = f"<th class=w>{say('box')}</th>" + "".join(f"<th>{say(name)}</th>" for name in _COLUMNS)
    rows = "".join(_row(box, names, now, say) for box in boxes)
    return (
        f'<dl class="figures">{tiles}</dl><section><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f"<p>{say('note')}</p></section>{_said_here(boxes, names, now, say)}"
    )


def _said_here(boxes: Sequence[KnownBox], names: dict[str, str], now: Millis, say: _Say) -> str:
    """What staff said for stations of boxes: what waits first, then the newest."""
    errands = sorted(
        (errand for box in boxes for errand in box.errands), key=lambda errand: (errand.state != "waiting", -errand.at)
    )
    if not errands:
        return ""
    rows = "".join(_errand(errand, names, now, say) for errand in errands[:ERRANDS_SHOWN])
    heads = "".join(f"<th>{say(name)}</th>" for name in ("state", "what", "by", "at"))
    table = f"<table><thead><tr><th class=w>{say('box')}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<section class="errands"><h2>{say("errands")}</h2>{table}<p>{say("errands_how")}</p></section>'


def _reason(errand: Errand, say: _Say) -> str:
    """The box's own words, but for those that we know in every language."""
    why = in_short(errand.why)
    version = re.fullmatch(r"version (\d+)", why)
    if version is not None:
        return say("nth", n=version[1])
    return say(why) if why in REASONS else escape(why)


def _errand(errand: Errand, names: dict[str, str], now: Millis, say: _Say) -> str:
    until = f"{local_of(errand.keep_until, say.zone):%m-%d %H:%M}"
    small = say("waits_until", at=until) if errand.state == "waiting" else _reason(errand, say)
    word = f"do.{what_of(errand)}"
    what = say(word) if word in WORDS else escape(errand.what)
    cell = "".join(
        column.html(say)
        for column in (
            _Cell("state", f"<b>{say(errand.state)}</b>", small, bad=errand.state != "done"),
            _Cell("what", what), _Cell("by", escape(errand.by)), _Cell("at", _seen(now - errand.at, say)),
        )
    )  # fmt: skip
    station = escape(names.get(errand.station, errand.station))
    return f"<tr><td class=w><b>{escape(errand.box)}</b><small>{station}</small></td>{cell}</tr>"


def _row(box: KnownBox, names: dict[str, str], now: Millis, say: _Say) -> str:
    line, word = box.line, box.line.word
    told = "、" if say.lang != "en" else ", "
    stations = escape(told.join(names.get(name, name) for name in line.stations))
    since = "" if box.state == "unknown" else say("for", span=say.span(now - line.since))
    cells = [
        _Cell("line", f"<i></i><b>{say(STATE_WORDS[box.state])}</b>", since, bad=box.state == "down"),
        _Cell("seen", _seen(now - line.seen_at, say)),
        *_figures(box, say),
        _version(word, say),
    ]
    cell = "".join(column.html(say) for column in cells)
    return f'<tr class="{box.state}"><td class=w><b>{escape(line.box)}</b><small>{stations}</small></td>{cell}</tr>'


def _version(word: BoxWord | None, say: _Say) -> "_Cell":
    back = word is not None and word.upgrade == "rolled_back"
    small = say("back", version=(word.upgrade_version if word else None) or "") if back else None
    return _Cell("version", escape((word.version if word else None) or "—"), small, bad=back)


def _seen(ago: Millis, say: _Say) -> str:
    return say("now") if ago < MINUTE_MS else say("ago", span=say.span(ago))


class _Cell:
    """A figure, empty where the box has not told it; `bad`: somebody should look."""

    def __init__(self, name: str, text: str | None, small: str | None = None, *, bad: bool = False) -> None:
        self._name, self._text, self._small, self._bad = name, text, small, bad

    def html(self, say: _Say) -> str:
        mark = ' class="bad"' if self._bad else ""
        small = f"<small>{self._small}</small>" if self._small else ""
        return f'<td data-label="{say(self._name)}"><span{mark}>{self._text or "—"}</span>{small}</td>'


def _figures(box: KnownBox, say: _Say) -> list[_Cell]:
    line, word = box.line, box.line.word
    if word is None:
        return [_Cell(name, None) for name in _COLUMNS[2:-1]]
    backlog, days, certificate = word.backlog, word.disk_days, word.certificate_days
    free = None if word.disk_free_mib is None else say("gib", n=round(word.disk_free_mib / 1024, 1))
    disk = _Cell("disk", free) if days is None else _Cell("disk", say("days", n=days), free, bad=days < FEW_DAYS)
    ends = None if certificate is None else say("ended") if certificate < 0 else say("days", n=certificate)
    return [
        _Cell("backlog", None if backlog is None else f"{backlog:,}", bad=(backlog or 0) >= LONG_BACKLOG),
        _clock(line.clock_off_ms, say),
        disk,
        _Cell("walls", None if word.walls is None else str(word.walls)),
        _Cell("config", None if word.config_version is None else f"#{word.config_version}"),
        _Cell("certificate", ends, bad=certificate is not None and certificate < FEW_DAYS),
    ]


def _clock(off_ms: Millis | None, say: _Say) -> _Cell:
    if off_ms is None:
        return _Cell("clock", None)
    if abs(off_ms) < CLOCK_OFF_MS:
        return _Cell("clock", say("right"))
    return _Cell("clock", say("fast" if off_ms > 0 else "slow", span=say.span(abs(off_ms))), bad=True)
