"""The sheet of a station's codes: one card for each, with its name in words. It prints on A4 and runs no script."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import urlsplit

import segno
from starlette.requests import Request
from starlette.responses import Response

from api.addresses import is_loopback
from api.pages import TEMPLATES
from api.pages.assets import compressed, of_this_build, pack
from api.pages.checks import PRIVATE
from config.files import UnusableFileError, read_secret
from config.schema import StationSettings

_NO_STORE = PRIVATE | {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class CodeCard:
    """A code to hang up: what it is for, where it hangs, its address, and that as people may read it (`shown`)."""

    title: tuple[str, str]
    hint: tuple[str, str]
    address: str
    shown: str


def codes_of(station: StationSettings, base: str) -> list[CodeCard]:
    """The phone's page for the door, the page of checks for the staff room, and one for each AED."""
    return [*_phone(station, base), *_checks(station, base), *_defibrillators(station, base)]


def _phone(station: StationSettings, base: str) -> Iterator[CodeCard]:
    address = f"{base}/m/{station.id}"
    yield CodeCard(
        ("现在有没有空位", "What is free right now"),
        (
            "贴在门口和休息区：扫一扫看空位、报修、导航",
            "At the door and in the lounge: free places, reports, the way here",
        ),
        address,
        address,
    )


def _checks(station: StationSettings, base: str) -> Iterator[CodeCard]:
    if station.checks_token_file is None:
        return
    try:
        token = read_secret(station.checks_token_file, f"stations.{station.id}.checks_token_file")
    except (UnusableFileError, ValueError, OSError):
        return
    yield CodeCard(
        ("巡检签到", "Checks on the round"),
        ("贴在员工看得到的地方：拿到这个链接就能报巡检", "Where staff see it: who has this link may report checks"),
        f"{base}/c/{token}",
        f"{base}/c/…",
    )


def _defibrillators(station: StationSettings, base: str) -> Iterator[CodeCard]:
    for area in station.areas:
        for item in area.resources:
            if item.kind == "safety" and item.type == "aed":
                where = area.name.get("zh") or area.id, area.name.get("en") or area.id
                address = f"{base}/m/{station.id}#{item.id}"
                yield CodeCard(
                    (f"AED · {where[0]}", f"AED, {where[1]}"),
                    (
                        "贴在 AED 柜上：紧急时先拨打 120；扫一扫看是否就绪、报告问题",
                        "On the cabinet: in an emergency call 120 first; is it ready, report a problem",
                    ),
                    address,
                    address,
                )


class SheetPage:
    """The template, filled in for one station at a time."""

    def __init__(self) -> None:
        self._build = of_this_build().build
        self._template = Template((TEMPLATES / "sheet.html").read_text("utf-8"))

    def answer(self, request: Request, station: StationSettings, cards: list[CodeCard], base: str) -> Response:
        """`base` is where the codes lead: one that no phone reaches is said."""
        name = station.name.get("zh") or station.id
        address = (station.location.address if station.location else None) or ""
        body = self._template.substitute(
            build=self._build,
            title=escape(name),
            title_en=escape(station.name.get("en", "")),
            address=escape(address),
            warning=_warning(base),
            cards="".join(_card(card, station, name) for card in cards),
            station=escape(station.id),
        )
        return compressed(request, pack(body.encode(), "text/html"), _NO_STORE)


def _card(card: CodeCard, station: StationSettings, name: str) -> str:
    picture = segno.make(card.address, error="m").svg_inline(border=2, dark="#1d1a14", omitsize=True)
    picture = picture.replace("<svg ", f'<svg role="img" aria-label="{escape(card.title[0])}" ', 1)
    return (
        f'<section class="card"><h2>{escape(card.title[0])}<span lang="en">{escape(card.title[1])}</span></h2>'
        f'{picture}<p class="name">{escape(name)}<span lang="en">{escape(station.name.get("en", ""))}</span></p>'
        f'<p class="hint">{escape(card.hint[0])}<span lang="en">{escape(card.hint[1])}</span></p>'
        f'<p class="url">{escape(card.shown)}</p></section>'
    )


def _warning(base: str) -> str:
    """No phone reaches this machine by its own name for itself."""
    host = urlsplit(base).hostname or ""
    if host != "localhost" and not is_loopback(host):
        return ""
    return (
        '<p class="warning" role="alert">这些码指向本机地址，手机打不开：请在配置里设 <code>api.public_url</code>。'
        '<span lang="en">These codes lead to this machine alone; no phone opens them: '
        "set <code>api.public_url</code>.</span></p>"
    )
