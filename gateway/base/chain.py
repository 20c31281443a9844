"""A chain of hashes over lines: each digest covers its line and the digest before, so no line changes unseen.

Whoever may write the whole file can make the chain anew from any line on. What finds that is a digest that was kept
elsewhere: the daily exports, and copies of them off the machine.
"""

import hashlib
import json

Field = str | int | None


def chained(previous: str, *fields: Field) -> str:
    """The digest of a line of these fields behind one of the digest `previous` (empty: the first), 64 hex digits.

    It is the SHA-256 of a JSON array in ASCII without blanks: `["previous",field,…]`.
    """
    line = json.dumps([previous, *fields], separators=(",", ":"))
    return hashlib.sha256(line.encode("ascii")).hexdigest()
