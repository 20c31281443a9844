"""What /login says beside keys: a button for each provider, why a log-in by one came to nothing, passkeys."""

from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import quote

from starlette.requests import Request

from api.oidc.door import NoLogInError, ProviderDoor
from api.pages import after_login
from api.sealing import seal, unseal
from api.sessions import Sessions

PURPOSE: Final = "told"
WORDS: Final[dict[str, tuple[str, str]]] = {
    "stranger": (
        "{provider}说您是 {user}，这里没有登记。请管理员把它写进配置的 staff。",
        "{provider} says that you are {user}, whom nobody has entered here. Ask the administrator to add it to staff.",
    ),
    "refused": (
        "没有登录：{provider}的答复不可信。原因在日志里。",
        "Not logged in: the answer of {provider} can't be believed. The log says why.",
    ),
    "code": (
        "没有登录：{provider}不认这次登录，请重试。",
        "Not logged in: {provider} does not know of this log-in. Try again.",
    ),
    "down": (
        "{provider}现在没有回答。请稍后再试，或用密钥登录。",
        "{provider} does not answer at the moment. Try again later, or log in with a key.",
    ),
    "late": (
        "没有登录：用时太久，或换了浏览器。请重试。",
        "Not logged in: it took too long, or was another browser. Try again.",
    ),
    "cancelled": ("没有登录：您在{provider}那里取消了。", "Not logged in: it was cancelled at {provider}."),
}  # fmt: skip


def told_of(sessions: Sessions, provider: str, error: NoLogInError) -> str:
    """The query of /login that has it say so: signed, since it holds words of others."""
    try:
        sealed = seal(sessions, PURPOSE, {"why": error.why, "provider": provider, "user": error.user[:200]})
    except OSError:
        return ""
    return f"?told={quote(sealed)}"


class LogInPage:
    """What the template of /login has places for. `passkeys(request)`: whether anybody may come in by one here."""

    def __init__(self, door: ProviderDoor, sessions: Sessions, passkeys: Callable[[Request], bool]) -> None:
        self._door, self._sessions, self._passkeys = door, sessions, passkeys

    def __call__(self, request: Request) -> dict[str, str]:
        return {
            "ways": self._ways(request), "told": self._told(request.query_params.get("told", "")),
            "passkeys": "yes" if self._passkeys(request) else "no",
        }  # fmt: skip

    def _ways(self, request: Request) -> str:
        home = after_login(request.query_params.get("next"))
        query = "" if home == "/" else f"?next={quote(home, safe='')}"
        links = "".join(
            f'<a class="btn way" href="/login/{escape(name)}{query}">{escape(way.provider.name)}</a>'
            for name, way in self._door.all().items()
        )
        return f'<nav class="log-in-ways">{links}</nav>' if links else ""

    def _told(self, sealed: str) -> str:
        told = unseal(self._sessions, PURPOSE, sealed) if sealed else None
        if told is None or told.get("why") not in WORDS:
            return ""
        known = self._door.get(str(told["provider"]))
        values = {"provider": known.provider.name if known else told["provider"], "user": told["user"]}
        chinese, english = (escape(text.format(**values)) for text in WORDS[told["why"]])
        return f'<p class="told result bad" role="alert">{chinese} <span lang="en">{english}</span></p>'
