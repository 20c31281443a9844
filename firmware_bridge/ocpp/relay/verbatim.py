"""What stands in a message as it came: it is passed on in the same words, only under another id."""

import json

_scan = json.JSONDecoder().raw_decode
_BLANKS = " \t\r\n"


def said_in(raw: bytes) -> str:
    """All behind the id of a message, without the closing bracket. `raw` has passed `frames.read`."""
    text = raw.decode()
    at = _blanks(text, text.index("[") + 1)
    for _ in range(2):  # type and id, each with its comma
        _, at = _scan(text, at)
        at = _blanks(text, _blanks(text, at) + 1)
    return text[at : text.rindex("]")].rstrip(_BLANKS)


def _blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
