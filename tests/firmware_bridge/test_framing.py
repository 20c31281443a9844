"""Our own framing from end to end: the reference firmware on one side, the bridge's reader and spool on the other."""

import importlib.util
import json
import random
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firmware_bridge
from firmware_bridge.cards import CardNumber, Cards
from firmware_bridge.devices.base import Heard
from firmware_bridge.devices.yizhan import YizhanLines, YizhanPackets
from firmware_bridge.door import Doors, Rules
from firmware_bridge.frames import cobs, line, packet
from firmware_bridge.frames.packet import Packet
from firmware_bridge.frames.scanner import MORE, Scanner
from firmware_bridge.spool import Spool
from tests.firmware_bridge.rig import allowing

FIRMWARE = Path(firmware_bridge.__file__).parent / "firmware"
CARDS = Cards(bytes(range(32)), "never")


@pytest.fixture(scope="session")
def micropython() -> ModuleType:
    spec = importlib.util.spec_from_file_location("yizhan_micropython", FIRMWARE / "micropython" / "yizhan.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(rules: Rules | None = None) -> YizhanLines:
    return YizhanLines(frozenset(), Doors(rules or Rules()))


def packets(device: str | None = "seat-01") -> YizhanPackets:
    return YizhanPackets(device, Doors(Rules()))


def said(heard: list[Heard]) -> list[dict[str, bool | int | float | str]]:
    return [reading.signals for frame in heard for reading in frame.readings]


def test_every_short_key_becomes_the_contracts_signal_and_what_is_out_of_bounds_is_left_out() -> None:
    talk = lines()
    whole = b'{"v":1,"id":"x","seq":1,"occ":1,"n":2,"open":false,"st":"Charging","w":3.5,"wh":7,"bat":80,"err":"e1"}'
    assert said(list(talk.feed(line.seal(whole), 0)))[0] == {
        "occupied": True, "people": 2, "open": False, "status": "Charging", "power_w": 3.5, "energy_wh": 7,
        "battery_pct": 80, "fault": "e1",
    }  # fmt: skip
    wild = b'{"v":1,"id":"x","seq":2,"occ":2,"n":-1,"open":"yes","st":"busy","w":true,"bat":200,"err":5,"more":{}}'
    (heard,) = talk.feed(line.seal(wild), 0)
    assert heard.readings == ()
    assert heard.reply  # sending it again would mend nothing


def test_a_frame_is_acknowledged_by_its_seq_and_a_stranger_is_not_heard() -> None:
    talk = YizhanLines(frozenset({"seat-07"}), Doors(Rules()))
    (heard,) = talk.feed(b'{"v":1,"id":"seat-07","seq":12,"occ":1}*A037\n', 0)
    assert heard.reply == line.seal(b'{"v":1,"id":"seat-07","ack":12}')
    for strange in (b'{"v":1,"id":"seat-08","seq":1,"occ":1}', b'{"v":2,"id":"seat-07","seq":1,"occ":1}', b'{"v":1}'):
        assert talk.feed(line.seal(strange), 0) == []
    assert talk.feed(line.seal(b'{"v":1,"id":"11010519491231002X","seq":1}'), 0) == []


def test_a_card_that_was_let_in_gets_a_pulse_and_a_board_opens_only_while_it_is_fresh(micropython: ModuleType) -> None:
    allowed = allowing(CARDS.access(CardNumber.of_int(0x7BB26E)))
    talk = lines(Rules(CARDS, allowed, pulse_ms=500))
    for late_ms, opened in ((4_000, [500]), (6_000, [])):
        clock, wire, done = Clock(), bytearray(), list[int]()
        link = micropython.Link("door-1", "1", wire.extend, clock)
        link.on_pulse = done.append
        link.hear(line.seal(b'{"v":1,"id":"door-1","ack":0}'))
        wire[:] = b""
        link.event("card", card="7BB26E")
        clock.now += late_ms
        (heard,) = talk.feed(bytes(wire), late_ms)
        assert heard.wire == ("door-1", b"1/card")
        link.hear(heard.reply)
        assert done == opened
        assert link.idle()


def test_our_own_words_that_an_adapter_echoes_are_no_frames_of_a_device() -> None:
    talk = lines()
    (heard,) = talk.feed(line.seal(b'{"v":1,"id":"s","seq":1,"occ":1}'), 0)
    assert talk.feed(talk.opened(0) + heard.reply, 0) == []
    assert packets().feed(packets().opened(0) + packet.seal(Packet(packet.ACK, 1)), 0) == []


def test_a_card_event_from_a_board_leaves_as_a_pseudonym() -> None:
    talk = lines(Rules(CARDS))
    (heard,) = talk.feed(line.seal(b'{"v":1,"id":"d","seq":1,"ev":"card","card":"7BB26E","ok":1,"dir":"in"}'), 0)
    assert heard.readings[0].event == "card"
    assert heard.readings[0].signals == {
        "card": CARDS.published(CardNumber.of_int(0x7BB26E), 0), "granted": True, "direction": "in",
    }  # fmt: skip


def test_binary_states_carry_the_same_as_lines() -> None:
    talk = packets()
    (state,) = talk.feed(packet.seal(Packet(packet.STATE, 1, bytes((1, 1, 5, 77)))), 0)
    assert state.readings[0].signals == {"occupied": True, "battery_pct": 77}
    (wide,) = talk.feed(packet.seal(Packet(packet.WIDE, 2, b"\x03\x10\x27\x00\x04\xff\xff\x7f")), 0)
    assert wide.readings[0].signals == {"power_w": 1000.0, "energy_wh": 8388607}
    (event,) = talk.feed(packet.seal(Packet(packet.JSON, 3, b'{"ev":"help"}')), 0)
    assert event.readings[0].event == "help"
    assert event.reply == packet.seal(Packet(packet.ACK, 3))
    assert packets(None).feed(packet.seal(Packet(packet.STATE, 1, b"\1\1")), 0) == []  # nobody said who it is


def test_a_board_without_a_configured_name_says_it_in_its_hello() -> None:
    talk = packets(None)
    talk.feed(packet.seal(Packet(packet.HELLO, 0, b'{"id":"seat-09","fw":"1.0"}')), 0)
    (heard,) = talk.feed(packet.seal(Packet(packet.STATE, 1, b"\1\0")), 0)
    assert heard.readings[0].device == "seat-09"


@given(st.binary(max_size=700))
def test_cobs_gives_back_what_it_got_without_a_zero_in_between(data: bytes) -> None:
    encoded = cobs.encode(data)
    assert 0 not in encoded
    assert len(encoded) <= len(data) + len(data) // 254 + 1
    assert cobs.decode(encoded) == data


def test_cobs_needs_no_empty_group_behind_a_full_one() -> None:
    assert cobs.encode(b"\1" * 254) == b"\xff" + b"\1" * 254
    assert len(cobs.encode(b"\1" * 255)) == 257


def test_a_line_beyond_the_limit_is_dropped_and_the_next_one_read() -> None:
    reader = line.LineReader()
    for piece in (b'{"v":1,"x":"' + b"a" * 400, b"b" * 400, b"c" * 5_000):
        assert reader.feed(piece) == []
    assert len(reader._rest) <= 512 + 1
    assert len(reader.feed(b"\n" + line.seal(b'{"v":1}'))) == 1


def test_a_line_that_never_ends_holds_no_memory_and_hides_no_line_behind_it() -> None:
    def measure(window: bytes) -> int:
        return window.find(b"\r\n") + 2 if b"\r\n" in window else MORE

    reader = Scanner((b"C,",), measure, lambda frame: frame[2:-2].isdigit(), 16)
    for _ in range(100):
        assert reader.feed(b"C,1" * 10) == []
        assert len(reader._rest) <= 16
    assert reader.feed(b"C,12\r\nC,345") == [b"C,12\r\n"]
    assert reader.feed(b"\r\n") == [b"C,345\r\n"]


@pytest.mark.parametrize(("size", "read"), [(512, 1), (513, 0)])
def test_a_line_has_at_most_512_bytes(size: int, read: int) -> None:
    frame = b'{"v":1,"x":"%b"}'
    sealed = line.seal(frame % (b"a" * (size - len(line.seal(frame % b"")) + 1)))
    assert len(sealed) == size + len(b"\n")
    assert len(line.LineReader().feed(sealed)) == read


def test_a_packet_has_at_most_128_bytes() -> None:
    longest = packet.seal(packet.Packet(packet.JSON, 1, b"x" * 123))
    assert len(packet.seal(packet.Packet(packet.JSON, 1, b"x" * 122))) == len(longest) - 1
    with pytest.raises(ValueError, match="129 bytes"):
        packet.seal(packet.Packet(packet.JSON, 1, b"x" * 124))


class Clock:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.floats(0, 0.4))
def test_over_a_line_that_loses_and_doubles_everything_is_stored_once_in_order(
    micropython: ModuleType, seed: int, loss: float
) -> None:
    """Both ways lose frames, and now and then the bridge dies between its commit and its acknowledgement."""
    import tempfile

    chance = random.Random(seed)
    clock, wire = Clock(), bytearray()
    link = micropython.Link("seat-01", "1.0", wire.extend, clock)
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), 1 << 20)
        spool._db.execute("PRAGMA synchronous=OFF")  # this is about the conversation
        talk = lines()
        for n in range(20):
            link.state(n=n)
        for _ in range(3_000):
            clock.now += 300
            link.tick()
            sent, wire[:] = bytes(wire), b""
            heard = list(talk.feed(sent, clock.now)) if chance.random() >= loss else []
            spool.put(heard, clock.now)
            if chance.random() < 0.1:
                talk = lines()
            elif chance.random() >= loss:
                link.hear(b"".join(frame.reply for frame in heard))
            if link.idle():
                break
        assert link.idle()
        held = spool.after("seat-01", 0, 999)
        spool.close()
    assert [row.signals["people"] for row in held if "people" in row.signals] == list(range(20))


