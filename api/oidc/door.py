"""Through a provider and back: the two steps of a log-in, and what is told where it comes to nothing."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from api.context import ApiContext
from api.derived import Derived
from api.key import Key
from api.oidc.asking import CodeRefusedError, LogInRefusedError, ProviderDownError
from api.oidc.issuer import Issuer
from api.oidc.pending import PendingLogIn
from api.oidc.wecom import WecomProvider
from api.people import Identity
from config.schema import LoginProvider, Settings
from config.staff_checks import callback_of
from gateway.model import Millis

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Questions to providers at a time: one that hangs must not take the threads of all other answers."""
Why = Literal["stranger", "refused", "code", "down", "late", "cancelled"]


class Provider(Protocol):
    """Somebody who proves who people are."""

    provider: LoginProvider

    def begin(self, back: str, pending: PendingLogIn, now: Millis, agent: str) -> str: ...

    def finish(self, back: str, pending: PendingLogIn, code: str, now: Millis) -> Identity: ...


class NoLogInError(Exception):
    """Nobody came in. `user`: who the provider says it is, where it says so; the text is for the log."""

    def __init__(self, why: Why, text: str, user: str = "") -> None:
        super().__init__(text)
        self.why, self.user = why, user


@dataclass(frozen=True, slots=True)
class Returned:
    """What a browser brings back from a provider."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str | None = None


class ProviderDoor:
    """The providers of the configuration that runs. Blocking, for worker threads."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._providers: Derived[Mapping[str, Provider]] = Derived(context.running.settings, _providers)
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def get(self, name: str) -> Provider | None:
        """The provider of this id."""
        return self._providers().get(name)

    def all(self) -> Mapping[str, Provider]:
        """By id, in the order of the configuration."""
        return self._providers()

    def begin(self, provider: Provider, base: str, home: str, agent: str) -> tuple[str, str]:
        """Where to send a browser, and the cookie that it takes along. NoLogInError."""
        now = self._context.now()
        pending = PendingLogIn.new(provider.provider.id, home, now)
        back = callback_of(self._base(base), provider.provider.id)
        try:
            with self._place(provider):
                address = provider.begin(back, pending, now, agent)
            return address, pending.sealed(self._context.keyring.sessions)
        except (ProviderDownError, OSError) as error:
            raise NoLogInError("down", str(error)) from error

    def finish(self, provider: Provider, base: str, returned: Returned, cookie: str) -> tuple[Key, str]:
        """Who came in, and the page to go on to. NoLogInError."""
        name, now = provider.provider.id, self._context.now()
        pending = PendingLogIn.opened(self._context.keyring.sessions, cookie, name, returned.state, now)
        if pending is None:
            raise NoLogInError("late", "no log-in waits for this answer")
        if returned.error or not returned.code:
            raise NoLogInError("cancelled", f"the provider says {returned.error[:100] or 'nothing'}")
        if returned.issuer not in (None, provider.provider.issuer):  # RFC 9207
            raise NoLogInError("refused", "the answer is of another issuer")
        identity = self._identity(provider, callback_of(self._base(base), name), pending, returned.code)
        key = self._context.keyring.person(identity)
        if key is None:
            raise NoLogInError("stranger", f"{identity.user[:100]} is nobody under staff", identity.user)
        return key, pending.home

    def _identity(self, provider: Provider, back: str, pending: PendingLogIn, code: str) -> Identity:
        try:
            with self._place(provider):
                return provider.finish(back, pending, code, self._context.now())
        except ProviderDownError as error:
            raise NoLogInError("down", str(error)) from error
        except CodeRefusedError as error:
            raise NoLogInError("code", str(error)) from error
        except LogInRefusedError as error:
            raise NoLogInError("refused", str(error)) from error

    def _place(self, provider: Provider) -> "_Place":
        return _Place(self._places, provider.provider.id)

    def _base(self, asked: str) -> str:
        return self._context.settings.api.public_url or asked


class _Place:
    """One of few: ProviderDownError where none is free."""

    def __init__(self, places: threading.BoundedSemaphore, name: str) -> None:
        self._places, self._name = places, name

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise ProviderDownError(f"{self._name}: too many log-ins wait for their provider")

    def __exit__(self, *_: object) -> None:
        self._places.release()


def _providers(settings: Settings) -> Mapping[str, Provider]:
    return {
        provider.id: WecomProvider(provider) if provider.kind == "wecom" else Issuer(provider)
        for provider in settings.oidc
    }
