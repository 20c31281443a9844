"""What a broker says of itself as it lets us in: what of it loses messages or can't work, each with its mend.

Only MQTT 5 tells. What it does not tell, `yizhan doctor` tries: api/commands/broker_trial.py.
"""

import logging
from collections.abc import Iterator

from paho.mqtt.properties import Properties  # noqa: TID251

from gateway.mqtt.client import Terms

log = logging.getLogger(__name__)

FEW = 100  # messages in flight
SMALL = 65_536  # bytes: the longest message of a device that we take


FORGOTTEN = (
    "MQTT: %s has forgotten our session %s: it keeps none, it is another broker, we were away for too long, or another "
    "client took that id; what came meanwhile may be lost; devices that wait for their watermark say it again"
)


class BrokerLimits:
    """What the broker of one session limits; each limit is in the log once."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()

    def note(self, address: str, granted: Properties | None, terms: Terms) -> None:
        """A new connection, and what came with it."""
        before, self.told = self.told, tuple(limits_of(granted, terms))
        for text in self.told:
            if text not in before:
                log.warning("MQTT: %s %s", address, text)


def limits_of(granted: Properties | None, terms: Terms) -> Iterator[str]:
    """Each as `what it does; what follows; the mend`."""

    def told(name: str, otherwise: int) -> int:
        return int(getattr(granted, name, otherwise))

    if told("MaximumQoS", 2) < 1:
        yield "takes QoS 0 only, so nothing is ever acknowledged; allow QoS 1 there"
    if not told("RetainAvailable", 1):
        yield "retains nothing, so an API on its own knows nothing until it is said anew; allow retained messages there"
    if not told("WildcardSubscriptionAvailable", 1):
        yield "allows no wildcards, without which nothing can be listened to; allow them there"
    expiry_s = told("SessionExpiryInterval", terms.expiry_s)
    if terms.keep and expiry_s < terms.expiry_s:
        yield (
            f"keeps our session for {expiry_s} s, and mqtt.session_expiry_s asks for {terms.expiry_s} s; what comes in "
            "a longer absence is lost, but for devices that wait for their watermark; raise its longest session expiry"
        )
    at_once = told("ReceiveMaximum", 65_535)
    if at_once < FEW:
        yield (
            f"takes {at_once} unacknowledged messages of ours at once, so live documents of many stations wait; raise "
            "it to 1000 (mosquitto: max_inflight_messages)"
        )
    longest = told("MaximumPacketSize", SMALL)
    if longest < SMALL:
        yield f"takes {longest} bytes at most, and what is longer is left out; raise it to 1 MiB (max_packet_size)"
