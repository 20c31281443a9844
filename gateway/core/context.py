"""What the parts of the core share, and all that one message may touch."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway import wire
from gateway.commands import SeenNonces
from gateway.commands.answers import ErrandAnswers
from gateway.commands.errands import Errands
from gateway.core.foreign import Foreign
from gateway.core.outcome import Outcome
from gateway.live import Device, Live
from gateway.model import RETAINED, Millis, Topic
from gateway.wire import UnreadableError


class Context:
    """`outcome` is the one that is being filled; `quarantined` counts refused messages by reason. `recorded`: messages
    come from a journal, where checks stand unsigned; `reports`: the ids of checks that came, and when they were made;
    `errands`: what waits for boxes; `answers`: what came of what others wait for.
    """

    __slots__ = (
        "answers", "by_topic", "errands", "foreign", "live", "nonces", "outcome", "quarantined", "recorded", "reports",
    )  # fmt: skip

    def __init__(self, live: Live, foreign: Foreign) -> None:
        self.live, self.foreign = live, foreign
        self.outcome = Outcome()
        self.quarantined: Counter[str] = Counter()
        self.nonces = SeenNonces()
        self.errands, self.answers = Errands(), ErrandAnswers()
        self.recorded = False
        self.reports: dict[str, Millis] = {}
        self.by_topic = {device.topic: device for device in live.devices.values()}  # of native state messages

    @contextmanager
    def recording(self) -> Iterator[None]:
        """While messages of a journal are taken."""
        before, self.recorded = self.recorded, True
        try:
            yield
        finally:
            self.recorded = before

    def device(self, topic: bytes) -> tuple[Device, Topic]:
        """(the device that a native topic names, what the topic carries). UnreadableError for no device of ours."""
        station, name, which = wire.parse_topic(topic)
        if station not in self.live.stations:
            raise UnreadableError("unknown_station")
        device = self.live.devices.get((station, name))
        if device is None:
            raise UnreadableError("unknown_device")
        return device, which

    def speakers(self, topic: bytes) -> list[Device]:
        """The devices that a message on this topic is taken to come from."""
        known = self.by_topic.get(topic)
        if known is not None:
            return [known]
        if topic.startswith(b"yz/"):
            try:
                return [self.device(topic)[0]]
            except UnreadableError:
                return []
        return [source.device for source in self.foreign.sources_of(topic)]

    def keep(self, device: Device, topic: bytes, payload: bytes, now: Millis, mark: int, number: int = 0) -> None:
        """Have it stored, under these flags."""
        self.outcome.batch.append(topic, payload, now, mark, number)
        self.owe(device)

    def owe(self, device: Device) -> None:
        """Its watermark may have moved."""
        if not device.owed:
            device.owed = True
            self.outcome.heard.append(device)

    def lose(self, device: Device, flags: int, now: Millis) -> None:
        """A value came that nobody can read. What a broker kept is from nobody knows when, and changes nothing."""
        if not flags & RETAINED:
            self.live.unreadable(device, now)
