"""Which ID tokens are believed: the right ones, and none of those that are wrong in one thing."""

import base64
import json
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from api.oidc.asking import LogInRefusedError
from api.oidc.issuer import identity_of
from api.oidc.tokens import LEEWAY_S, Expected, claims_of, key_named
from config.schema import LoginProvider
from tests.api.conftest import NOON

NOW_S = NOON // 1000
ISSUER = "https://id.example.org"
EXPECTED = Expected(ISSUER, "yizhan", "n-1", NOON)
GOOD: dict[str, Any] = {
    "iss": ISSUER, "aud": "yizhan", "sub": "u-1", "exp": NOW_S + 300, "iat": NOW_S, "nonce": "n-1",
}  # fmt: skip
EC = ECKey.generate_key("P-256", {"kid": "ec"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
TOLD = [key.as_dict(private=False) for key in (EC, RSA, ED)]


def signed(claims: dict[str, Any], key: Any = EC, algorithm: str = "ES256", **header: Any) -> str:
    kept = {name: value for name, value in claims.items() if value is not None}
    protected = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **header}
    return jws.serialize_compact(protected, json.dumps(kept).encode(), key, algorithms=[algorithm])


def believed(token: str) -> dict[str, Any]:
    key = key_named(token, TOLD)
    assert key is not None
    return claims_of(token, key, EXPECTED)


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (ED, "Ed25519")])
def test_a_right_token_is_believed_by_whatever_pair_of_keys(key: Any, algorithm: str) -> None:
    assert believed(signed(GOOD, key, algorithm))["sub"] == "u-1"


@pytest.mark.parametrize(
    "right",
    [
        {"aud": ["yizhan"]}, {"aud": ["other", "yizhan"], "azp": "yizhan"}, {"azp": "yizhan"},
        {"exp": NOW_S - LEEWAY_S + 1}, {"iat": NOW_S + LEEWAY_S}, {"nbf": NOW_S + LEEWAY_S}, {"exp": NOW_S + 0.5},
    ],
)  # fmt: skip
def test_a_token_may_say_it_otherwise_and_clocks_may_differ_by_a_minute(right: dict[str, Any]) -> None:
    assert believed(signed(GOOD | right))["sub"] == "u-1"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer"), ({"iss": ISSUER + "/"}, "another issuer"),
        ({"iss": None}, "another issuer"), ({"aud": "other"}, "another client"), ({"aud": None}, "another client"),
        ({"aud": {"yizhan": 1}}, "another client"), ({"aud": []}, "another client"),
        ({"aud": ["yizhan", "other"]}, "given to another"), ({"azp": "other"}, "given to another"),
        ({"exp": NOW_S - LEEWAY_S}, "is over"), ({"exp": None}, "no time exp"), ({"exp": "9999999999"}, "no time exp"),
        ({"exp": True}, "no time exp"), ({"exp": float("nan")}, "no JSON"), ({"exp": float("inf")}, "no JSON"),
        ({"nonce": "\ud800"}, "no JSON"), ({"sub": "\udfff"}, "no JSON"),
        ({"iat": NOW_S + LEEWAY_S + 1}, "of the future"), ({"iat": None}, "no time iat"),
        ({"nbf": NOW_S + LEEWAY_S + 1}, "of the future"), ({"nonce": "n-2"}, "another log-in"),
        ({"nonce": None}, "another log-in"), ({"nonce": 1}, "another log-in"), ({"sub": None}, "names nobody"),
        ({"sub": ""}, "names nobody"), ({"sub": 7}, "names nobody"),
    ],
)  # fmt: skip
def test_a_token_that_is_wrong_in_one_thing_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(LogInRefusedError, match=why):
        believed(signed(GOOD | wrong))


