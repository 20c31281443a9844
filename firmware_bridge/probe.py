"""`yizhan bridge --probe`: which ports are there, and which protocol answers on them.

Only questions that change nothing are asked: listening, a read, a poll.
"""

from collections.abc import Iterator, Sequence

from firmware_bridge.port import Port, PortError, PortInfo, SerialLine, list_all
from firmware_bridge.protocols import PROTOCOLS, protocol_of
from firmware_bridge.protocols.base import ProbeQuestion
from gateway.base.clock import monotonic_s

LISTEN_S = 0.7


def _candidates() -> tuple[tuple[str, ProbeQuestion], ...]:
    """(protocol, question), the fastest lines first."""
    asked = [(name, question) for name in PROTOCOLS for question in protocol_of(name).questions()]
    return tuple(sorted(asked, key=lambda pair: -pair[1].baud))


def probe(ports: Sequence[PortInfo] | None = None, listen_s: float = LISTEN_S) -> Iterator[str]:
    """One line for each port: its name, what it is, and a ready line for `bridge.buses` where something answered."""
    candidates = _candidates()
    for info in list_all() if ports is None else ports:
        yield f"{info.device}  {info.description}"
        try:
            answered = _ask(info.device, candidates, listen_s)
        except PortError as error:
            yield f"    {error}"
            continue
        if answered is None:
            yield "    nothing that we know answers; another speed, another address, or not powered?"
        else:
            protocol, question = answered
            parity = f", parity: {question.parity}" if question.parity != "none" else ""
            yield (
                f"    - {{id: {info.device.rpartition('/')[2].lower()}, port: {info.device}, "
                f"baud: {question.baud}{parity}, protocol: {protocol}}}"
            )


def _ask(
    path: str, candidates: Sequence[tuple[str, ProbeQuestion]], listen_s: float
) -> tuple[str, ProbeQuestion] | None:
    for protocol, question in candidates:
        port = Port(SerialLine(path, question.baud, parity=question.parity))
        port.open()
        try:
            port.write(question.ask)
            if _answered(port, question, listen_s):
                return protocol, question
        finally:
            port.close()
    return None


def _answered(port: Port, question: ProbeQuestion, listen_s: float) -> bool:
    heard, end = b"", monotonic_s() + listen_s
    while (left := end - monotonic_s()) > 0:
        heard += port.read(left)
        answers = heard.removeprefix(question.ask)  # an adapter that echoes is no answer
        if answers and question.count(answers):
            return True
    return False
