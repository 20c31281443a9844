"""An authenticator in software, which does as a test wants; Chromium's own is in tests/e2e/test_passkeys.py."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One credential. `verifies`: whether it looks who it is; `count`: what it counts on from, None for none."""

    origin: str
    rp_id: str = "localhost"
    verifies: bool = True
    count: int | None = 0
    handle: str | None = None
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        self.handle = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        data = self._data(ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, wrong)
        response = {"clientDataJSON": text(client), "attestationObject": text(statement)}
        return {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response}

    def log_in(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        if self.count is not None:
            self.count += 1
        data, client = self._data(), self._client("webauthn.get", options, wrong)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
            "userHandle": self.handle,
        }  # fmt: skip
        return {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response}

    def _data(self, more: int = 0) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | more
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + (self.count or 0).to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin} | wrong).encode()
