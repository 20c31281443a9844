"""Questions to a provider: bounded in time and size, never redirected, and only to whom the configuration allows."""

from urllib.parse import urlencode

from config.files import UnusableFileError, read_secret
from config.schema import LoginProvider
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Answer, Target, exchange


class ProviderDownError(Exception):
    """The provider gives no answer that one can go on with; the text says why, in one line."""


class LogInRefusedError(Exception):
    """What came is not believed; the text says why, in one line without secrets."""


class CodeRefusedError(LogInRefusedError):
    """The provider does not take the code: anybody can bring one that is made up."""


def ask(
    provider: LoginProvider,
    url: str,
    now: Millis,
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """GET, or POST of a form. The answer is not judged, but for a server that is in trouble. ProviderDownError."""
    if url.startswith("http://") and not provider.allow_private:
        raise ProviderDownError(f"{provider.id}: it names an address without https")
    ca_file = None if provider.ca_file is None else str(provider.ca_file)
    target = Target(url, provider.timeout_s, provider.allow_private, ca_file)
    body, extra = (None, {}) if form is None else (urlencode(form).encode(), FORM)
    try:
        answer = exchange(target, "GET" if form is None else "POST", body, now, {**ACCEPT, **extra, **(headers or {})})
    except SendError as error:
        raise ProviderDownError(f"{provider.id}: {error}") from error
    if answer.status >= 500 or answer.status == 429:
        raise ProviderDownError(f"{provider.id}: {answer.host} answers {answer.status}")
    return answer


ACCEPT = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def secret_of(provider: LoginProvider) -> str | None:
    """Ours at the provider, read when it is used. ProviderDownError where its file can't be."""
    if provider.secret_file is None:
        return None
    try:
        return read_secret(provider.secret_file, f"oidc.{provider.id}.secret_file")
    except UnusableFileError as error:
        raise ProviderDownError(str(error)) from error
