"""OCPP-J: one JSON array a message. Source: OCPP-J 1.6 section 4, OCPP 2.0.1 part 4 section 4."""

import json
from dataclasses import dataclass
from typing import Any

from gateway.wire import too_deep

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6
LONGEST_ID = 36
LONGEST_ACTION = 64
LONGEST_TEXT = 255
NO_ID = "-1"
"""What a CALLERROR of 2.x names where the id could not be read."""

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PileCall:
    """Something that a pile asks or tells. `wants_answer` is False for a SEND of 2.1."""

    id: str
    action: str
    payload: Payload
    wants_answer: bool = True


@dataclass(frozen=True, slots=True)
class PileResult:
    """A pile's answer to a call of ours."""

    id: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class PileError:
    """A pile's refusal of a call of ours, or with `about_result` of an answer of ours (2.1)."""

    id: str
    code: str
    description: str
    about_result: bool = False


OcppMessage = PileCall | PileResult | PileError


class FrameError(ValueError):
    """What came is no message. `id` is that of the CALL that it would have been, or None; the text repeats nothing."""

    def __init__(self, text: str, call_id: str | None = None, code: str = "FormationViolation") -> None:
        super().__init__(text)
        self.id, self.code = call_id, code


def read(raw: bytes) -> OcppMessage:
    """The message in a text frame. FrameError for anything else."""
    if too_deep(raw):
        raise FrameError("nests too deep")
    try:
        words = json.loads(raw.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise FrameError("is no JSON") from None
    if not isinstance(words, list) or len(words) < 3 or not isinstance(words[0], int) or isinstance(words[0], bool):
        raise FrameError("is no array that begins with a message type and an id")
    kind, message_id, *rest = words
    if not isinstance(message_id, str) or not 0 < len(message_id) <= LONGEST_ID:
        raise FrameError(f"has no id of 1 to {LONGEST_ID} characters")
    if kind in (CALL, SEND):
        return _call(message_id, rest, wants_answer=kind == CALL)
    if kind == RESULT:
        if not isinstance(rest[0], dict):
            raise FrameError("is a result without an object")
        return PileResult(message_id, rest[0])
    if kind in (ERROR, RESULT_ERROR):
        code, description = rest[0], rest[1] if len(rest) > 1 else ""
        return PileError(message_id, str(code)[:LONGEST_ACTION], str(description)[:LONGEST_TEXT], kind == RESULT_ERROR)
    raise FrameError("is of no message type that we know", message_id, "MessageTypeNotSupported")


def _no_number(word: str) -> float:
    raise ValueError(word)


def _call(message_id: str, rest: list[Any], *, wants_answer: bool) -> PileCall:
    if not isinstance(rest[0], str) or not 0 < len(rest[0]) <= LONGEST_ACTION:
        raise FrameError("names no action", message_id)
    if len(rest) != 2 or not isinstance(rest[1], dict):
        raise FrameError("is a call without an object", message_id)
    return PileCall(message_id, rest[0], rest[1], wants_answer)


def message(kind: int, message_id: str, said: str) -> bytes:
    """A message whose words behind the id are `said`."""
    return f"[{kind},{json.dumps(message_id)},{said}]".encode("utf-8", "replace")


def call_words(action: str, payload: Payload) -> str:
    """A call behind its id."""
    return f"{json.dumps(action)},{json.dumps(payload, ensure_ascii=False, separators=(',', ':'))}"


def call(message_id: str, action: str, payload: Payload) -> bytes:
    return message(CALL, message_id, call_words(action, payload))


def result(message_id: str, payload: Payload) -> bytes:
    return _encoded([RESULT, message_id, payload])


def error(message_id: str, code: str, description: str) -> bytes:
    return _encoded([ERROR, message_id, code, description[:LONGEST_TEXT], {}])


def _encoded(words: list[Any]) -> bytes:
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
