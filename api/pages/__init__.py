"""The pages: plain HTML, CSS and ES modules, no build step, no outside request, a strict policy on every answer."""

import asyncio
import base64
import hashlib
import html
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import segno
from fastapi import Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.addresses import counted
from api.auth import COOKIE
from api.geo import point_of
from api.late_routes import Routes
from api.pages.assets import TYPES, compressed, of_this_build, pack
from api.pages.find.page import FindPage, FindQuestion
from api.pages.find.ranking import Standing, Wish
from api.pages.json_ld import at
from api.pages.language import choose, english_first
from api.pages.phone import Documents, Phone, app_of
from api.pages.place import PagePlace, data_block, facts_of, places_of
from api.pages.preferences import Preferences, preferences, switches
from api.pages.rooms import MOST_ROOMS, room_question
from api.pages.rooms import told as rooms_told
from api.pages.wordlist import Speaker
from api.room_search import RoomSearch
from api.walls import Walls
from gateway.base.clock import now_ms as wall_clock_ms

__all__ = ["POLICY", "PagePlace", "places_of", "router"]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "geolocation=(self), camera=(), microphone=()",
    "cache-control": "no-cache",
}
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d+)?")
FILLING = {
    "zh-Hans": "过去一周正在补入，约一分钟后齐全",
    "zh-Hant": "過去一週正在補入，約一分鐘後齊全",
    "en": "The past week is being filled in: it is whole in about a minute",
}
BILINGUAL = ("login", "discover", "partner", "missing")
Short = Annotated[str, Query(max_length=100)]
ScreenName = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,64}$")]  # staff may read it in an alert
TEMPLATES = Path(__file__).parent / "templates"


def policy_with_images_of(url: str) -> str:
    """The policy with the server of `url` as a source of images; unchanged for no URL or one of our own."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return POLICY
    return POLICY.replace("img-src 'self' data:", f"img-src 'self' data: {parts.scheme}://{parts.netloc}")


def policy_with_styles(*texts: str) -> str:
    """The policy with these style elements, each by its hash: what stands in the page itself costs no round trip."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return POLICY.replace(
        "style-src 'self'", " ".join(("style-src 'self'", *(f"'sha256-{digest}'" for digest in hashes)))
    )


def after_login(wanted: str | None) -> str:
    """The page of ours to come back to; the overview where the address leads elsewhere."""
    ours = wanted is not None and re.fullmatch(r"/(?![/\\\\])[!-~]{0,500}", wanted) is not None
    return wanted if ours and wanted is not None else "/"


class Pages:
    """Everything the routes need, made once. Templates are `string.Template`; every value is escaped on its way in."""

    def __init__(
        self,
        places: Mapping[str, PagePlace],
        public_url: str | None,
        timezone: str,
        tiles: str | None,
        wall: Callable[[str], str],
        filling: Callable[[], bool],
        log_in: Callable[[Request], Mapping[str, str]],
    ) -> None:
        self.places, self.filling, self.log_in = places, filling, log_in
        self.public_url = public_url
        self.timezone = timezone
        self.wall = wall
        self.tiles = tiles or ""
        self.map_headers = HEADERS | {"content-security-policy": policy_with_images_of(self.tiles)}
        self.assets = of_this_build()
        self.templates = {path.stem: Template(path.read_text("utf-8")) for path in TEMPLATES.rglob("*.html")}

    def render(
        self,
        request: Request,
        name: str,
        place: PagePlace | None,
        status: int = 200,
        more: Mapping[str, str] | None = None,
        styles: Sequence[str] = (),
    ) -> Response:
        """Page `name` in the reader's language; with a place, its facts ride in a data block.

        `more`: HTML for the template's own places; `styles`: what stands as style elements in the page.
        """
        chosen = self.preferences(request, place, wall=name == "screen", both=name in BILINGUAL)
        values = {
            "lang": html.escape(chosen.lang),
            "look": chosen.look,
            "prefs": switches(request, chosen),
            "build": self.assets.build,
            "zone": html.escape(place.timezone if place else self.timezone),
            # The cookie itself is hidden from scripts; whether there is one spares strangers a refusal.
            "session": "perhaps" if COOKIE in request.cookies else "none",
            "title": html.escape(place.name.get("zh") or place.id if place else "驿站"),
            "tiles": html.escape(self.tiles),
            "station": html.escape(place.id if place else ""),
            "next": html.escape(after_login(request.query_params.get("next"))),
            "letters": ' data-letters="large"' if request.query_params.get("letters") == "large" else "",
            "wall": self.wall(place.id) if place and name == "screen" else "",
            "place": data_block(facts_of(place)) if place else "{}",
            "json_ld": self._json_ld(request, place) if place else "{}",
            "filling": self._filling(chosen.lang),
            "case": self.templates["case"].template,
            "style": "".join(f"<style>{text}</style>" for text in styles),
        }
        text = self.templates[name].substitute(values | dict(more or {}))
        if name in BILINGUAL and chosen.lang == "en":
            text = english_first(text)
        headers = self.map_headers if name == "overview" else HEADERS
        if styles:
            headers = headers | {"content-security-policy": policy_with_styles(*styles)}
        answer = compressed(request, pack(text.encode(), "text/html"), headers)
        answer.headers["vary"] = "accept-encoding, accept-language, cookie"
        answer.status_code = status
        return answer

    def _filling(self, lang: str) -> str:
        """A line for pages that show the past, while it is being filled in."""
        text = FILLING.get(lang, FILLING["zh-Hans"])
        return f'<p class="filling" role="status">{text}</p>' if self.filling() else ""

    def _json_ld(self, request: Request, place: PagePlace) -> str:
        base = (self.public_url or str(request.base_url)).rstrip("/")
        return data_block(at(place.json_ld, f"{base}/m/{place.id}"))

    def preferences(
        self, request: Request, place: PagePlace | None, *, wall: bool = False, both: bool = False
    ) -> Preferences:
        """A wall has no reader of its own: its browser's language says nothing about who stands before it."""
        configured = place.language if place else None
        if wall:
            return Preferences(choose(request.query_params.get("lang"), configured, None), "day")
        return preferences(request, configured, both=both)

    def code(self, request: Request, station: str) -> Response:
        """The square code on the wall: the address of the phone page."""
        base = (self.public_url or str(request.base_url)).rstrip("/")
        out = io.BytesIO()
        segno.make(f"{base}/m/{station}", error="m").save(out, kind="svg", border=1, dark="#1d1a14", light="#fff6ea")
        # Without a configured address it holds the one that was asked for: another's cache must not hand it out.
        kept = "max-age=3600" if self.public_url else "no-store"
        return compressed(request, pack(out.getvalue(), "image/svg+xml"), {"cache-control": kept})


