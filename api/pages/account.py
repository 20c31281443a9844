"""The page /account (我的账户): who one is here, where one is logged in, one's passkeys, and how to end each.

It needs no script but to make a passkey, which no page without one can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from api.auth import Key
from api.pages import TEMPLATES
from api.pages.assets import of_this_build
from api.pages.language import LANGUAGES
from api.passkeys.book import Passkey
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
    "passkeys": ("通行密钥", "通行密鑰", "Passkeys"),
    "passkeys_all": ("所有人的通行密钥", "所有人的通行密鑰", "Passkeys of everybody"),
    "passkeys_none": (
        "还没有。有了它，用手机或电脑的解锁方式就能登录，不用再粘贴密钥。",
        "還沒有。有了它，用手機或電腦的解鎖方式就能登入，不用再貼上密鑰。",
        "None yet. With one you log in by what unlocks your phone or computer, without pasting a key.",
    ),
    "passkey_add": ("添加通行密钥", "加入通行密鑰", "Add a passkey"),
    "passkey_made": ("{at} 添加", "{at} 加入", "added {at}"),
    "passkey_used": ("最近登录 {at}", "最近登入 {at}", "last log-in {at}"),
    "passkey_unused": ("还没用过", "還沒用過", "not used yet"),
    "rename": ("改名", "改名", "Rename"),
    "remove": ("移除", "移除", "Remove"),
    "name": ("名称", "名稱", "Name"),
    "insecure": (
        "通行密钥只能在 https 上（或本机 localhost）使用，现在这个地址不行：见 docs/tls.md。",
        "通行密鑰只能在 https 上（或本機 localhost）使用，現在這個位址不行：見 docs/tls.md。",
        "Passkeys work on https and at localhost only, not at this address: see docs/tls.md.",
    ),
    "address": (
        "通行密钥要有域名，纯数字地址不行：请在配置里设 api.public_url。",
        "通行密鑰要有網域名稱，純數字位址不行：請在設定裡設 api.public_url。",
        "Passkeys need a name, not a numeric address: set api.public_url.",
    ),
    "missing": (
        "通行密钥要装附加组件：pip install 'yizhan[people]'。",
        "通行密鑰要裝附加元件：pip install 'yizhan[people]'。",
        "Passkeys need an extra: pip install 'yizhan[people]'.",
    ),
    "elsewhere": ("请在 {at} 打开本页。", "請在 {at} 開啟本頁。", "Open this page at {at}."),
    "not_one": (
        "通行密钥是一个人的：按组登录和一次性口令不能添加。",
        "通行密鑰是一個人的：按組登入和一次性口令不能加入。",
        "A passkey is one person's: not for a group, and not for the one-time code.",
    ),
    "hint": (
        "有不认识的？先结束它，再请管理员换一把密钥：谁有您的密钥，谁就能再登录。",
        "有不認識的？先結束它，再請管理員換一把密鑰：誰有您的密鑰，誰就能再登入。",
        "One that you do not know? End it, then ask for a new key: who has yours can log in again.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownPasskeys:
    """`owners`: names by the id of the key. `obstacle`: the word for why none can be made here, `at` where it can."""

    passkeys: Sequence[Passkey]
    owners: Mapping[str, str]
    obstacle: str | None = None
    at: str = ""


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
        passkeys: ShownPasskeys,
    ) -> str:
        """`own`: the session that asks. `everybody`: the lists are those of all people."""
        say = _Words(lang)
        reach = [*key.stations, *(region.removeprefix("/") for region in key.regions)]
        of = " · ".join((say(key.role), escape(("、" if lang != "en" else ", ").join(reach)) or say("everywhere")))
        rows = "".join(_row(session, own, zone, say, everybody=everybody) for session in sessions)
        other = any(session.key == key.id and session.id != own for session in sessions)
        body = (
            f"<section><h2>{escape(key.name)}</h2><p>{of}</p>"
            f'<form method="post" action="/logout"><button>{say("logout")}</button></form></section>'
            f"<section><h2>{say('sessions_all' if everybody else 'sessions')}</h2>"
            + (f'<ul class="rows">{rows}</ul>' if rows else f'<p class="hint">{say("none")}</p>')
            + (_form("deed", "end_others", say("end_others"), everybody=everybody) if other else "")
            + f'<p class="hint">{say("hint")}</p>'
            + (_switch(say, everybody=everybody) if may_see_all else "")
            + "</section>"
            + _passkeys(passkeys, zone, say, everybody=everybody)
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


def _row(session: StartedSession, own: str | None, zone: ZoneInfo, say: _Words, *, everybody: bool) -> str:
    device = say("unknown") if session.device == "?" else escape(session.device)
    how = say(session.how) if session.how in WORDS else escape(session.how)
    name = f"{escape(session.who)} · {device}" if everybody else device
    facts = "，" if say.lang != "en" else ", "
    times = facts.join(
        (
            say("since", at=_at(session.since, zone)),
            say("seen", at=_at(session.seen, zone)),
            say("until", at=_at(session.until, zone)),
        )
    )
    mine = session.id == own
    end = f"<em>{say('own')}</em>" if mine else _form("session", session.id, say("end"), name, everybody=everybody)
    return (
        f'<li data-session="{escape(session.id)}"><div class="what"><b>{name}</b> <span>{how}</span>'
        f"<small>{times}</small></div>{end}</li>"
    )


def _passkeys(shown: ShownPasskeys, zone: ZoneInfo, say: _Words, *, everybody: bool) -> str:
    rows = "".join(
        _passkey(passkey, shown.owners.get(passkey.key, "?"), zone, say, everybody=everybody)
        for passkey in shown.passkeys
    )
    if shown.obstacle is None:
        button = f'<button class="add-passkey" hidden>{say("passkey_add")}</button>'
        add = f'<p>{button}</p><p class="result bad" role="alert"></p>'
    else:
        add = f'<p class="hint obstacle">{say(shown.obstacle, at=shown.at)}</p>'
    title = say("passkeys_all" if everybody else "passkeys")
    return (
        f'<section class="passkeys"><h2>{title}</h2>'
        + (f'<ul class="rows">{rows}</ul>' if rows else f'<p class="hint">{say("passkeys_none")}</p>')
        + ("" if everybody else add)
        + "</section>"
    )


def _passkey(passkey: Passkey, owner: str, zone: ZoneInfo, say: _Words, *, everybody: bool) -> str:
    name = escape(f"{owner} · {passkey.name}" if everybody else passkey.name)
    used = say("passkey_used", at=_at(passkey.used, zone)) if passkey.used else say("passkey_unused")
    times = f"{say('passkey_made', at=_at(passkey.created, zone))}{'，' if say.lang != 'en' else ', '}{used}"
    remove = _form("remove", passkey.id, say("remove"), name, everybody=everybody)
    rename = (
        f'<details><summary>{say("rename")}</summary><form method="post" action="/account" class="ways">'
        f'<input type="hidden" name="rename" value="{escape(passkey.id)}">'
        f'<input name="name" value="{escape(passkey.name)}" maxlength="60" required aria-label="{say("name")}">'
        f'<button class="quiet">{say("rename")}</button></form></details>'
    )
    return (
        f'<li data-passkey="{escape(passkey.id)}"><div class="what"><b>{name}</b><small>{times}</small>'
        f"{'' if everybody else rename}</div>{remove}</li>"
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
