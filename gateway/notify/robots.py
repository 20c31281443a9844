"""What the three chat robots share: HTTP 200 proves nothing, the code in the body does, under any status."""

from typing import Any, NamedTuple

from gateway.notify.base import SendError, StaffMessage
from gateway.notify.http import Answer
from gateway.notify.plain import cut_bytes, inert

# Some minutes' pause after a robot's own rate limit: all three count by the minute.
RATE_PAUSE_S = 60.0
# In every message: a robot that is secured by a keyword takes what holds it.
SIGNATURE = "驿站 yizhan"


class Codes(NamedTuple):
    """A provider's own words. `busy` asks for a pause; of `wrong` the same message will never pass; `unworthy` are the
    words by which a code of several meanings says that the message lacks the robot's keyword.

    Every other code is temporary: an address, a signature or a list of addresses can be mended while messages wait.
    """

    busy: frozenset[int]
    wrong: frozenset[int]
    unworthy: tuple[str, ...] = ()


def markdown(message: StaffMessage, most_bytes: int) -> str:
    """Bold title, one line a paragraph, the link and our name. What is too long loses lines, never the link."""
    ends = [f"[{link_text(message)}]({message.link})"] if message.link else []
    tail = "\n\n".join(["", *ends, SIGNATURE])
    text = "\n\n".join([f"**{inert(message.title)}**", *map(inert, message.lines)])
    return cut_bytes(text, most_bytes - len(tail.encode())) + tail


def link_text(message: StaffMessage) -> str:
    return "打开 / Open" if message.action == "test" else "确认 / Acknowledge"


def check(provider: str, answer: Answer, field: str, codes: Codes) -> None:
    """SendError unless the body says 0 in `field`, under a status that does not deny it."""
    body = answer.json()
    code = body.get(field)
    if not isinstance(code, int) or isinstance(code, bool):
        answer.check()
        raise SendError(f"{provider}: the answer has no {field}")
    if code == 0:
        answer.check()
        return
    words = str(body.get("errmsg") or body.get("msg") or "")
    if code in codes.busy:
        raise SendError(_text(provider, field, code, words), retry_after_s=max(RATE_PAUSE_S, answer.retry_after_s or 0))
    unworthy = any(word in words.lower() for word in codes.unworthy)
    permanent = code in codes.wrong or unworthy or answer.permanent
    raise SendError(_text(provider, field, code, words), permanent=permanent, retry_after_s=answer.retry_after_s)


def _text(provider: str, field: str, code: int, words: Any) -> str:
    return f"{provider}: {field} {code}: {words}"
