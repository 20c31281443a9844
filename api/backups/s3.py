"""The four requests of S3 that backups need, signed by AWS Signature Version 4, path style."""

import contextlib
import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from api.backups.sealed import sha256_of
from gateway.base.clock import now_ms

TIMEOUT_S = 120
EMPTY = hashlib.sha256(b"").hexdigest()
LIST_MOST_BYTES = 4 << 20
PIECE = 1 << 20


class Bucket:
    """OSError tells what the storage did not do, and its own word for it."""

    def __init__(self, endpoint: str, name: str, prefix: str, region: str, key: str, secret: str) -> None:
        parts = urlsplit(endpoint)
        self._tls, self._host, self._port = parts.scheme == "https", parts.hostname or "", parts.port
        self._name, self._prefix, self._region = name, f"{prefix}/" if prefix else "", region
        self._key, self._secret = key, secret

    def names(self) -> set[str]:
        names: set[str] = set()
        after = ""
        while True:
            query = {"list-type": "2", "prefix": self._prefix} | ({"continuation-token": after} if after else {})
            with self._asked("GET", "", query) as answer:
                text = answer.read(LIST_MOST_BYTES).decode("utf-8", "replace")
            # Our own names need no more of XML than this; a parser could be kept busy by what a stranger says.
            names |= {key.removeprefix(self._prefix) for key in re.findall(r"<Key>([^<&]*)</Key>", text)}
            token = re.search(r"<NextContinuationToken>([^<&]+)</NextContinuationToken>", text)
            if token is None:
                return names
            after = token[1]

    def put(self, name: str, path: Path) -> None:
        with path.open("rb") as body, self._asked("PUT", name, digest=sha256_of(path), body=body):
            pass

    def get(self, name: str, path: Path) -> None:
        with self._asked("GET", name) as answer, path.open("wb") as file:
            while piece := answer.read(PIECE):
                file.write(piece)

    def delete(self, name: str) -> None:
        with self._asked("DELETE", name):
            pass

    @contextlib.contextmanager
    def _asked(
        self,
        method: str,
        name: str,
        query: dict[str, str] | None = None,
        digest: str = EMPTY,
        body: BinaryIO | None = None,
    ) -> Iterator[HTTPResponse]:
        """The answer to one request, on a connection of its own, which is closed however it ends. OSError."""
        path = quote(f"/{self._name}/{self._prefix}{name}" if name else f"/{self._name}")
        search = "&".join(
            f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in sorted((query or {}).items())
        )
        line = (HTTPSConnection if self._tls else HTTPConnection)(self._host, self._port, timeout=TIMEOUT_S)
        headers = self._signed(method, path, search, digest)
        if body is not None:
            headers["content-length"] = str(body.seek(0, 2))
            body.seek(0)
        with contextlib.closing(line):
            try:
                line.request(method, f"{path}?{search}" if search else path, body, headers)
                answer = line.getresponse()
                if answer.status >= 300:
                    text = answer.read(2_000).decode("utf-8", "replace")
                    raise OSError(f"{self._host} says {answer.status}: {text[:200]}")
                yield answer
            except HTTPException as error:
                raise OSError(f"{self._host}: {error!r}") from error

    def _signed(self, method: str, path: str, search: str, digest: str) -> dict[str, str]:
        moment = datetime.fromtimestamp(now_ms() / 1000, UTC)
        at, day = f"{moment:%Y%m%dT%H%M%SZ}", f"{moment:%Y%m%d}"
        host = self._host if self._port is None else f"{self._host}:{self._port}"
        headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": at}
        names = ";".join(headers)
        told = "".join(f"{name}:{value}\n" for name, value in headers.items())
        asked = hashlib.sha256(f"{method}\n{path}\n{search}\n{told}\n{names}\n{digest}".encode()).hexdigest()
        scope = f"{day}/{self._region}/s3/aws4_request"
        key = b"AWS4" + self._secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{asked}".encode(), "sha256").hexdigest()
        who = f"Credential={self._key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return headers | {"authorization": f"AWS4-HMAC-SHA256 {who}"}