def test_the_signature_has_to_be_that_of_the_named_key() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "ec"})
    with pytest.raises(LogInRefusedError, match="signature is wrong"):
        believed(signed(GOOD, stranger))
    header, _, signature = signed(GOOD).split(".")
    body = base64.urlsafe_b64encode(json.dumps(GOOD | {"sub": "boss"}).encode()).rstrip(b"=").decode()
    with pytest.raises(LogInRefusedError, match="signature is wrong"):
        believed(f"{header}.{body}.{signature}")
    with pytest.raises(LogInRefusedError, match="signature is wrong"):
        believed(f"{header}.{body}.")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "ES256K", "", 5])
def test_only_algorithms_with_a_pair_of_keys_are_taken(algorithm: Any) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "ec"}).encode()).rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps(GOOD).encode()).rstrip(b"=").decode()
    with pytest.raises(LogInRefusedError, match="algorithm that is not taken"):
        key_named(f"{header}.{body}.", TOLD)


def test_our_secret_or_a_public_key_as_a_secret_signs_nothing() -> None:
    secret = OctKey.import_key(json.dumps(TOLD[0]), {"kid": "ec"})
    with pytest.raises(LogInRefusedError, match="algorithm that is not taken"):
        believed(jwt.encode({"alg": "HS256", "kid": "ec"}, GOOD, secret, algorithms=["HS256"]))


def test_a_key_is_named_by_its_id_its_kind_and_its_use() -> None:
    told = signed(GOOD)
    assert key_named(told, TOLD) == TOLD[0]
    assert key_named(told, TOLD[1:]) is None
    assert key_named(told, [TOLD[0] | {"use": "enc"}]) is None
    assert key_named(told, [TOLD[0] | {"alg": "ES384"}]) is None
    assert key_named(told, [{"kty": "RSA", "kid": "ec"}]) is None
    nameless = jwt.encode({"alg": "ES256"}, GOOD, EC, algorithms=["ES256"])
    assert key_named(nameless, TOLD) == TOLD[0]
    assert key_named(nameless, [TOLD[0], TOLD[0]]) is None, "which of the two nobody can say"


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é.b.c", "e30.e30.e30", "x" * 20_000 + "..", "W10.e30.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(LogInRefusedError):
        key_named(token, TOLD)


def test_an_extension_that_we_do_not_know_is_refused() -> None:
    header = base64.urlsafe_b64encode(b'{"alg": "ES256", "kid": "ec", "crit": ["b64"]}').rstrip(b"=").decode()
    with pytest.raises(LogInRefusedError, match="extension"):
        key_named(f"{header}.e30.e30", TOLD)


def test_a_short_key_is_not_believed() -> None:
    with pytest.warns(match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "rsa"})
    with pytest.raises(LogInRefusedError, match="2048 bits"):
        claims_of(signed(GOOD, short, "RS256"), short.as_dict(private=False), EXPECTED)


def provider(**more: Any) -> LoginProvider:
    return LoginProvider.model_validate({"id": "union", "name": "U", "issuer": ISSUER, "client_id": "yizhan", **more})


def test_a_mail_address_counts_once_it_is_verified() -> None:
    by_mail = provider(claim="email")
    assert identity_of({"email": "li@example.org", "email_verified": True}, by_mail).user == "li@example.org"
    for verified in (False, None, "false", "true", 1):
        with pytest.raises(LogInRefusedError, match="not verified"):
            identity_of({"email": "boss@example.org", "email_verified": verified}, by_mail)


@pytest.mark.parametrize("user", [None, "", 5, ["li"], "x" * 201])
def test_who_is_not_named_by_the_claim_is_nobody(user: Any) -> None:
    with pytest.raises(LogInRefusedError, match="tells no userid"):
        identity_of({"userid": user, "sub": "u-1"}, provider(claim="userid"))


@pytest.mark.parametrize(
    ("groups", "taken"), [(["a", 5, "", "b"], ("a", "b")), ("a", ("a",)), (None, ()), ({"a": 1}, ()), (7, ())]
)
def test_groups_are_a_list_of_names(groups: Any, taken: tuple[str, ...]) -> None:
    assert identity_of({"sub": "u-1", "groups": groups}, provider()).groups == taken
