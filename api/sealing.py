"""Words of ours that travel through a browser and come back as they were: in a signed text."""

import base64
import hmac
import json
from typing import Any, Final

from api.sessions import Sessions

LONGEST: Final = 3_000


def seal(sessions: Sessions, purpose: str, told: dict[str, Any]) -> str:
    """A text that only we can have made. OSError where there is no key to sign with."""
    text = base64.urlsafe_b64encode(json.dumps(told).encode()).decode()
    return f"{text}.{sessions.signature(purpose, text)}"


def unseal(sessions: Sessions, purpose: str, sealed: str) -> dict[str, Any] | None:
    """What was sealed for this purpose; None for anything else."""
    text, _, signature = sealed.partition(".")
    if len(sealed) > LONGEST or not sealed.isascii():
        return None
    try:
        right = hmac.compare_digest(sessions.signature(purpose, text).encode(), signature.encode())
    except OSError:
        return None
    told = json.loads(base64.urlsafe_b64decode(text)) if right else None
    return told if isinstance(told, dict) else None
