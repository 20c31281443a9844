"""The page /a/{token} behind the link of a message: which alert, and whether somebody takes care. It runs no script."""

from datetime import datetime
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from api.pages import HEADERS, TEMPLATES
from api.pages.assets import compressed, of_this_build, pack
from api.pages.preferences import dressed
from gateway.alerts.places import Places, in_language
from gateway.alerts.words import Alert
from gateway.model import Millis
from gateway.notify.catalogue import cause_of, text_of
from gateway.notify.texts import duration

PRIVATE: Final = {**HEADERS, "referrer-policy": "no-referrer", "x-robots-tag": "noindex", "cache-control": "no-store"}
_ASK: Final = (
    '<form method="post">{name}<button class="main" data-deed="acknowledge">由我处理'
    ' <span lang="en">I take care of it</span></button></form>'
    '<p class="hint">打开本页不会确认，按下按钮才算。'
    '<span lang="en">Opening this page does nothing; the button does.</span></p>'
)
_NAME: Final = (
    '<label>您的称呼（可不填） <span lang="en">Your name, if you like</span>'
    '<input name="name" maxlength="30" autocomplete="name"></label>'
)
Both = tuple[str, str]
"""A sentence in Chinese and English."""


class LinkPage:
    """The template, filled in for one alert at a time. `places` has the names."""

    def __init__(self, places: Places) -> None:
        self._places, self._build = places, of_this_build().build
        self._template = Template((TEMPLATES / "acknowledge.html").read_text("utf-8"))

    def asks(self, request: Request, alert: Alert, now: Millis, who: str | None) -> Response:
        """With the button. `who` is logged in here; else a name may be left."""
        return self._page(request, self._about(alert, now) + _ASK.format(name="" if who else _NAME), self._title(alert))

    def says(self, request: Request, said: Both, status: int, alert: Alert | None = None, now: Millis = 0) -> Response:
        """What came of it, and the way on."""
        word = f'<p class="said" role="status">{escape(said[0])} <span lang="en">{escape(said[1])}</span></p>'
        about = "" if alert is None else self._about(alert, now)
        way = "/" if alert is None else f"/?alert={escape(alert.id)}"
        on = f'<a class="btn" href="{way}">去处理 <span lang="en">Go on to the work</span></a>'
        return self._page(request, word + about + on, "驿站" if alert is None else self._title(alert), status)

    def _page(self, request: Request, content: str, title: str, status: int = 200) -> Response:
        body = self._template.substitute(build=self._build, title=escape(title), content=content)
        answer = compressed(request, pack(dressed(request, body).encode(), "text/html"), PRIVATE)
        answer.status_code = status
        return answer

    def _title(self, alert: Alert) -> str:
        return f"{self._what(alert, 'zh')} {text_of(alert, 'zh').title}".strip()

    def _what(self, alert: Alert, lang: str) -> str:
        if alert.station is None or (alert.resource is None and alert.subject == alert.station):
            return ""
        return self._places.called(alert.station, alert.resource or alert.subject, lang)

    def _about(self, alert: Alert, now: Millis) -> str:
        zh, en = text_of(alert, "zh"), text_of(alert, "en")
        english = f"{self._what(alert, 'en')} {en.title}".strip()
        rows = [
            (("发生时间", "Since"), (self._since(alert, now, "zh"), self._since(alert, now, "en"))),
            (("原因", "Cause"), (cause_of(alert, "zh"), cause_of(alert, "en"))),
            (("建议", "Next"), (zh.step, en.step)),
        ]
        told = "".join(f"<div><dt>{_both(head)}</dt><dd>{_both(value)}</dd></div>" for head, value in rows if value[0])
        mark = '<span class="mark">紧急 <span lang="en">Critical</span></span>' if alert.severity == "critical" else ""
        return (
            f'<p class="where">{_both((self._where(alert, "zh"), self._where(alert, "en")))}</p>'
            f'<h1 class="{alert.severity}">{escape(self._title(alert))} <span lang="en">{escape(english)}</span>'
            f"{mark}</h1>"
            f"<dl>{told}</dl>"
        )

    def _where(self, alert: Alert, lang: str) -> str:
        names, areas = self._places.stations, self._places.areas
        system = "System" if lang == "en" else "系统"
        station = in_language(names.get(alert.station or "", {}), lang, alert.station or system)
        area = in_language(areas.get((alert.station or "", alert.resource or ""), {}), lang, "")
        return " · ".join(part for part in (station, area) if part)

    def _since(self, alert: Alert, now: Millis, lang: str) -> str:
        zone = ZoneInfo(self._places.zones.get(alert.station or "", "UTC"))
        at = datetime.fromtimestamp(alert.since / 1000, zone)
        lasted = duration(max(0, now - alert.since), lang)
        return f"{at:%m-%d %H:%M} ({lasted})" if lang == "en" else f"{at:%m-%d %H:%M}（{lasted}）"


def _both(said: Both) -> str:
    """In Chinese, and in English where that is another."""
    chinese, english = map(escape, said)
    return chinese if chinese == english else f'{chinese} <span lang="en">{english}</span>'
