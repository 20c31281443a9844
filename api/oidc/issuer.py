"""A provider of OpenID Connect: discovery, the authorization code flow with PKCE, and its keys, which may change."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from api.oidc.asking import CodeRefusedError, LogInRefusedError, ProviderDownError, ask, secret_of
from api.oidc.pending import PendingLogIn
from api.oidc.tokens import Expected, claims_of, key_named
from api.people import Identity
from config.schema import LoginProvider
from gateway.model import Millis

KNOWN_MS: Final = 3_600_000  # so long what it tells of itself holds
ANEW_MS: Final = 30_000  # so often at most its keys are asked for because of a key that we do not know
MOST_KEYS: Final = 50
MOST_GROUPS: Final = 500
LONGEST: Final = 200  # characters of a name or group
WELL_KNOWN: Final = "/.well-known/openid-configuration"


class Issuer:
    """One provider as it is configured. Any thread."""

    def __init__(self, provider: LoginProvider) -> None:
        self.provider, self._lock = provider, threading.Lock()
        self._told: dict[str, Any] = {}
        self._told_at: Millis = 0
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._keys_at: Millis | None = None
        self.date_told: str | None = None  # by its own clock, at the last question

    def begin(self, back: str, pending: PendingLogIn, now: Millis, _agent: str) -> str:
        """Where to send somebody who wants to log in. ProviderDownError."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
        address = self.discovered(now)["authorization_endpoint"]
        query = {
            "response_type": "code", "client_id": self.provider.client_id or "", "redirect_uri": back,
            "scope": " ".join(dict.fromkeys(("openid", *self.provider.scopes))), "state": pending.state,
            "nonce": pending.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def finish(self, back: str, pending: PendingLogIn, code: str, now: Millis) -> Identity:
        """Who the code is. ProviderDownError, LogInRefusedError."""
        told = self._token(back, pending, code, now)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise LogInRefusedError("the provider gave no ID token; is openid among its scopes?")
        expected = Expected(self.provider.issuer or "", self.provider.client_id or "", pending.nonce, now)
        claims = claims_of(token, self._key(token, now), expected)
        if not {self.provider.claim, self.provider.groups_claim} <= claims.keys():
            try:
                claims = {**self._userinfo(told.get("access_token"), claims["sub"], now), **claims}
            except ProviderDownError:
                if self.provider.claim not in claims:
                    raise
        return identity_of(claims, self.provider)

    def discovered(self, now: Millis) -> Mapping[str, Any]:
        """What the provider tells of itself, an hour at most ago. ProviderDownError."""
        with self._lock:
            if self._told and 0 <= now - self._told_at < KNOWN_MS:
                return self._told
        issuer = self.provider.issuer or ""
        answer = ask(self.provider, issuer.rstrip("/") + WELL_KNOWN, now)
        told = answer.json()
        if answer.status != 200 or not told:
            raise ProviderDownError(f"{self.provider.id}: no discovery document at {answer.host} ({answer.status})")
        if told.get("issuer") != issuer:
            named = str(told.get("issuer"))[:LONGEST]
            raise ProviderDownError(f"{self.provider.id}: it calls itself {named}; write that as oidc issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(told.get(name), str) or not told[name].startswith(("https://", "http://")):
                raise ProviderDownError(f"{self.provider.id}: its discovery document has no {name}")
        with self._lock:
            self._told, self._told_at = told, now
        return told

    def keys(self, now: Millis) -> Sequence[Mapping[str, Any]]:
        """Its present keys, asked for anew. ProviderDownError."""
        answer = ask(self.provider, self.discovered(now)["jwks_uri"], now)
        keys, self.date_told = answer.json().get("keys"), answer.date
        if not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise ProviderDownError(f"{self.provider.id}: it tells no keys")
        with self._lock:
            self._keys, self._keys_at = [key for key in keys if isinstance(key, dict)], now
            return self._keys

    def _key(self, token: str, now: Millis) -> Mapping[str, Any]:
        with self._lock:
            keys, age = self._keys, None if self._keys_at is None else now - self._keys_at
        if age is None or not 0 <= age < KNOWN_MS:
            keys, age = self.keys(now), 0
        key = key_named(token, keys)
        if key is None and age >= ANEW_MS:  # it may have changed its keys since
            key = key_named(token, self.keys(now))
        if key is None:
            raise LogInRefusedError("the token is signed by a key that the provider does not tell")
        return key

    def _token(self, back: str, pending: PendingLogIn, code: str, now: Millis) -> dict[str, Any]:
        about, secret = self.discovered(now), secret_of(self.provider)
        client = self.provider.client_id or ""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": pending.verifier,
        }  # fmt: skip
        headers: dict[str, str] = {}
        if secret is None:
            form["client_id"] = client
        elif "client_secret_basic" in about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": client, "client_secret": secret}
        answer = ask(self.provider, about["token_endpoint"], now, form, headers)
        told = answer.json()
        if answer.status != 200:
            why = str(told.get("error", answer.status))[:LONGEST]
            if answer.status == 401 or why == "invalid_client":
                raise ProviderDownError(
                    f"{self.provider.id}: it does not know us ({why}); look at client_id, secret_file"
                )
            raise CodeRefusedError(f"the provider does not take the code ({why})")
        return told

    def _userinfo(self, access_token: object, subject: str, now: Millis) -> dict[str, Any]:
        """What stands there alone, of the same person; nothing where there is none."""
        address = self.discovered(now).get("userinfo_endpoint")
        if not isinstance(address, str) or not isinstance(access_token, str) or not access_token.isascii():
            return {}
        answer = ask(self.provider, address, now, headers={"Authorization": f"Bearer {access_token}"})
        told = answer.json() if answer.status == 200 else {}
        named = told.get("sub")
        same = isinstance(named, str) and hmac.compare_digest(named.encode(), subject.encode())
        return told if same else {}


def identity_of(claims: Mapping[str, Any], provider: LoginProvider) -> Identity:
    """Who the claims name. LogInRefusedError where the wanted one is not there, or is an unverified address."""
    user, groups = claims.get(provider.claim), claims.get(provider.groups_claim, ())
    if not isinstance(user, str) or not user or len(user) > LONGEST:
        raise LogInRefusedError(f"the provider tells no {provider.claim}; look at oidc claim and scopes")
    if provider.claim == "email" and claims.get("email_verified") is not True:
        raise LogInRefusedError("the provider has not verified this mail address")
    listed = groups if isinstance(groups, list | tuple) else (groups,)
    names = tuple(name for name in listed if isinstance(name, str) and name)[:MOST_GROUPS]
    return Identity(provider.id, user, names)