def router(
    places: Mapping[str, PagePlace],
    *,
    public_url: str | None = None,
    timezone: str = "Asia/Shanghai",
    tiles_url: str | None = None,
    on_screen: Callable[[str, str], None] = lambda _screen, _station: None,
    walls: Walls | None = None,
    now_ms: Callable[[], int] = wall_clock_ms,
    documents: Documents = lambda _station: None,
    standings: Callable[[], Iterable[Standing]] = tuple,
    rooms: RoomSearch | None = None,
    filling: Callable[[], bool] = lambda: False,
    log_in: Callable[[Request], Mapping[str, str]] = lambda _request: {"ways": "", "told": "", "passkeys": "no"},
) -> Routes:
    """The routes of every page. `places` is read at each request, so the owner may replace its entries.

    `public_url` is what a phone can reach (for the code on the wall); without it the request's own address is used.
    `timezone` is that of the house, for the overview; `tiles_url` is the one outside server that it may ask for images.
    `on_screen(screen, station)` hears of each screen each `PagePlace.check_in_s`, from the page's own script: a page
    that hangs keeps its stream open, so an open stream proves nothing. `documents(station)` is its document as it
    may be shown now, or None; `standings()` is every
    station so; both asked on the loop. `filling`: whether the past is still being filled in. `log_in(request)`: what
    the page for logging in has beside keys.
    """
    walls = walls or Walls()
    pages = Pages(
        places, public_url, timezone, tiles_url, lambda station: walls.token(station, now_ms()), filling, log_in
    )
    routes = Routes(include_in_schema=False)
    _documents(routes, pages)
    _find(routes, pages, FindPage(pages.assets, places, standings), now_ms)
    _phone(routes, pages, Phone(pages.assets, documents, now_ms))
    _files(routes, pages)
    if rooms is not None:
        _rooms(routes, pages, rooms, now_ms)

    @routes.get("/build")
    async def build(
        request: Request,
        screen: ScreenName = "",
        station: str = "",
        wall: Annotated[str, Query(max_length=100)] = "",
    ) -> Response:
        """The build served now and the server's time: with these a page reloads itself and sets its clock.

        A screen that shows the token of its page checks in, and whoever says that he is one gets the next token.
        """
        now = now_ms()
        told: dict[str, object] = {"build": pages.assets.build, "time_ms": now, "filling": filling()}
        if screen and station in places:
            told["wall"] = walls.token(station, now)
            if walls.proves(wall, station, now) and walls.may_check_in(counted(request), station, screen, now):
                on_screen(screen, station)
        return JSONResponse(told, headers={"cache-control": "no-store"})

    return routes


