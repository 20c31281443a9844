"""The page /c/{token}: what a person looks at on a round. The server writes all of it, so it works without script."""

from collections.abc import Mapping
from html import escape
from string import Template
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from api.pages import HEADERS, TEMPLATES
from api.pages.assets import compressed, of_this_build, pack
from api.pages.preferences import dressed
from config.schema import CheckSettings, StationSettings
from gateway.base.local_time import local_of
from gateway.evidence.checks import LONGEST_NOTE, StoredCheck

PRIVATE: Final = {**HEADERS, "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
DONE: Final = '<p class="said" role="status">已保存 ✓ <span lang="en">Saved</span></p>'
_PHOTO: Final = (
    '<label class="photo" hidden><b>拍照</b> <span lang="en">Photo, optional</span>'
    '<input type="file" accept="image/*" capture="environment"></label>'
)
"""Has no name: a browser without script can't make it small, so it is not asked."""
_RESULTS: Final = {"ok": "正常 OK", "problem": "有问题 Problem", "verified": "已修复 Mended"}


class ChecksPage:
    """The template, filled in for one station at a time."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "checks.html").read_text("utf-8"))

    def answer(
        self,
        request: Request,
        station: StationSettings,
        last: Mapping[str, StoredCheck],
        zone: ZoneInfo,
        said: str = "",
        status: int = 200,
    ) -> Response:
        """`last`: what was reported last of each check; `said`: HTML of ours for who comes back from the form."""
        name = station.name.get("zh") or station.id
        body = self._template.substitute(
            build=self._build,
            station=station.id,
            title=escape(name),
            title_en=escape(station.name.get("en", "Checks")),
            said=said,
            checks="".join(_item(station, check, last.get(check.id), zone) for check in station.checks),
        )
        answer = compressed(request, pack(dressed(request, body).encode(), "text/html"), PRIVATE)
        answer.status_code = status
        return answer


def refusal(text: str) -> str:
    """What a form is told that could not be kept."""
    return f'<p class="said bad" role="alert">没有保存，请重试。 <span lang="en">Not saved: {escape(text)}</span></p>'


def _item(station: StationSettings, check: CheckSettings, last: StoredCheck | None, zone: ZoneInfo) -> str:
    chinese, english = _question(station, check)
    asks_day = '<label>有效期至 <span lang="en">Expires on</span><input type="date" name="expires"></label>'
    asks_count = (
        '<label>还有几件 <span lang="en">How many are left</span>'
        '<input type="number" name="count" min="0" max="1000000" inputmode="numeric"></label>'
    )
    return (
        f'<li data-check="{check.id}"><form method="post" aria-labelledby="ask-{check.id}">'
        f'<h2 id="ask-{check.id}">{escape(chinese)}<span lang="en">{escape(english)}</span></h2>{_last(last, zone)}'
        f'<input type="hidden" name="id" value="{uuid4()}"><input type="hidden" name="check" value="{check.id}">'
        f"{asks_day if check.expires else ''}{asks_count if _counted(station, check) else ''}"
        f"{_PHOTO}"
        '<button class="main" name="result" value="ok">正常 <span lang="en">OK</span></button>'
        '<details><summary>有问题 <span lang="en">Problem</span></summary>'
        f'<label>什么问题 <span lang="en">What is wrong</span><input name="note" maxlength="{LONGEST_NOTE}"></label>'
        '<button name="result" value="problem">报告问题 <span lang="en">Report it</span></button></details>'
        '<p class="said" role="status"></p></form></li>'
    )


def _counted(station: StationSettings, check: CheckSettings) -> bool:
    """Whether the check is about supplies, which are counted."""
    kinds = {resource.id: resource.kind for area in station.areas for resource in area.resources}
    return any(kinds.get(name) == "supply" for name in check.of)


def _question(station: StationSettings, check: CheckSettings) -> tuple[str, str]:
    """In Chinese and English; where none is configured it follows from what the check is about."""
    if check.ask:
        chinese = check.ask.get("zh") or next(iter(check.ask.values()))
        return chinese, check.ask.get("en", "")
    if check.entry:
        return "门能进吗？", "Can one come in?"
    names = {resource.id: resource.name for area in station.areas for resource in area.resources}
    things = [names.get(name, {}) | {"id": name} for name in check.of] or [{"id": check.id}]
    chinese = "、".join(thing.get("zh") or thing["id"] for thing in things)
    english = ", ".join(thing.get("en") or thing["id"] for thing in things)
    return f"{chinese}：正常吗？", f"{english}: all well?"


def _last(last: StoredCheck | None, zone: ZoneInfo) -> str:
    if last is None:
        return '<p class="last">还没有检查过 <span lang="en">not checked yet</span></p>'
    at = f"{local_of(last.report.ts, zone):%m-%d %H:%M}"
    return f'<p class="last">上次 <span lang="en">Last</span> {at} {_RESULTS[last.report.result]}</p>'
