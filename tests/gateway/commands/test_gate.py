"""The gate for signed commands: what comes through, and all that does not."""

import json
import logging

import pytest

from gateway.commands import CommandError, Gate, SeenNonces, sign
from gateway.commands.gate import HOLD_MS, MAX_NONCES

LIFE_MS = 60_000
MAX_BYTES = 65_536


KEY, OTHER = b"a" * 64, b"b" * 64
NOW = 1_800_000_000_000
TOPIC = "yz-cmd/yanshan/override"


def text(**changes: object) -> bytes:
    body = {"nonce": "n" * 16, "expires": NOW + 30_000, "by": "li", "area": "lounge", **changes}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def envelope(**changes: object) -> bytes:
    return json.dumps({**json.loads(sign(KEY, TOPIC, text())), **changes}).encode()


def reason(payload: bytes, *, now: int = NOW, gate: Gate | None = None, retained: bool = False) -> str:
    with pytest.raises(CommandError) as refused:
        (gate or Gate(lambda: KEY, SeenNonces())).open(TOPIC.encode(), payload, now, retained=retained)
    return refused.value.reason


def test_a_signed_command_comes_through_with_its_text() -> None:
    order = Gate(lambda: KEY, SeenNonces()).open(TOPIC.encode(), sign(KEY, TOPIC, text()), NOW)
    assert (order.nonce, order.expires, order.by) == ("n" * 16, NOW + 30_000, "li")
    assert order.path == ["yanshan", "override"]
    assert json.loads(order.text)["area"] == "lounge"


def test_a_command_may_be_good_for_a_minute_and_as_long_as_64_kib() -> None:
    packed = sign(KEY, TOPIC, text(expires=NOW + 60_000))
    assert Gate(lambda: KEY, SeenNonces()).open(TOPIC.encode(), packed.ljust(65_536), NOW).by == "li"
    assert reason(packed.ljust(65_537)) == "too_large"


def test_the_signature_is_the_published_one() -> None:
    """HMAC-SHA-256 over topic, newline and text, in hex: so that any program can make it."""
    assert json.loads(sign(b"key", "t", b"{}")) == {
        "signed": "{}",
        # printf 't\n{}' | openssl dgst -sha256 -hmac key
        "hmac": "0f7bddcad0a1ab0ac306b9fb38f60e0de07d4a8963227cf84fb0266e4f32d6ca",
    }


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (text(), "unsigned"),
        (b"", "unsigned"),
        (b"\xff\xfe", "unsigned"),
        (b"[" * 60_000, "unsigned"),
        (b'{"signed":' + b"[" * 60_000, "unsigned"),
        (envelope(hmac=None), "unsigned"),
        (envelope(hmac=""), "unsigned"),
        (envelope(hmac=["a" * 64]), "unsigned"),
        (envelope(signed=json.loads(text())), "unsigned"),
        (envelope(hmac="0" * 64), "wrong_signature"),
        (envelope(hmac="雁" * 64), "wrong_signature"),
        (envelope(signed=text(by="wang").decode()), "wrong_signature"),
        (sign(OTHER, TOPIC, text()), "wrong_signature"),
        (sign(KEY, "yz-cmd/yanshan/staff", text()), "wrong_signature"),
        (sign(KEY, "yz-cmd/shaping/override", text()), "wrong_signature"),
        (sign(KEY, TOPIC, text(expires=NOW)), "expired"),
        (sign(KEY, TOPIC, text(expires=NOW + LIFE_MS + 1)), "too_far_ahead"),
        (sign(KEY, TOPIC, text(expires=2**63)), "unreadable"),
        (sign(KEY, TOPIC, text(expires="soon")), "unreadable"),
        (sign(KEY, TOPIC, text(expires=None)), "unreadable"),
        (sign(KEY, TOPIC, text(nonce="short")), "unreadable"),
        (sign(KEY, TOPIC, text(nonce="n" * 65)), "unreadable"),
        (sign(KEY, TOPIC, text(by=None)), "unreadable"),
        (sign(KEY, TOPIC, text(by="x" * 129)), "unreadable"),
        (sign(KEY, TOPIC, text(note="x" * MAX_BYTES)), "too_large"),
    ],
)
def test_anything_else_is_refused_with_its_reason(payload: bytes, why: str) -> None:
    assert reason(payload) == why


def test_a_retained_command_is_refused_whoever_signed_it() -> None:
    assert reason(sign(KEY, TOPIC, text()), retained=True) == "retained"


def test_without_a_key_nothing_is_let_in() -> None:
    assert reason(sign(KEY, TOPIC, text()), gate=Gate(lambda: None, SeenNonces())) == "no_key"
    assert reason(sign(b"", TOPIC, text()), gate=Gate(lambda: None, SeenNonces())) == "no_key"


def test_a_command_comes_through_once_also_when_our_clock_is_set_back() -> None:
    gate, payload = Gate(lambda: KEY, SeenNonces()), sign(KEY, TOPIC, text())
    gate.open(TOPIC.encode(), payload, NOW)
    assert reason(payload, gate=gate) == "repeated"
    assert reason(payload, gate=gate, now=NOW + 30_000) == "expired"
    assert reason(payload, gate=gate, now=NOW + 1) == "repeated"


def test_a_command_comes_through_once_over_a_restart() -> None:
    seen, payload = SeenNonces(), sign(KEY, TOPIC, text())
    Gate(lambda: KEY, seen).open(TOPIC.encode(), payload, NOW)
    assert reason(payload, gate=Gate(lambda: KEY, SeenNonces.load(seen.dump(NOW)))) == "repeated"
    assert reason(payload, gate=Gate(lambda: KEY, SeenNonces.load(seen.dump(NOW))), now=NOW + LIFE_MS) == "expired"
    assert SeenNonces.load(b"{").first_use("n" * 16, NOW, NOW)
    assert SeenNonces.load(None).first_use("n" * 16, NOW, NOW)


def test_a_forged_command_uses_up_no_nonce() -> None:
    gate = Gate(lambda: KEY, SeenNonces())
    assert reason(sign(OTHER, TOPIC, text()), gate=gate) == "wrong_signature"
    assert gate.open(TOPIC.encode(), sign(KEY, TOPIC, text()), NOW).by == "li"


def test_the_memory_of_nonces_is_bounded_and_makes_room_again() -> None:
    seen = SeenNonces()
    for number in range(MAX_NONCES):
        assert seen.first_use(f"{number:016}", NOW + HOLD_MS, NOW)
    with pytest.raises(CommandError, match="more than"):
        seen.first_use("n" * 16, NOW + HOLD_MS, NOW)
    assert not seen.first_use("0" * 16, NOW + HOLD_MS, NOW)
    assert seen.first_use("n" * 16, NOW + 2 * HOLD_MS, NOW + HOLD_MS)
    assert len(json.loads(seen.dump(NOW + HOLD_MS))) == 1


def test_refusals_are_counted_and_told_once_a_minute_with_the_skew(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(lambda: KEY, SeenNonces())
    with caplog.at_level(logging.WARNING):
        for at in (NOW, NOW + 1, NOW + 59_999, NOW + 60_000):
            try:
                gate.open(TOPIC.encode(), sign(KEY, TOPIC, text(expires=NOW - 12_500)), at)
            except CommandError as error:
                gate.refuse(error, at)
    assert gate.refused == {"expired": 4}
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "1 commands refused",
        "3 commands refused",
    ]
    assert "expired 12.5 s ago by our clock; set both clocks by NTP" in caplog.text
