"""Every documented payload shape becomes the right signals."""

from typing import Any

import pytest

from gateway.dialects import Decoder, Unreadable
from gateway.model import Header
from tests.gateway.dialects.vectors import FOLDER, NOW, decoder, every_case


def _said(decoded: Any) -> dict[str, Any]:
    """The result in the words of the vector files."""
    if decoded is None:
        return {"nothing": True}
    header: Header = decoded.header
    said = {"ts": header.ts, "boot": header.boot, "seq": header.seq, "ignored": decoded.ignored or None}
    if decoded.topic == "availability":
        said["online"] = decoded.signals["online"]
    elif decoded.topic == "event":
        said["event"] = decoded.event
    else:
        said["signals"] = dict(decoded.signals)
        said["event"] = decoded.event
        said["bad"] = dict(decoded.bad) or None
    return {key: value for key, value in said.items() if value is not None}


def _answer(bound: Decoder, message: dict[str, Any]) -> dict[str, Any]:
    try:
        return _said(bound.decode(message["topic"], message["payload"].encode(), NOW))
    except Unreadable as refused:
        return {"refused": refused.reason}


@pytest.mark.parametrize(("dialect", "case"), [pytest.param(d, c, id=f"{d}: {c['name']}") for d, c in every_case()])
def test_a_documented_conversation_reads_as_written(dialect: str, case: dict[str, Any]) -> None:
    bound = decoder(dialect, case)
    if "filters" in case:
        assert list(bound.filters) == case["filters"]
    for message in case["messages"]:
        expected = {
            key: value for key, value in message.items() if key not in ("topic", "payload", "filters", "valid_for_ms")
        }
        assert _answer(bound, message) == expected, message["payload"]
        if "filters" in message:
            assert list(bound.filters) == message["filters"]
        if "valid_for_ms" in message:
            assert bound.valid_for_ms == message["valid_for_ms"]


def test_every_dialect_has_vectors_and_every_vector_file_a_dialect() -> None:
    from gateway.dialects import DIALECTS

    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(DIALECTS)
