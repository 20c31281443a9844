"""The page /a/{token} behind the link of a message: which alert, and whether somebody takes care. It runs no script."""

from datetime import datetime
from html import escape
from string import Template
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from api.pages import HEADERS, TEMPLATES
from api.pages.assets import Assets, compressed, pack
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
        self._places, self._build = places, Assets().build
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
        names, areas = self._places.stations, self._places.areas
        station = in_language(names.get(alert.station or "", {}), "zh", alert.station or "系统 System")
        area = in_language(areas.get((alert.station or "", alert.resource or ""), {}), "zh", "")
        where = " · ".join(part for part in (station, area) if part)
        rows = [("发生时间", "Since", self._since(alert, now)), ("原因", "Cause", cause_of(alert, "zh"))]
        rows += [("建议", "Next", zh.step)]
        told = "".join(
            f'<div><dt>{name} <span lang="en">{other}</span></dt><dd>{escape(value)}</dd></div>'
            for name, other, value in rows
            if value
        )
        mark = '<span class="mark">紧急 <span lang="en">Critical</span></span>' if alert.severity == "critical" else ""
        return (
            f'<h1 class="{alert.severity}"><span class="where">{escape(where)}</span>{escape(self._title(alert))}'
            f'<span lang="en">{escape(english)}</span>{mark}</h1><dl>{told}</dl>'
        )

    def _since(self, alert: Alert, now: Millis) -> str:
        zone = ZoneInfo(self._places.zones.get(alert.station or "", "UTC"))
        at = datetime.fromtimestamp(alert.since / 1000, zone)
        return f"{at:%m-%d %H:%M}（{duration(max(0, now - alert.since), 'zh')}）"
