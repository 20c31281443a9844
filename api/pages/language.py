"""Which of our three languages a reader gets: asked for, else configured, else the browser's, else Chinese."""

import re
from collections.abc import Mapping

LANGUAGES = ("zh-Hans", "zh-Hant", "en")
CONFIGURED = {"zh-Hans": "zh", "zh-Hant": "zh-hant", "en": "en"}
"""How the configuration and the alerts call our languages."""
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


_NEAREST = {"en": ("en", "zh"), "zh-Hant": ("zh-hant", "zh-Hant", "zh", "en")}


def name_in(lang: str, names: Mapping[str, str]) -> str:
    """The configured name in one of our languages, or what comes nearest; "" where there is none of these."""
    return next((names[key] for key in _NEAREST.get(lang, ("zh", "zh-Hans", "en")) if names.get(key)), "")


def known(tag: str) -> str | None:
    """`zh-TW` → zh-Hant, `zh`, `zh-CN` → zh-Hans, `en-GB` → en, anything else → None."""
    tag = tag.strip().lower()
    if tag.startswith(_TRADITIONAL):
        return "zh-Hant"
    if tag.startswith("zh"):
        return "zh-Hans"
    return "en" if tag.startswith("en") else None


def _wishes(accepted: str) -> list[str]:
    """The tags of an Accept-Language header, the most wished for first; those of weight 0 are not wanted (RFC 9110)."""
    weighed = []
    for part in accepted.split(","):
        tag, _, parameter = part.partition(";")
        name, _, weight = parameter.partition("=")
        try:
            quality = float(weight) if name.strip().lower() == "q" else 1.0
        except ValueError:
            quality = 0.0
        weighed.append((quality, tag))
    return [tag for quality, tag in sorted(weighed, key=lambda wish: -wish[0]) if quality > 0]


def choose(asked: str | None, configured: str | None, accepted: str | None) -> str:
    """The first that we speak. `accepted` is an Accept-Language header."""
    wishes = [asked or "", configured or "", *_wishes(accepted or "")]
    return next((language for wish in wishes if (language := known(wish))), "zh-Hans")


_PAIR = re.compile(r'>([^<>]*[\u3000-\u9fff][^<>]*?)\s*<span lang="en">([^<>]+)</span>')


def english_first(text: str) -> str:
    """A page that says all in both languages, Chinese before English, the other way round."""
    return _PAIR.sub(r'>\2 <span lang="zh-Hans">\1</span>', text)
