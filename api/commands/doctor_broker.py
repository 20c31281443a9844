"""The lines of `yizhan doctor` about brokers: whether ours lets us in, and what running gateways tell there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from gateway.mqtt import Broker

CONNECT_S = 6.0


class BrokerAnswer(NamedTuple):
    """`why`: it did not let us in. `heard`: the payloads that came. `limits`: what it says of itself that loses."""

    ready: bool
    why: str
    protocol: str
    heard: list[bytes]
    limits: tuple[str, ...] = ()


def broker(settings: Any) -> Iterator[DoctorFinding]:
    """Whether it lets us in, by each of its addresses, and what gateways that use it leave out."""
    from gateway.mqtt.configured import broker_of

    endpoint = settings.mqtt.endpoint
    if endpoint.embedded:
        yield DoctorFinding("ok", "broker", f"embedded on {endpoint}, started by `yizhan up`")
        return
    try:
        # What is retained comes right after the subscription.
        ours, name = broker_of(settings), f"{settings.client_id}-doctor"
        answers = answers_of(ours, name, ["yz-sys/#"], listen_s=0.3)
    except (OSError, ValueError) as error:
        yield DoctorFinding("fail", "broker", str(error))
        return
    mends = (
        "look at mqtt.url and the broker's log",
        "the other addresses carry on; start this one, or correct mqtt.url",
    )
    yield from by_address("broker", answers, mends, "and subscribe, MQTT {protocol}")
    yield from kept(ours, name, answers)
    yield from left_out(next((answer.heard for answer in answers.values() if answer.ready), []))


def by_address(
    what: str, answers: Mapping[str, BrokerAnswer], mends: tuple[str, str], let_in: str
) -> Iterator[DoctorFinding]:
    """A line for each address; `let_in`: what follows on that it lets us in."""
    for where, answer in answers.items():
        if answer.ready:
            yield DoctorFinding("ok", what, f"{where} lets us in {let_in.format(protocol=answer.protocol)}")
        else:
            yield unanswered(what, answers, answer, mends)


def kept(ours: "Broker", name: str, answers: Mapping[str, BrokerAnswer]) -> Iterator[DoctorFinding]:
    """What loses messages or can't work on this broker, by one of its addresses that lets us in."""
    from api.commands.broker_disk import disks
    from api.commands.broker_trial import findings, tried

    alone = next((node for node in nodes_of(ours) if answers[str(node)].ready), None)
    if alone is not None:
        for text in answers[str(alone)].limits:
            yield DoctorFinding("warn", "broker", f"{alone} {text}")
        from_there = ours
        while str(from_there) != str(alone):
            from_there = from_there.next_node()
        yield from findings(tried(from_there, name), str(alone))
        yield from disks(ours.configured or ours.nodes)


def unanswered(
    what: str, answers: Mapping[str, BrokerAnswer], answer: BrokerAnswer, mends: tuple[str, str]
) -> DoctorFinding:
    """An address that does not let us in: `mends` are for when none does, and for when others do."""
    others = any(other.ready for other in answers.values())
    return DoctorFinding("warn" if others else "fail", what, f"{answer.why}; {mends[others]}")


def answers_of(
    broker: "Broker", client_id: str, filters: list[str], *, listen_s: float = 0.0
) -> dict[str, BrokerAnswer]:
    """What each address of the broker answers, in the configured order. OSError, ValueError as for `answer_of`."""
    return {str(node): answer_of(node, str(node), client_id, filters, listen_s=listen_s) for node in nodes_of(broker)}


def nodes_of(broker: "Broker") -> list["Broker"]:
    """Its nodes, each by itself, in the configured order."""
    from dataclasses import replace

    nodes = broker.configured or broker.nodes
    return [replace(broker, host=node.host, port=node.port, others=(), configured=()) for node in nodes]


def answer_of(
    broker: "Broker", where: str, client_id: str, filters: list[str], *, listen_s: float = 0.0
) -> BrokerAnswer:
    """Log in, subscribe, and listen for `listen_s` more. OSError, ValueError where that can't even be tried."""
    from gateway.base.clock import monotonic_s
    from gateway.mqtt import Session

    session = Session(broker, client_id, filters=filters, keep=False)
    heard: list[bytes] = []

    def hear(wait_s: float) -> None:
        arrivals = session.poll(wait_s)
        if arrivals is not None:
            heard.extend(payload for _, payload, _ in arrivals.frames)

    end = monotonic_s() + CONNECT_S
    while not session.subscribed and monotonic_s() < end:
        hear(0.1)
    if session.subscribed and listen_s:
        hear(listen_s)
    ready, why = session.subscribed, session.trouble or f"{where} does not answer"
    session.close()
    return BrokerAnswer(ready, why, session.protocol, heard, session.limits.told)


def left_out(retained: Iterable[bytes]) -> Iterator[DoctorFinding]:
    """What running gateways leave out of what they are told or tell, as they tell it on `yz-sys/{gateway}`."""
    import msgspec

    for payload in retained:
        try:
            told = msgspec.json.decode(payload, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        counts = told.get("left_out")
        for what, count in counts.items() if isinstance(counts, dict) else ():
            text = f"{what}: left out {count} times; the gateway's log says why"
            plain = "".join(character if character.isprintable() else " " for character in text)[:400]
            yield DoctorFinding("warn", _left_out_by(what), plain)


def _left_out_by(what: str) -> str:
    """What is left out: a calendar's entry, a document too large for the broker, or else a device's message."""
    name = what.partition("/")[2]  # ids have no spaces
    if name.partition(" ")[2].startswith("calendar: "):
        return "activities"
    return "document" if name.startswith("document of ") else "device"
