"""Whether an ID token is one: signature, issuer, audience, times and nonce (OpenID Connect Core 1.0, 3.1.3.7).

joserfc checks the signature; it is an extra, so it is imported where it is needed.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from api.oidc.asking import LogInRefusedError
from gateway.model import Millis

ALGORITHMS: Final = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""With a pair of keys only: with a shared one (HS256) whoever knows our secret could be anybody; `none` is no proof."""
LEEWAY_S: Final = 60
LONGEST_BYTES: Final = 16_384
RSA_LEAST_BITS: Final = 2048
MEND: Final = "log-in by a provider needs joserfc: pip install 'yizhan[people]'"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say."""

    issuer: str
    client_id: str
    nonce: str
    now: Millis


def key_named(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The key that may have signed the token; None where the set has none: it may have changed. LogInRefusedError."""
    header = _header(token)
    kind, name = ALGORITHMS[header["alg"]], header.get("kid")
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind and key.get("use", "sig") == "sig" and key.get("alg", header["alg"]) == header["alg"]
    ]
    if name is not None:
        return next((key for key in fitting if key.get("kid") == name), None)
    return fitting[0] if len(fitting) == 1 else None


def claims_of(token: str, key: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    """What a good token says. LogInRefusedError names the first thing that is wrong."""
    payload = _signed(token, key, _header(token)["alg"])
    try:
        claims = msgspec.json.decode(payload)  # no NaN, no half of a character
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise LogInRefusedError("the token's claims are no JSON") from None
    if not isinstance(claims, dict):
        raise LogInRefusedError("the token's claims are no JSON object")
    _check(claims, expected)
    return claims


def _header(token: str) -> dict[str, Any]:
    if len(token) > LONGEST_BYTES or token.count(".") != 2 or not token.isascii():
        raise LogInRefusedError("the token is no signed JWT")
    try:
        header = msgspec.json.decode(_decoded(token.partition(".")[0]))
    except (msgspec.MsgspecError, ValueError, RecursionError, binascii.Error):
        raise LogInRefusedError("the token's header can't be read") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise LogInRefusedError("the token is signed by an algorithm that is not taken")
    if "crit" in header:
        raise LogInRefusedError("the token asks for an extension that we do not know")
    return header


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signed(token: str, key: Mapping[str, Any], algorithm: str) -> bytes:
    try:
        from joserfc import jws
        from joserfc.errors import JoseError
        from joserfc.jwk import import_key
    except ImportError:
        raise LogInRefusedError(MEND) from None
    try:
        if key["kty"] == "RSA" and len(_decoded(key["n"]).lstrip(b"\0")) * 8 < RSA_LEAST_BITS:
            raise LogInRefusedError(f"the provider's key has fewer than {RSA_LEAST_BITS} bits")
        return bytes(jws.deserialize_compact(token, import_key(dict(key)), algorithms=[algorithm]).payload)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise LogInRefusedError("the token's signature is wrong") from None


def _check(claims: Mapping[str, Any], expected: Expected) -> None:
    audience, now_s = claims.get("aud"), expected.now / 1000
    audiences = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != expected.issuer:
        raise LogInRefusedError("the token is of another issuer")
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise LogInRefusedError("the token is for another client")
    authorized = claims.get("azp")
    if (authorized is None and len(audiences) > 1) or authorized not in (None, expected.client_id):
        raise LogInRefusedError("the token was given to another client")
    if _seconds(claims, "exp") <= now_s - LEEWAY_S:
        raise LogInRefusedError("the token is over; do both clocks go right?")
    if _seconds(claims, "iat") > now_s + LEEWAY_S or _seconds(claims, "nbf", 0) > now_s + LEEWAY_S:
        raise LogInRefusedError("the token is of the future; do both clocks go right?")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise LogInRefusedError("the token answers another log-in")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise LogInRefusedError("the token names nobody")


def _seconds(claims: Mapping[str, Any], name: str, otherwise: float | None = None) -> float:
    value = claims.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LogInRefusedError(f"the token has no time {name}")
    return value
