"""The page /m/{station}: the frame that scripts bring to life, and within it what the server knows at the moment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from api.pages.assets import Assets
from api.pages.first import EMPTY, Voice, holds_s, parts
from api.pages.place import PagePlace
from api.pages.wordlist import Speaker
from api.wire_documents import read
from gateway.model import Millis

Documents = Callable[[str], bytes | None]
TENCENT = "https://apis.map.qq.com/uri/v1/marker"
SHEETS = "tokens+phone+busy"
FRAME = ("lit", "dark", "hatched", "shutter", "free", "occupied", "unknown", "shut", "around")


@dataclass(frozen=True, slots=True)
class FirstState:
    """HTML by the names of the template's places, and the style elements that belong to it."""

    values: Mapping[str, str]
    styles: tuple[str, ...]


class Phone:
    """`documents(station)` is the document that may be shown at `now()`."""

    def __init__(self, assets: Assets, documents: Documents, now: Callable[[], Millis]) -> None:
        self._assets, self._documents, self._now = assets, documents, now
        self._style = assets.sheets(SHEETS)

    def told(self, place: PagePlace, lang: str) -> FirstState:
        style = self._style
        voice = self._voice(place, lang)
        values = {
            "name": escape(voice.say.of(place.name) or place.id),
            "name_second": escape(voice.second.of(place.name)),
            "second": voice.second.lang,
            "address": escape(place.address),
            "ways": ways(place, voice.say),
            "wish": f'<a href="/m/{place.id}/wish">{escape(voice.say("wish_here"))}</a>' if place.gathers else "",
            "beside": escape(urlencode({"from": place.id})),
            "calm": "",
            "busy": escape(voice.say("busy_hours")),
        }
        values |= {key: voice.say(key) for key in FRAME}
        body = self._documents(place.id)
        if body is None:
            nothing = {"first": "", "holds": "0", "ended": "", "calm": " hidden"}
            return FirstState(values | dict(EMPTY) | nothing, (style,))
        document = read(body)
        told, holds = parts(document, voice), holds_s(document, voice.now)
        values |= told | {"first": "first", "holds": str(holds)}
        values["ended"] = escape(voice.say("first_ended", at=voice.at(voice.now)))
        values["calm"] = "" if told["danger"] else " hidden"
        return FirstState(values, (style, f":root{{--holds:{holds}s}}"))

    def manifest(self, place: PagePlace, lang: str) -> bytes:
        """What a phone needs to put the page on its home screen."""
        return app_of(Speaker(lang).of(place.name) or place.id, f"/m/{place.id}", self._assets.build)

    def _voice(self, place: PagePlace, lang: str) -> Voice:
        second = Speaker("zh-Hans" if lang == "en" else "en")
        return Voice(Speaker(lang), second, ZoneInfo(place.timezone), self._now(), place)


def app_of(name: str, start: str, build: str) -> bytes:
    """A web manifest; one drawing serves every size."""
    icon = {"src": f"/static/{build}/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}
    ivory = "#f5efe2"
    app = {
        "name": name, "short_name": name[:12], "id": start, "start_url": start, "scope": "/m", "display": "standalone",
        "background_color": ivory, "theme_color": ivory, "icons": [icon],
    }  # fmt: skip
    return json.dumps(app, ensure_ascii=False).encode()


def ways(place: PagePlace, say: Speaker) -> str:
    """Links to maps, for who has no script: the way there needs none."""
    if place.lat is None or place.lon is None:
        return ""
    name = quote(say.of(place.name) or place.id)
    spot = f"{place.lon},{place.lat}"
    links = (
        (f"https://uri.amap.com/marker?position={spot}&name={name}&coordinate=wgs84&callnative=1", say("amap")),
        (f"{TENCENT}?marker=coord:{place.lat},{place.lon};title:{name}&coord_type=1&referer=yizhan", say("tencent")),
        (f"geo:{place.lat},{place.lon}?q={place.lat},{place.lon}({name})", say("phone_map")),
    )
    return " · ".join(f'<a href="{escape(href)}" rel="noopener noreferrer">{text}</a>' for href, text in links)
