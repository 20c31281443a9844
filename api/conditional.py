"""Conditional requests: whether who asks has the answer already."""


def matches(if_none_match: str | None, etag: str) -> bool:
    """The weak comparison of RFC 9110, section 13.1.2."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
