"""A provider of OpenID Connect that says what a test wants; a real one is in test_real_provider.py."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "yizhan", "s:e%cret"
SIGNING: dict[str, ECKey | RSAKey] = {
    "ours": ECKey.generate_key("P-256", {"kid": "one"}),
    "next": RSAKey.generate_key(2048, {"kid": "two"}),
}
STRANGE = ECKey.generate_key("P-256", {"kid": "one"})


@dataclass
class StandIn:
    """`claims` are on top of right ones; `keys` are those it tells; `asked` is every path that was asked for."""

    url: str = ""
    nonce: str = ""
    challenge: str = ""
    now_s: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    keys: list[str] = field(default_factory=lambda: ["ours"])
    sign_with: ECKey | None = None
    algorithm: str = "ES256"
    issuer: str | None = None
    status: int = 200
    asked: list[str] = field(default_factory=list)
    token: Callable[[dict[str, Any]], str] | None = None
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])

    def discovery(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer or self.url, "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
        }  # fmt: skip
        return told | ({"userinfo_endpoint": f"{self.url}/userinfo"} if self.userinfo is not None else {})

    def id_token(self) -> str:
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "u-1", "exp": self.now_s + 300, "iat": self.now_s,
            "nonce": self.nonce, "groups": [],
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.token is not None:
            return self.token(claims)
        key = self.sign_with or SIGNING[self.keys[0]]
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key, algorithms=[self.algorithm])

    def authorize(self, address: str) -> dict[str, str]:
        """What it takes from where the browser was sent: the query as it is."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        return query

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.status != 200:
            return self.status, {"error": "invalid_grant"}
        if path == "/.well-known/openid-configuration":
            return 200, self.discovery()
        if path == "/keys":
            return 200, {"keys": [SIGNING[name].as_dict(private=False) for name in self.keys] + [{"kty": "odd"}]}
        if path == "/userinfo":
            return (200, self.userinfo or {}) if authorization == "Bearer at-1" else (401, {})
        pair = base64.b64encode(b"yizhan:s%3Ae%25cret").decode()
        by_basic, by_post = authorization == f"Basic {pair}", form.get("client_secret") == SECRET
        if not (by_basic if self.methods == ["client_secret_basic"] else by_post):
            return 401, {"error": "invalid_client"}
        proof = hashlib.sha256(form["code_verifier"].encode()).digest()
        if form["code"] != "good" or base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != self.challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at-1", "token_type": "Bearer", "id_token": self.id_token()}


@contextmanager
def standing_in(stand_in: StandIn) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, told = stand_in.answer(urlsplit(self.path).path, form, self.headers.get("authorization", ""))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
