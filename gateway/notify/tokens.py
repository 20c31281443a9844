"""Access tokens that a provider lends for two hours: asked for once, kept in memory, renewed before they end.

And once more where the provider says that one is no longer good.
"""

import threading
from collections.abc import Callable
from typing import Final

from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Answer

EARLY_MS: Final = 300_000
"""A token is renewed so long before its end: ours and the provider's clocks differ."""
STALE: Final = frozenset({40001, 40014, 42001})
"""Error codes of both WeChat and WeCom: the token is wrong, or has expired."""
LIFE_S: Final = 7_200


class AccessToken:
    """`fetch(now, anew)` asks for one; `anew`: the one before is no good any more. One sender's, any thread."""

    def __init__(self, provider: str, fetch: Callable[[Millis, bool], Answer]) -> None:
        self._provider, self._fetch, self._lock = provider, fetch, threading.Lock()
        self._token, self._until = "", 0

    def call(self, now: Millis, ask: Callable[[str], Answer]) -> Answer:
        """What `ask(token)` answers, asked once more with another token where the first was no good. SendError."""
        token = self._get(now)
        answer = ask(token)
        if answer.json().get("errcode") not in STALE:
            return answer
        return ask(self._get(now, instead_of=token))

    def _get(self, now: Millis, instead_of: str = "") -> str:
        with self._lock:
            if self._token and self._token != instead_of and now < self._until:
                return self._token
            self._take(self._fetch(now, bool(instead_of)), now)
            return self._token

    def _take(self, answer: Answer, now: Millis) -> None:
        body = answer.json()
        token, life_s = body.get("access_token"), body.get("expires_in", LIFE_S)
        if not isinstance(token, str) or not token or not token.isascii() or len(token) > 4096:
            self._token = ""
            answer.check()
            text = f"{self._provider}: no access token: errcode {body.get('errcode')}: {body.get('errmsg')}"
            raise SendError(text, retry_after_s=answer.retry_after_s)
        life_ms = life_s * 1000 if isinstance(life_s, int) and 0 < life_s <= 86_400 else LIFE_S * 1000
        self._token, self._until = token, now + max(0, life_ms - EARLY_MS)
