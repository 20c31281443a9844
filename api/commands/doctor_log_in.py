"""The lines of `yizhan doctor` about the providers that people log in by."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from api.oidc.issuer import Issuer
    from config.schema import LoginProvider, Settings

CLOCK_OFF_S = 30
"""From where on it is told: a token is believed within a minute."""


def log_ins(settings: "Settings") -> Iterator[DoctorFinding]:
    """Whether each answers and what to register there; nothing without any."""
    from config.staff_checks import callback_of, is_safe_origin

    base = settings.api.public_url or ""
    for provider in settings.oidc:
        yield from _one(provider, callback_of(base, provider.id))
    if settings.oidc and not is_safe_origin(base):
        yield DoctorFinding(
            "warn", "log-in", f"{base} is not https: whoever is on the way reads the session; docs/tls.md"
        )


def _one(provider: "LoginProvider", back: str) -> Iterator[DoctorFinding]:
    from importlib.util import find_spec

    from api.oidc.asking import ProviderDownError
    from api.oidc.issuer import Issuer
    from api.oidc.tokens import MEND
    from api.oidc.wecom import WecomProvider
    from gateway.base.clock import now_ms
    from gateway.notify.base import SendError

    name = provider.id
    try:
        if provider.kind == "wecom":
            WecomProvider(provider).try_out(now_ms())
            yield DoctorFinding("ok", "log-in", f"{name} gives us an access token; its 可信域名 must be that of {back}")
            return
        if find_spec("joserfc") is None:
            yield DoctorFinding("fail", "log-in", MEND)
            return
        issuer, now = Issuer(provider), now_ms()
        keys = len(issuer.keys(now))
        yield DoctorFinding("ok", "log-in", f"{name} answers, with {keys} keys; register {back} there")
        yield from _clock(issuer, name)
    except (ProviderDownError, SendError) as error:
        mend = "people log in with keys meanwhile; look at oidc"
        yield DoctorFinding("fail", "log-in", f"{_with_name(str(error), name)}; {mend}")


def _with_name(text: str, name: str) -> str:
    return text if text.startswith(name) else f"{name}: {text}"


def _clock(issuer: "Issuer", name: str) -> Iterator[DoctorFinding]:
    """How far its clock is from ours, by the date of its answer."""
    from gateway.base.clock import now_ms

    date = issuer.date_told
    try:
        off_s = parsedate_to_datetime(date or "").timestamp() - now_ms() / 1000
    except (TypeError, ValueError):
        return
    if abs(off_s) >= CLOCK_OFF_S:
        what = f"{name}: its clock and ours are {abs(off_s):.0f} s apart: tokens are believed within a minute"
        yield DoctorFinding("warn", "log-in", what)
