"""Which of our three languages a reader gets: asked for, else configured, else the browser's, else Chinese."""

LANGUAGES = ("zh-Hans", "zh-Hant", "en")
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


def known(tag: str) -> str | None:
    """`zh-TW` → zh-Hant, `zh`, `zh-CN` → zh-Hans, `en-GB` → en, anything else → None."""
    tag = tag.strip().lower()
    if tag.startswith(_TRADITIONAL):
        return "zh-Hant"
    if tag.startswith("zh"):
        return "zh-Hans"
    return "en" if tag.startswith("en") else None


def choose(asked: str | None, configured: str | None, accepted: str | None) -> str:
    """The first that we speak. `accepted` is an Accept-Language header, best first as browsers send it."""
    wishes = [asked or "", configured or "", *(part.partition(";")[0] for part in (accepted or "").split(","))]
    return next((found for wish in wishes if (found := known(wish))), "zh-Hans")