def test_a_board_that_nobody_answers_keeps_its_events_and_drops_its_oldest_states(micropython: ModuleType) -> None:
    link = micropython.Link("s", "1", lambda _data: None, Clock())
    link.event("help")
    for n in range(200):
        link.state(n=n)
    kept = [json.loads(queued[2][:-6]) for queued in link._queue]
    assert len(kept) == micropython.KEEP
    assert [message.get("hello", message.get("ev")) for message in kept[:2]] == [1, "help"]
    assert kept[-1]["n"] == 199
    assert link.lost == 202 - micropython.KEEP


def test_a_board_answers_a_poll_and_a_pulse_and_ignores_what_is_for_others(micropython: ModuleType) -> None:
    link = micropython.Link("door-1", "1", lambda _data: None, Clock())
    done: list[object] = []
    link.on_poll, link.on_pulse = (lambda: done.append("poll")), done.append
    link.hear(b"noise" + lines().opened(0))
    link.hear(line.seal(b'{"v":1,"id":"door-2","pulse":500}') + line.seal(b'{"v":1,"id":"door-1","pulse":700}'))
    assert done == ["poll", 700]


@given(st.dictionaries(st.sampled_from(["occ", "n", "bat", "err"]), st.integers(0, 100) | st.text(max_size=8)))
def test_the_boards_codec_and_the_bridges_agree(micropython: ModuleType, fields: dict[str, object]) -> None:
    sealed = micropython.seal({"v": 1, **fields})
    assert line.LineReader().feed(sealed) == [({"v": 1, **fields}, sealed[:-6])]
    assert micropython.unseal(line.seal(b'{"v":1}')) == {"v": 1}
    assert micropython.unseal(sealed[:-3] + b"\n") is None


