"""What the trail says of a pile's answer: one word of the standard, no data and no free word of the pile's own."""

import re
from collections.abc import Mapping
from typing import Any

A_WORD = re.compile(r"[A-Za-z]{1,40}")


def answer_in_short(result: object, error: Mapping[str, Any] | None, trouble: str | None) -> str:
    """One of them is set."""
    if error is not None:
        code = str(error.get("code"))
        return code if A_WORD.fullmatch(code) else "an error"
    if result is None:
        return trouble or "no answer"
    status = result.get("status") if isinstance(result, Mapping) else None
    return status if isinstance(status, str) and A_WORD.fullmatch(status) else "answered"
