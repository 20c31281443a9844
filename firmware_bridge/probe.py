"""`yizhan bridge --probe`: which ports are there, and which protocol answers on them.

Only questions that change nothing are asked: listening, a read, a poll.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from firmware_bridge.frames.line import LineReader, seal
from firmware_bridge.frames.packet import POLL, Packet, PacketReader
from firmware_bridge.frames.packet import seal as seal_packet
from firmware_bridge.port import Line, Port, PortError, PortInfo, list_all
from gateway.base.clock import monotonic_s

LISTEN_S = 0.7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A protocol, the speed it usually has, what to say (empty: only listen), and how many answers `frames` finds."""

    protocol: str
    baud: int
    question: bytes
    frames: Callable[[bytes], int]
    parity: str = "none"


def _candidates() -> tuple[Candidate, ...]:
    from firmware_bridge.devices import dlt645, ebike_board, ld2410, ld2450, osdp_frames, sdt
    from firmware_bridge.frames.checks import crc16_modbus

    def modbus(heard: bytes) -> int:
        ends = range(5, len(heard) + 1)
        return any(heard[0] == 1 and heard[1] & 0x7F == 3 and crc16_modbus(heard[:end]) == 0 for end in ends)

    def osdp(heard: bytes) -> int:
        return sum(map(osdp_frames.is_reply, osdp_frames.scanner().feed(heard)))

    who = dlt645.WAKE + dlt645.build(dlt645.ANYBODY, dlt645.READ_ADDRESS)
    states = ebike_board.build(ebike_board.REQUEST, ebike_board.PORT_STATES, b"000001", b"\0")
    osdp_poll = osdp_frames.build(0x7F, 0x60)
    return (
        Candidate("yizhan", 115_200, seal(b'{"v":1,"poll":1}'), lambda heard: len(LineReader().feed(heard))),
        Candidate("yizhan-cobs", 115_200, seal_packet(Packet(POLL, 0)), lambda heard: len(PacketReader().feed(heard))),
        Candidate("ld2410", 256_000, b"", lambda heard: len(ld2410.scanner().feed(heard))),
        Candidate("ld2450", 256_000, b"", lambda heard: len(ld2450.scanner().feed(heard))),
        Candidate("sdt", 115_200, sdt.FIND, lambda heard: sum(map(sdt.is_reply, sdt.scanner().feed(heard)))),
        Candidate("modbus", 9_600, bytes.fromhex("010300000001840A"), modbus),
        Candidate("ebike-board", 9_600, states, lambda heard: len(ebike_board.scanner().feed(heard))),
        Candidate("osdp", 9_600, osdp_poll, osdp),
        Candidate("dlt645", 2_400, who, lambda heard: len(dlt645.scanner().feed(heard)), "even"),
        Candidate("dlt645", 2_400, who, lambda heard: len(dlt645.scanner().feed(heard))),
    )  # fmt: skip


def probe(ports: Sequence[PortInfo] | None = None, listen_s: float = LISTEN_S) -> Iterator[str]:
    """One line for each port: its name, what it is, and a ready line for `bridge.buses` where something answered."""
    candidates = _candidates()
    for info in list_all() if ports is None else ports:
        yield f"{info.device}  {info.description}"
        try:
            found = _ask(info.device, candidates, listen_s)
        except PortError as error:
            yield f"    {error}"
            continue
        if found is None:
            yield "    nothing that we know answers; another speed, another address, or not powered?"
        else:
            parity = f", parity: {found.parity}" if found.parity != "none" else ""
            yield (
                f"    - {{id: {info.device.rpartition('/')[2].lower()}, port: {info.device}, "
                f"baud: {found.baud}{parity}, protocol: {found.protocol}}}"
            )


def _ask(path: str, candidates: Sequence[Candidate], listen_s: float) -> Candidate | None:
    for candidate in candidates:
        port = Port(Line(path, candidate.baud, parity=candidate.parity))
        port.open()
        try:
            port.write(candidate.question)
            if _answered(port, candidate, listen_s):
                return candidate
        finally:
            port.close()
    return None


def _answered(port: Port, candidate: Candidate, listen_s: float) -> bool:
    heard, end = b"", monotonic_s() + listen_s
    while (left := end - monotonic_s()) > 0:
        heard += port.read(left)
        answers = heard.removeprefix(candidate.question)  # an adapter that echoes is no answer
        if answers and candidate.frames(answers):
            return True
    return False
