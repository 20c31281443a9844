"""Machines one behind the other, each the centre of the next, without threads, brokers or clocks; lines can be cut."""

import json
from pathlib import Path
from typing import Any

from gateway.commands import SeenNonces, sign
from gateway.commands.errands import Errands, errands_kept
from gateway.core.outcome import Outcome
from gateway.model import Message
from gateway.policy.override import Command, Override, encode_command
from gateway.uplink.orders import CentreOrders
from tests.gateway.world import MINUTE, NOON, Town

SEAT = {"id": "seat-01", "kind": "seat", "ttl": 86_400}
OVERRIDE = "yz-cmd/yanshan/override"


class Hop:
    """A machine with station `yanshan`. `below` is the box that tells it of that, `above` the one that it tells."""

    def __init__(self, name: str, folder: Path, below: "Hop | None" = None) -> None:
        self.name, self.key = name, name.encode() * 40
        self.below = below
        self.above: Hop | None = None
        self.up = True
        self.audit: list[tuple[str, ...]] = []
        self.kept: dict[str, bytes] = {}
        self.said: list[tuple[str, bytes]] = []
        self._folder, self.now = folder, NOON
        self.start()
        if below is not None:
            (folder / f"{below.name}.centre").write_bytes(self.key)
            below.above = self
            self.word("online")

    def start(self) -> None:
        """From what is kept, as after kill -9."""
        self.town = Town(SEAT, now=self.now)
        self.town.live.boxes.accept = {"box" if self.below is None else self.below.name}
        commands = self.town.pipeline.commands
        commands.trust(self.key, SeenNonces.load(self.kept.get("nonces")))
        commands.on_done = commands.errands.on_settled = lambda *line: self.audit.append(line)
        context = commands.errands.context
        context.errands = Errands(errands_kept(self.kept.get("errands")))
        context.answers.load(self.kept.get("answers"))
        self.orders = CentreOrders(self._folder / f"{self.name}.centre", self._from_centre, self.name)

    @property
    def errands(self) -> dict[str, str]:
        return {errand.nonce: errand.state for errand in errands_kept(self.kept.get("errands"))}

    def word(self, state: str) -> None:
        """What the box below tells of itself, or its last will."""
        assert self.below is not None
        said = {"box": self.below.name, "state": state, "clock_ms": self.town.now}
        self.hear(f"yz-box/{self.below.name}", json.dumps(said).encode())
        if state == "online":
            way = {"box": self.below.name, "boot": "j1", "n": 1}
            self.hear("yz/yanshan/seat-01/state", json.dumps({"via": way, "occupied": False}).encode())

    def cut(self) -> None:
        assert self.below is not None
        self.below.up = False
        self.word("offline")

    def back(self) -> None:
        assert self.below is not None
        self.below.up = True
        self.word("online")

    def hear(self, topic: str, payload: bytes) -> None:
        town = self.town
        town.pipeline.handle(Message(topic.encode(), payload, town.now), town.now)
        self._commit(town.pipeline.take())

    def _commit(self, outcome: Outcome) -> None:
        self.kept |= outcome.kept
        self.said += outcome.said
        for answer in outcome.answers:
            self.orders.answer(answer)

    def _from_centre(self, topic: str, text: bytes) -> None:
        self.town.pipeline.commands.errands.context.answers.expect(json.loads(text)["nonce"])
        self.say(topic, text)

    def say(self, topic: str, text: bytes) -> None:
        """What staff of this machine change, or its centre."""
        signed = sign(self.key, topic, text)
        self.hear(topic, signed)
        if self.below is not None and self.below.up:
            self.below.take(topic, signed)

    def take(self, topic: str, payload: bytes) -> None:
        """What comes over the line from above, and the answers that go back."""
        self.orders.take(topic.encode(), payload, self.town.now, retained=False)
        self.answer()

    def answer(self) -> None:
        above = self.above
        for topic, payload in self.orders.words(self.town.now):
            if above is not None and self.up:
                above.hear(topic, payload)
                above.answer()

    def turn(self, by: int = 0) -> None:
        """Time passes; what is due goes."""
        self.now = self.town.now = self.town.now + by
        if self.below is not None and self.below.up:
            self.word("online")  # as it does every 15 s
        self.town.pipeline.tick(self.town.now)
        self._commit(self.town.pipeline.take())
        said, self.said = self.said, []
        if self.below is not None:
            self.below.now = self.below.town.now = self.town.now
            for topic, payload in said:
                if self.below.up and topic.startswith("yz-cmd/"):
                    self.below.take(topic, payload)
            self.below.turn()
            self.below.answer()

    @property
    def access(self) -> str:
        return self.town.axes("seat-01").access


def closing(hop: Hop, nonce: str, status: Any = "closed", until: int = 60 * MINUTE, **more: Any) -> bytes:
    now = hop.town.now
    word = None if status is None else Override(status, now + until, "li")
    return encode_command(Command(nonce, now + 30_000, "li", override=word, **more))
