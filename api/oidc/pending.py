"""A log-in that is under way at a provider: what has to come back, in a signed cookie of ten minutes.

So no process keeps anything, and any of them that shares the store may finish it.
"""

import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Final, Self

from api.sealing import seal, unseal
from api.sessions import Sessions
from gateway.model import Millis

COOKIE: Final = "yizhan_login"
LIFE_S: Final = 600


@dataclass(frozen=True, slots=True)
class PendingLogIn:
    """A log-in that has begun. `home`: the page to go on to."""

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
