"""The page /account (我的账户): who one is here, where one is logged in, and how to end it. It needs no script."""

from collections.abc import Sequence
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from api.auth import Key
from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.language import LANGUAGES
from api.sessions import StartedSession
from gateway.base.local_time import local_of
from gateway.model import Millis

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "account": ("我的账户", "我的帳戶", "My account"),
    "overview": ("总览", "總覽", "Overview"),
    "login": ("请先登录", "請先登入", "Please log in"),
    "login_go": ("登录", "登入", "Log in"),
    "logout": ("退出登录", "登出", "Log out"),
    "viewer": ("查看", "檢視", "viewer"),
    "operator": ("值守", "值守", "operator"),
    "admin": ("管理员", "管理員", "admin"),
    "everywhere": ("全部站点", "全部站點", "all stations"),
    "sessions": ("在哪些设备上登录着", "在哪些裝置上登入著", "Where you are logged in"),
    "sessions_all": ("所有人的登录", "所有人的登入", "Where everybody is logged in"),
    "see_all": ("看所有人的", "看所有人的", "Those of everybody"),
    "see_own": ("只看自己的", "只看自己的", "Only mine"),
    "none": ("没有打开的登录", "沒有開著的登入", "No session is open"),
    "own": ("就是这一台", "就是這一臺", "this one"),
    "end": ("结束", "結束", "End"),
    "end_others": ("结束我在其他设备上的登录", "結束我在其他裝置上的登入", "End all my other sessions"),
    "since": ("{at} 登录", "{at} 登入", "since {at}"),
    "seen": ("最近使用 {at}", "最近使用 {at}", "last used {at}"),
    "until": ("到 {at} 为止", "到 {at} 為止", "until {at}"),
    "key": ("密钥", "密鑰", "key"),
    "code": ("一次性口令", "一次性口令", "one-time code"),
    "passkey": ("通行密钥", "通行密鑰", "passkey"),
    "unknown": ("未知设备", "未知裝置", "unknown device"),
    "hint": (
        "有不认识的？先结束它，再请管理员换一把密钥：谁有您的密钥，谁就能再登录。",
        "有不認識的？先結束它，再請管理員換一把密鑰：誰有您的密鑰，誰就能再登入。",
        "One that you do not know? End it, then ask for a new key: who has yours can log in again.",
    ),
}  # fmt: skip


class AccountPage:
    """The template and its words."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "account.html").read_text("utf-8"))

    def told(
        self,
        key: Key,
        sessions: Sequence[StartedSession],
        own: str | None,
        zone: ZoneInfo,
        lang: str,
        *,
        everybody: bool,
        may_see_all: bool,
    ) -> str:
        """`own`: the session that asks. `everybody`: the list is that of all people."""
        say = _Words(lang)
        reach = [*key.stations, *(region.removeprefix("/") for region in key.regions)]
        of = " · ".join((say(key.role), escape(("、" if lang != "en" else ", ").join(reach)) or say("everywhere")))
        rows = "".join(_row(each, own, zone, say, everybody=everybody) for each in sessions)
        other = any(each.key == key.id and each.id != own for each in sessions)
        body = (
            f"<section><h2>{escape(key.name)}</h2><p>{of}</p>"
            f'<form method="post" action="/logout"><button>{say("logout")}</button></form></section>'
            f"<section><h2>{say('sessions_all' if everybody else 'sessions')}</h2>"
            + (f'<ul class="rows">{rows}</ul>' if rows else f'<p class="hint">{say("none")}</p>')
            + (_form("deed", "end_others", say("end_others"), everybody=everybody) if other else "")
            + f'<p class="hint">{say("hint")}</p>'
            + (_switch(say, everybody=everybody) if may_see_all else "")
            + "</section>"
        )
        return self._page(say, body)

    def gated(self, lang: str) -> str:
        say = _Words(lang)
        link = f'<a class="btn main" href="/login?next=%2Faccount">{say("login_go")}</a>'
        return self._page(say, f"<section><h2>{say('login')}</h2><p>{link}</p></section>")

    def _page(self, say: "_Words", body: str) -> str:
        return self._template.substitute(
            lang=say.lang, build=self._build, title=say("account"), overview=say("overview"), body=body
        )


class _Words:
    """The words of one language, escaped."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._column = LANGUAGES.index(lang) if lang in LANGUAGES else 0

    def __call__(self, key: str, **values: object) -> str:
        return escape(WORDS[key][self._column].format(**values))


def _row(each: StartedSession, own: str | None, zone: ZoneInfo, say: _Words, *, everybody: bool) -> str:
    device = say("unknown") if each.device == "?" else escape(each.device)
    how = say(each.how) if each.how in WORDS else escape(each.how)
    name = f"{escape(each.who)} · {device}" if everybody else device
    facts = "，" if say.lang != "en" else ", "
    times = facts.join(
        (
            say("since", at=_at(each.since, zone)),
            say("seen", at=_at(each.seen, zone)),
            say("until", at=_at(each.until, zone)),
        )
    )
    mine = each.id == own
    end = f"<em>{say('own')}</em>" if mine else _form("session", each.id, say("end"), name, everybody=everybody)
    return (
        f'<li data-session="{escape(each.id)}"><div class="what"><b>{name}</b> <span>{how}</span>'
        f"<small>{times}</small></div>{end}</li>"
    )


def _form(field: str, value: str, text: str, about: str = "", *, everybody: bool) -> str:
    label = f' aria-label="{text} {about}"' if about else ""
    action = "/account?all=1" if everybody else "/account"
    return (
        f'<form method="post" action="{action}"><input type="hidden" name="{field}" value="{escape(value)}">'
        f'<button class="quiet"{label}>{text}</button></form>'
    )


def _switch(say: _Words, *, everybody: bool) -> str:
    address, word = ("/account", "see_own") if everybody else ("/account?all=1", "see_all")
    return f'<p><a href="{address}">{say(word)}</a></p>'


def _at(at: Millis, zone: ZoneInfo) -> str:
    return f"{local_of(at, zone):%m-%d %H:%M}"
