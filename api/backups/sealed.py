"""Files under a passphrase: AES-256-GCM in pieces of 1 MiB, the key by scrypt.

Each piece is sealed with its number and whether it is the last, so none can be left out, swapped or cut off; the name
of what is sealed is bound in, too.
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PIECE = 2**20
SALT_BYTES, NONCE_BYTES, TAG_BYTES = 16, 12, 16
MAGIC = b"yizhan1\n"
N, R, P = 2**15, 8, 1


class NotOpenedError(ValueError):
    """Another passphrase, or the file was changed."""


class PassphraseSeal:
    """One passphrase and one salt, which lies beside the files."""

    def __init__(self, passphrase: str, salt: bytes) -> None:
        secret = hashlib.scrypt(passphrase.encode(), salt=salt, n=N, r=R, p=P, maxmem=2**26, dklen=64)
        self._key, self._names = secret[:32], secret[32:]

    def name_of(self, digest: str) -> str:
        """Under which name a file of this SHA-256 lies: it tells nobody what the file is."""
        return hmac.new(self._names, digest.encode(), "sha256").hexdigest()[:40]

    def close(self, source: BinaryIO, target: BinaryIO, about: str) -> str:
        """Seal all of `source`; the SHA-256 of what it held."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher, digest, prefix = AESGCM(self._key), hashlib.sha256(), secrets.token_bytes(NONCE_BYTES - 4)
        target.write(MAGIC + prefix)
        for number, piece, last in _pieces(source, PIECE):
            digest.update(piece)
            sealed = cipher.encrypt(prefix + struct.pack(">I", number), piece, _bound(about, last=last))
            target.write(sealed)
        return digest.hexdigest()

    def open(self, source: BinaryIO, target: BinaryIO, about: str) -> str:
        """The other way; NotOpenedError, with `target` to be thrown away."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher, digest = AESGCM(self._key), hashlib.sha256()
        if source.read(len(MAGIC)) != MAGIC:
            raise NotOpenedError(f"{about} is no file of a backup")
        prefix = source.read(NONCE_BYTES - 4)
        for number, sealed, last in _pieces(source, PIECE + TAG_BYTES):
            try:
                piece = cipher.decrypt(prefix + struct.pack(">I", number), sealed, _bound(about, last=last))
            except (InvalidTag, ValueError):
                raise NotOpenedError(f"{about} can't be opened: another passphrase, or it was changed") from None
            digest.update(piece)
            target.write(piece)
        return digest.hexdigest()


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def _bound(about: str, *, last: bool) -> bytes:
    return about.encode() + (b"\0end" if last else b"\0more")


def _pieces(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """(number, piece, whether it is the last); an empty file is one empty piece."""
    number, piece = 0, source.read(size)
    while True:
        following = source.read(size)
        yield number, piece, not following
        if not following:
            return
        number, piece = number + 1, following


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
