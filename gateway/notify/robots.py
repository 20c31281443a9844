"""What the three chat robots share: HTTP 200 proves nothing, the code in the body does."""

from typing import Any

from gateway.notify.base import Message, SendError

# Some minutes' pause after a robot's own rate limit: all three count by the minute.
RATE_PAUSE_S = 60.0


def markdown(message: Message) -> str:
    """Bold title, one line a paragraph, the link named; < and > can't open a tag."""
    lines = [f"**{message.title}**", *message.lines]
    if message.link:
        lines.append(f"[{link_text(message)}]({message.link})")
    return "\n\n".join(line.replace("<", "＜") for line in lines)


def link_text(message: Message) -> str:
    return "确认 / Acknowledge" if message.alerts else "打开 / Open"


def check(provider: str, answer: dict[str, Any], field: str, *, busy: frozenset[int], wrong: frozenset[int]) -> None:
    """SendError unless `answer[field]` is 0. `busy` codes ask for a pause, `wrong` ones will never pass."""
    code = answer.get(field)
    if code == 0:
        return
    text = f"{provider}: {field} {code}: {answer.get('errmsg') or answer.get('msg') or 'no such field in the answer'}"
    raise SendError(text, permanent=code in wrong, retry_after_s=RATE_PAUSE_S if code in busy else None)