def _documents(routes: Routes, pages: Pages) -> None:
    def of_station(template: str) -> Callable[[Request, str], Response]:
        def page(request: Request, station: str) -> Response:
            place = pages.places.get(station)
            if place is None:
                return pages.render(request, "missing", None, status=404)
            return pages.render(request, template, place)

        return page

    def of_house(template: str) -> Callable[[Request], Response]:
        def page(request: Request) -> Response:
            return pages.render(request, template, None)

        return page

    def log_in(request: Request) -> Response:
        return pages.render(request, "login", None, more=pages.log_in(request))

    routes.get("/")(of_house("overview"))
    routes.get("/login")(log_in)
    routes.get("/discover")(of_house("discover"))
    routes.get("/p/{token}")(of_house("partner"))
    for page in ("", "/devices", "/channels", "/people", "/versions", "/stations/{station}"):
        routes.get(f"/setup{page}")(of_house("setup"))
    routes.get("/screen/{station}")(of_station("screen"))
    routes.get("/stations/{station}")(of_station("station"))


def _phone(routes: Routes, pages: Pages, phone: Phone) -> None:
    @routes.get("/m/{station}")
    async def page(request: Request, station: str) -> Response:
        place = pages.places.get(station)
        if place is None:
            return pages.render(request, "missing", None, status=404)
        told = phone.told(place, pages.preferences(request, place).lang)
        return pages.render(request, "phone", place, more=told.values, styles=told.styles)

    @routes.get("/m/{station}/app.webmanifest")
    def manifest(request: Request, station: str) -> Response:
        place = pages.places.get(station)
        if place is None:
            return Response("no such station\n", 404, media_type="text/plain")
        app = phone.manifest(place, pages.preferences(request, place).lang)
        return compressed(request, pack(app, TYPES[".webmanifest"]), {"cache-control": "no-cache"})


def _find(routes: Routes, pages: Pages, find: FindPage, now_ms: Callable[[], int]) -> None:
    @routes.get("/m")
    async def page(
        request: Request,
        need: Short = "",
        q: Short = "",
        region: Short = "",
        near: Short = "",
        beside: Annotated[str, Query(alias="from", max_length=64)] = "",
        page: Annotated[int, Query(ge=1, le=1000)] = 1,
    ) -> Response:
        lang_asked = request.query_params.get("lang", "")[:16]
        wish = Wish(need, tuple(q.lower().split()), region, point_of(near))
        standings, lang = find.standings(), pages.preferences(request, None).lang
        told = await asyncio.to_thread(
            find.told, FindQuestion(wish, q, beside, page, lang_asked), standings, lang, now_ms()
        )
        return pages.render(request, "find", None, more=told.values, styles=told.styles)

    @routes.get("/m/app.webmanifest")
    def manifest(request: Request) -> Response:
        app = app_of(Speaker(pages.preferences(request, None).lang)("find_title"), "/m", pages.assets.build)
        return compressed(request, pack(app, TYPES[".webmanifest"]), {"cache-control": "no-cache"})


def _rooms(routes: Routes, pages: Pages, search: RoomSearch, now_ms: Callable[[], int]) -> None:
    @routes.get("/rooms")
    async def page(
        request: Request,
        people: Short = "",
        day: Short = "",
        begin: Short = "",
        end: Short = "",
        features: Annotated[list[Short] | None, Query()] = None,
    ) -> Response:
        """A field that can't be read is as if nobody had filled it in."""
        asked, question = room_question(people, day, begin, end, features or [], now_ms(), ZoneInfo(pages.timezone))
        rooms = await search.find(question, MOST_ROOMS)
        told = rooms_told(asked, search.features(), rooms, pages.preferences(request, None).lang)
        return pages.render(request, "rooms", None, more=told)


def _files(routes: Routes, pages: Pages) -> None:
    @routes.get("/static/{build}/{name:path}")
    def static(request: Request, build: str, name: str) -> Response:
        return pages.assets.serve(request, build, name)

    @routes.get("/sw.js")
    def service_worker(request: Request) -> Response:
        """At the root, because a worker rules only the paths below its own."""
        return compressed(request, pages.assets.files["js/sw.js"], {"cache-control": "no-cache"})

    @routes.get("/screen/{station}/code.svg")
    def code(request: Request, station: str) -> Response:
        if station not in pages.places:
            return Response("no such station\n", 404, media_type="text/plain")
        return pages.code(request, station)

    @routes.get("/screen/{station}/plan.svg")
    def plan(request: Request, station: str) -> Response:
        place = pages.places.get(station)
        if place is None or place.plan is None:
            return Response("no plan\n", 404, media_type="text/plain")
        return compressed(
            request,
            pack(place.plan.encode(), "image/svg+xml"),
            {"cache-control": "no-cache", "content-security-policy": "sandbox; default-src 'none'"},
        )