HARNESS = r"""
#include <stdio.h>
#include "yizhan_codec.h"
static size_t from_hex(const char *text, uint8_t *out) {
  size_t size = 0; unsigned byte;
  while (sscanf(text, "%2x", &byte) == 1) { out[size++] = byte; text += 2; }
  return size;
}
static void hex(const uint8_t *data, size_t size) {
  for (size_t at = 0; at < size; at++) printf("%02x", data[at]);
  puts("");
}
int main(void) {
  char row[4096]; static uint8_t in[2048], out[4096];
  while (fgets(row, sizeof row, stdin)) {
    size_t size = from_hex(row + 1, in);
    if (row[0] == 'e') hex(out, yz_cobs_encode(in, size, out));
    if (row[0] == 'd') { int n = yz_cobs_decode(in, size, out); if (n < 0) puts("-"); else hex(out, n); }
    if (row[0] == 'p') hex(out, yz_packet_seal(in[0], in[1], in + 2, size - 2, out));
    if (row[0] == 'u') { int n = yz_packet_unseal(in, size); if (n < 0) puts("-"); else hex(in + 1, n + 2); }
    if (row[0] == 'l') hex(in, yz_line_seal((char *)in, size));
    if (row[0] == 'c') hex(in, yz_line_unseal((char *)in, size));
  }
}
"""


