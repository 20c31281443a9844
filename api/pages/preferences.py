"""What a reader chose for all pages: language and light. Two cookies, set by two links that stand on every page.

The links are queries on the page itself (`?say=en`, `?look=night`): they work without script, lead back to where one
was, and put the address of a page, which may hold a token, into no other address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request

from api.pages.language import LANGUAGES, choose, english_first

LANG: Final = "yizhan_lang"
LOOK: Final = "yizhan_look"
LOOKS: Final = ("auto", "day", "night")
KEPT_S: Final = 365 * 86_400
FIELDS: Final = 100
_NAMES: Final = {"zh-Hans": "简体", "zh-Hant": "繁體", "en": "English"}
_NIGHT: Final = {"zh-Hans": "夜间", "zh-Hant": "夜間", "en": "Dark"}
_DAY: Final = {"zh-Hans": "日间", "zh-Hant": "日間", "en": "Light"}
_TITLE: Final = {"zh-Hans": "语言与明暗", "zh-Hant": "語言與明暗", "en": "Language and light"}
_BOTH: Final = ("lang", "theme", "say", "look")


@dataclass(frozen=True, slots=True)
class Preferences:
    """`look` is day, night, or auto: as the device likes it."""

    lang: str
    look: str


def preferences(request: Request, configured: str | None = None, *, both: bool = False) -> Preferences:
    """What the address asks for, else what was chosen, else what is configured or the browser says. A page in `both`
    languages begins with Chinese, whatever the browser says."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG)
    lang = choose(asked, configured, None if both else request.headers.get("accept-language"))
    look = request.query_params.get("theme") or request.cookies.get(LOOK) or "auto"
    return Preferences(lang, look if look in LOOKS else "auto")


def switches(request: Request, chosen: Preferences) -> str:
    """The one piece for every page: the other languages, and the other light."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in _BOTH]

    def link(name: str, value: str, text: str, more: str = "") -> str:
        query = escape(urlencode([*kept, (name, value)]))
        return f'<a href="?{query}" rel="nofollow" data-set="{value}"{more}>{text}</a>'

    others = (lang for lang in LANGUAGES if lang != chosen.lang)
    links = [link("say", lang, _NAMES[lang], f' lang="{lang}" hreflang="{lang}"') for lang in others]
    links.append(link("look", "night", _NIGHT[chosen.lang], ' class="to-night"'))
    links.append(link("look", "day", _DAY[chosen.lang], ' class="to-day"'))
    return f'<nav class="prefs" aria-label="{_TITLE[chosen.lang]}">{"".join(links)}</nav>'


def dressed(request: Request, text: str) -> str:
    """A page that somebody else wrote, with the switches on top, in the chosen light; one in both languages begins with
    English for who chose it."""
    both = 'lang="zh-Hans"' in text.partition("<head>")[0]
    chosen = preferences(request, both=both)
    text = text.replace("<html ", f'<html data-theme="{chosen.look}" data-look="{chosen.look}" ', 1)
    text = text.replace("<body>", f"<body>\n{switches(request, chosen)}", 1)
    head, body, rest = text.partition("<head>")
    if both and chosen.lang == "en":
        return english_first(head.replace('lang="zh-Hans"', 'lang="en"') + body + rest)
    return text


def choice(path: str, query: str, secure: bool) -> Sequence[tuple[bytes, bytes]] | None:
    """The headers of the answer to such a link: what to keep, and the way back. None: it is another request."""
    if "say=" not in query and "look=" not in query:
        return None
    fields = parse_qsl(query, keep_blank_values=True) if query.count("&") < FIELDS else []
    chosen = [(LANG, value) for name, value in fields if name == "say" and value in LANGUAGES]
    chosen += [(LOOK, value) for name, value in fields if name == "look" and value in LOOKS]
    if not chosen:
        return None
    rest = urlencode([(name, value) for name, value in fields if name not in _BOTH])
    # One slash in front: two would be another host.
    target = "/" + quote(path.lstrip("/")) + (f"?{rest}" if rest else "")
    kept = f"; Path=/; Max-Age={KEPT_S}; SameSite=Lax" + ("; Secure" if secure else "")
    return [
        (b"location", target.encode("latin-1")),
        (b"cache-control", b"no-store"),
        (b"content-length", b"0"),
        *((b"set-cookie", f"{name}={value}{kept}".encode()) for name, value in chosen),
    ]
