"""Broken and hostile payloads, made from good ones: bytes flipped and cut, values of other types in every place."""

import json
from random import Random
from typing import Any

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.5, 1e308, -1e308, 10**30, "", "0", "true", "maybe", "ON ", "nan", "\x00", "占用", [],
    {}, [False], {"a": False}, [[[]]], "x" * 300, 255, "unavailable",
)  # fmt: skip
_TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"null",
    b"false",
    b"true",
    b"0",
    b"1e999",
    b"-",
    b"\xff",
    b"\\u",
    b'_"',
)


def mutate(payload: bytes, random: Random) -> bytes:
    """One to three changes. The result need not be JSON, nor UTF-8."""
    for _ in range(random.randint(1, 3)):
        payload = _structure(payload, random) if random.random() < 0.6 else _bytes(payload, random)
    return payload


def _bytes(payload: bytes, random: Random) -> bytes:
    at = random.randint(0, len(payload))
    end = min(len(payload), at + random.randint(0, 8))
    match random.randint(0, 4):
        case 0:
            return payload[:at]
        case 1:
            return payload[:at] + payload[end:]
        case 2:
            return payload[:at] + random.choice(_TOKENS) + payload[at:]
        case 3:
            return payload[:at] + bytes([random.randint(0, 255)]) + payload[at + 1 :]
    return payload[:end] + payload[at:]


def _structure(payload: bytes, random: Random) -> bytes:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return random.choice([b"", b"null", b"false", b"0", b"[" * 2000, b'{"a":' * 2000, b" ", payload.swapcase()])
    places: list[tuple[Any, Any]] = []
    _collect(document, places)
    if not places:
        return json.dumps(random.choice(_VALUES)).encode()
    holder, key = random.choice(places)
    match random.randint(0, 5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[str(key)[:-1] + random.choice("_xX1")] = holder.pop(key)
        case 2:
            holder[key] = {"value": holder[key]}
        case 3:
            holder[key] = [holder[key]]
        case _:
            holder[key] = random.choice(_VALUES)
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _collect(document: Any, places: list[tuple[Any, Any]]) -> None:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        places.append((document, key))
        _collect(value, places)