@pytest.fixture(scope="session")
def c_codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("codec")
    compiler = shutil.which("cc")
    assert compiler, "no C compiler: apt-get install gcc"
    (folder / "harness.c").write_text(HARNESS)
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-sign-compare", "-O1", "-fsanitize=address,undefined"]
    subprocess.run(
        [compiler, *flags, "-I", str(FIRMWARE / "arduino" / "yizhan_seat"), "harness.c", "-o", "harness"],
        cwd=folder,
        check=True,
    )
    return folder / "harness"


def test_the_c_codec_agrees_with_ours_on_vectors_and_on_random_bytes(c_codec: Path) -> None:
    source = random.Random(7)
    plan: list[tuple[str, bytes, str]] = []
    for size in (0, 1, 2, 60, 253, 254, 255, 300, 508, 509):
        for zeros in (0.0, 0.2):
            data = bytes(0 if source.random() < zeros else source.randrange(1, 256) for _ in range(size))
            plan.append(("e", data, cobs.encode(data).hex()))
            plan.append(("d", cobs.encode(data), data.hex()))
    for _ in range(300):
        payload = source.randbytes(source.randrange(0, 120))
        sealed = packet.seal(Packet(0x10, 9, payload))
        plan.append(("p", b"\x10\x09" + payload, (b"\0" + sealed).hex()))
        spoiled = bytearray(sealed[:-1])
        spoiled[source.randrange(len(spoiled))] ^= 1 << source.randrange(8)
        for wire in (sealed[:-1], bytes(spoiled), source.randbytes(source.randrange(0, 140))):
            unpacked = packet.unseal(wire)
            plan.append(
                (
                    "u",
                    wire,
                    "-" if unpacked is None else bytes((unpacked.type, unpacked.seq)).hex() + unpacked.payload.hex(),
                )
            )
        junk = source.randbytes(source.randrange(0, 40)).replace(b"\0", b"\1")
        decoded = cobs.decode(junk)
        plan.append(("d", junk, "-" if decoded is None else decoded.hex()))
    body = b'{"v":1,"id":"seat-07","seq":12,"occ":1}'
    plan.append(("l", body, line.seal(body).hex()))
    plan.append(("c", line.seal(body)[:-1], body.hex()))
    plan.append(("c", line.seal(body)[:-2] + b"x", ""))
    asked = "".join(f"{what}{data.hex()}\n" for what, data, _ in plan)
    done = subprocess.run([str(c_codec)], input=asked, capture_output=True, text=True, check=True)
    for (what, data, wanted), got in zip(plan, done.stdout.split("\n"), strict=False):
        assert got == wanted, (what, data.hex())
