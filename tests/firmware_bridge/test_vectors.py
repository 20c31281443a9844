"""Every published frame is read as its source says, or refused as marked, however it is delivered."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.cards import CardNumber
from firmware_bridge.devices import ap3000, dlt645, ebike_board, ld2410, ld2450, modbus, osdp_frames, sdt, ykc_frames
from firmware_bridge.devices.readers import CardLines
from firmware_bridge.frames.line import LineReader
from firmware_bridge.frames.packet import PacketReader

from .decoders import DECODE, card_value

FOLDER = Path(__file__).parents[1] / "vectors"


def frames(kind: str) -> list[dict[str, Any]]:
    return list(json.loads((FOLDER / kind / "frames.json").read_text("utf-8"))["frames"])


def cases() -> list[Any]:
    return [pytest.param(kind, vector, id=f"{kind}-{at}") for kind in DECODE for at, vector in enumerate(frames(kind))]


@pytest.mark.parametrize(("kind", "vector"), cases())
def test_a_published_frame_is_read_as_its_source_says_or_refused_as_marked(kind: str, vector: dict[str, Any]) -> None:
    expected = vector["expected"]
    if isinstance(expected, dict) and "value" in expected and kind in ("wiegand", "serialcard"):
        card = card_value(CardNumber.of_int(int(expected["value"], 16)))
        expected = {name: value for name, value in expected.items() if name != "value"} | {"card": card}
    decoded = json.loads(json.dumps(DECODE[kind](vector["input"])))
    assert decoded == expected, vector["note"]


def hexed(text: str) -> bytes:
    return bytes.fromhex(text)


def lined(text: str) -> bytes:
    return text.encode() + b"\n"


def modbus_found(data: bytes) -> list[bytes]:
    """The one reply that a master waits for: here 230.2 V from unit 1."""
    reply = modbus.find_reply(data, 1, 4, 4)
    return [reply] if isinstance(reply, bytes) else []


class _Whole:
    """A search in all that has arrived, as a master does it, with the face of a stream reader."""

    def __init__(self) -> None:
        self._heard = b""
        self._told = 0

    def feed(self, data: bytes) -> list[bytes]:
        self._heard += data
        replies = modbus_found(self._heard)
        fresh, self._told = replies[self._told :], len(replies)
        return fresh


# kind → a fresh stream reader, how its vectors become bytes, whether a check value guards every byte.
STREAMS: dict[str, tuple[Any, Any, bool]] = {
    "ld2410": (ld2410.scanner, hexed, False),
    "ld2450": (ld2450.scanner, hexed, False),
    "osdp": (osdp_frames.scanner, hexed, True),
    "sdt": (sdt.scanner, hexed, True),
    "dlt645": (dlt645.scanner, hexed, True),
    "ap3000": (ap3000.scanner, hexed, True),
    "ykc": (ykc_frames.scanner, hexed, True),
    "dongjun": (ebike_board.scanner, hexed, True),
    "linecrc": (LineReader, lined, True),
    "cobsframe": (PacketReader, hexed, True),
    "modbus": (_Whole, hexed, True),
    "serialcard": (CardLines, hexed, False),
}


def good(kind: str) -> list[bytes]:
    _, to_bytes, _ = STREAMS[kind]
    if kind == "modbus":
        return [hexed("01 04 04 43 66 33 34 1B 38")]
    if kind == "serialcard":
        return [hexed(vector["input"]) for vector in frames(kind)][-1:]
    return [to_bytes(vector["input"]) for vector in frames(kind) if vector["expected"] is not None]


def read(kind: str, *pieces: bytes) -> list[Any]:
    reader = STREAMS[kind][0]()
    frames_read = [frame for piece in pieces for frame in reader.feed(piece)]
    return [card_value(frame) if isinstance(frame, CardNumber) else frame for frame in frames_read]


@pytest.mark.parametrize("kind", STREAMS)
def test_byte_by_byte_and_merged_delivery_give_the_same_frames(kind: str) -> None:
    stream = b"".join(good(kind))
    wanted = [frame_read for frame in good(kind) for frame_read in read(kind, frame)]
    assert len(wanted) == len(good(kind))
    assert read(kind, stream) == wanted
    assert read(kind, *(stream[at : at + 1] for at in range(len(stream)))) == wanted


@pytest.mark.parametrize("kind", STREAMS)
def test_a_truncated_frame_gives_nothing_and_the_next_whole_one_is_read(kind: str) -> None:
    for frame in good(kind):
        (whole,) = read(kind, frame)
        for cut in range(1, len(frame)):
            frames_read = read(
                kind, frame[:cut], b"\0" if kind == "cobsframe" else b"", *([frame] * (1_500 // len(frame) + 1))
            )
            assert frames_read, cut
            assert all(frame_read == whole for frame_read in frames_read), cut


@pytest.mark.parametrize("kind", [kind for kind, (_, _, guarded) in STREAMS.items() if guarded])
def test_a_flipped_bit_never_gives_another_frame(kind: str) -> None:
    for frame in good(kind):
        (whole,) = read(kind, frame)
        for bit in range(len(frame) * 8):
            flipped = bytearray(frame)
            flipped[bit // 8] ^= 1 << bit % 8
            # Preambles (FE, FF) are no part of the frame; a flip there changes nothing.
            assert all(frame_read == whole for frame_read in read(kind, bytes(flipped))), bit


def delimiter(kind: str) -> bytes:
    return {"cobsframe": b"\0", "serialcard": b"\r", "linecrc": b"\n"}.get(kind, b"")


@pytest.mark.parametrize("kind", STREAMS)
def test_noise_between_frames_costs_no_frame(kind: str) -> None:
    """Behind the last one comes as much as a false header could claim; the senders of ours flush with a delimiter."""
    plan = good(kind)
    wanted = [frame_read for frame in plan for frame_read in read(kind, frame)]

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.binary(max_size=12), min_size=len(plan), max_size=len(plan)))
    def check(noises: list[bytes]) -> None:
        parts = [noise + delimiter(kind) + frame for noise, frame in zip(noises, plan, strict=True)]
        frames_read = read(kind, b"".join(parts), b"\0" * 1_500)
        rest = iter(frames_read)
        assert all(any(frame == other for other in rest) for frame in wanted)

    check()


@pytest.mark.parametrize("kind", STREAMS)
def test_random_bytes_never_raise(kind: str) -> None:
    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.binary(max_size=200), max_size=5))
    def check(pieces: list[bytes]) -> None:
        read(kind, *pieces)

    check()


def test_the_public_ld2410_library_reads_the_same_frames() -> None:
    """We do not use its stream (see devices/ld2410), but what it knows of the format must be what we know."""
    from aio_ld2410.protocol import Report, ReportFrame

    for frame in good("ld2410"):
        ours = ld2410.parse_report(frame)
        if ours is None:
            continue
        theirs = Report.parse(ReportFrame.parse(frame).data).data
        basic = theirs.basic
        assert ours.target == int(basic.target_status)
        assert (ours.moving_cm, ours.still_cm) == (basic.moving_distance, basic.static_distance)
        assert (ours.moving_energy, ours.still_energy) == (basic.moving_energy, basic.static_energy)


@pytest.mark.soak
@pytest.mark.parametrize("kind", STREAMS)
def test_a_million_random_bytes_never_raise_and_hold_no_memory(kind: str) -> None:
    import random

    source = random.Random(kind)
    seeds = good(kind)
    reader = STREAMS[kind][0]()
    fed = 0
    while fed < 1_000_000:
        piece = source.randbytes(source.randrange(1, 300))
        if source.random() < 0.5:  # half-true input reaches further than pure noise
            frame = bytearray(source.choice(seeds))
            frame[source.randrange(len(frame))] = source.randrange(256)
            piece += bytes(frame)
        reader.feed(piece)
        if kind == "modbus":
            reader = _Whole()
        fed += len(piece)
    if kind != "modbus":
        assert len(reader._rest) <= 2_000
