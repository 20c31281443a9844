"""Conditional requests: whether who asks has the answer already."""

import hashlib


def matches(if_none_match: str | None, etag: str) -> bool:
    """The weak comparison of RFC 9110, section 13.1.2."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def etag_of(body: bytes) -> str:
    """The entity tag of an answer, with its quotes: another one for other bytes."""
    return f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
