"""The lines of `yizhan doctor` about brokers: whether ours lets us in, and what running gateways tell there."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from gateway.mqtt import Broker

CONNECT_S = 6.0


class BrokerAnswer(NamedTuple):
    """`why`: it did not let us in. `heard`: the payloads that came."""

    ready: bool
    why: str
    protocol: str
    heard: list[bytes]


def broker(settings: Any) -> Iterator[DoctorFinding]:
    """Whether it lets us in, and what gateways that use it leave out."""
    from config.schema.base import HostPort
    from gateway.mqtt.configured import broker_of

    endpoint = settings.mqtt.endpoint
    where = str(HostPort(endpoint.host, endpoint.port))
    if endpoint.embedded:
        yield DoctorFinding("ok", "broker", f"embedded on {where}, started by `yizhan up`")
        return
    try:
        # What is retained comes right after the subscription.
        answer = answer_of(broker_of(settings), where, f"{settings.client_id}-doctor", ["yz-sys/#"], listen_s=0.3)
    except (OSError, ValueError) as error:
        yield DoctorFinding("fail", "broker", str(error))
        return
    if answer.ready:
        yield DoctorFinding("ok", "broker", f"{where} lets us in and subscribe, MQTT {answer.protocol}")
    else:
        yield DoctorFinding("fail", "broker", f"{answer.why}; look at mqtt.url and the broker's log")
    yield from left_out(answer.heard)


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
    return BrokerAnswer(ready, why, session.protocol, heard)


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
            plain = "".join(one if one.isprintable() else " " for one in text)[:400]
            yield DoctorFinding("warn", _left_out_by(what), plain)


def _left_out_by(what: str) -> str:
    """Whose words are left out: a calendar's, a document too large for the broker, or else a device's."""
    name = what.partition("/")[2]  # ids have no spaces
    if name.partition(" ")[2].startswith("calendar: "):
        return "activities"
    return "document" if name.startswith("document of ") else "device"
