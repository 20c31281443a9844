"""The only reader of the small files that people or this program write: secrets, addresses, tokens, lists, keys, maps
and the configuration itself. Each is bounded, and UTF-8 with or without a byte order mark.

What is wrong is told with the option, the file and the mend, never with what stands in it.
"""

import errno
from pathlib import Path

SMALL_BYTES = 65_536
"""The most that a file with a secret, an address, a token or a key may hold."""
LIST_BYTES = 4 << 20
"""The most that a file with a list or a drawing may hold."""


class UnusableFileError(ValueError):
    """`what` is wrong with the file, and its `mend`. `missing`: there is none; `large`: more than its bound."""

    def __init__(
        self, key: str, path: Path, what: str, mend: str, *, missing: bool = False, large: bool = False
    ) -> None:
        super().__init__(f"{key}: {path} {what}; {mend}")
        self.what, self.mend, self.missing, self.large = what, mend, missing, large


def read_bytes(path: Path, key: str, most: int = SMALL_BYTES) -> bytes:
    """What is in the file, up to `most` bytes. UnusableFileError names `key` and the file."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as problem:
        what = f"can't be read ({problem.strerror})"
        mend = "correct the path or the rights"
        raise UnusableFileError(key, path, what, mend, missing=problem.errno == errno.ENOENT) from None
    if len(data) > most:
        limit = f"{most >> 20} MiB" if most >= 1 << 20 else f"{most} bytes"
        raise UnusableFileError(key, path, f"is larger than {limit}", "is it the right file?", large=True)
    return data


def read_text(path: Path, key: str, most: int = SMALL_BYTES) -> str:
    """The same as text, without its byte order mark."""
    return text_of(read_bytes(path, key, most), path, key)


def text_of(data: bytes, path: Path, key: str) -> str:
    """The text that the bytes of the file are, without their byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        kind = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"not UTF-8 at byte {problem.start}"
        raise UnusableFileError(key, path, f"is {kind}", "save it as UTF-8") from None


def read_secret(path: Path, key: str = "file") -> str:
    """A secret without its last line ends. Called at the moment of use; the value is never kept here."""
    secret = read_text(path, key).rstrip("\r\n")
    if not secret:
        raise UnusableFileError(key, path, "is empty", "write the secret into it")
    if "\0" in secret:
        raise UnusableFileError(key, path, "holds a NUL character", "save it as plain text")
    if "\n" in secret or "\r" in secret:
        raise UnusableFileError(key, path, "has more than one line", "leave only the secret in it")
    return secret
