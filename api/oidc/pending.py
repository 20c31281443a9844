"""A log-in that is under way at a provider: what has to come back, in a signed cookie of ten minutes.

So no process keeps anything, and any of them that shares the store may finish it.
"""

import base64
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from api.sessions import Sessions
from gateway.model import Millis

COOKIE: Final = "yizhan_login"
LIFE_S: Final = 600
LONGEST: Final = 3_000


@dataclass(frozen=True, slots=True)
class PendingLogIn:
    """`home`: the page to go on to."""

    provider: str
    state: str
    nonce: str
    verifier: str
    home: str
    until: Millis

    @classmethod
    def new(cls, provider: str, home: str, now: Millis) -> Self:
        # 企业微信 takes letters and digits alone as state
        return cls(
            provider, secrets.token_hex(16), secrets.token_urlsafe(24), secrets.token_urlsafe(48), home,
            now + LIFE_S * 1000,
        )  # fmt: skip

    def sealed(self, sessions: Sessions) -> str:
        """The cookie's value. OSError where there is no key to sign with."""
        return seal(sessions, "login", asdict(self))

    @classmethod
    def opened(cls, sessions: Sessions, cookie: str, provider: str, state: str, now: Millis) -> Self | None:
        """That of this cookie, if it is ours, of this provider, waits for this state, and is not over."""
        told = unseal(sessions, "login", cookie)
        if told is None:
            return None
        pending = cls(**told)
        same = hmac.compare_digest(pending.state.encode(), state.encode("utf-8", "replace"))
        return pending if same and pending.provider == provider and pending.until > now else None


def seal(sessions: Sessions, purpose: str, told: dict[str, Any]) -> str:
    """A text that only we can have made. OSError where there is no key to sign with."""
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    return f"{text}.{sessions.signature(purpose, text)}"


def unseal(sessions: Sessions, purpose: str, sealed: str) -> dict[str, Any] | None:
    """What was sealed for this purpose; None for anything else."""
    text, _, signature = sealed.partition(".")
    if len(sealed) > LONGEST or not sealed.isascii():
        return None
    try:
        right = hmac.compare_digest(sessions.signature(purpose, text).encode(), signature.encode())
    except OSError:
        return None
    told = json.loads(base64.urlsafe_b64decode(text)) if right else None
    return told if isinstance(told, dict) else None
