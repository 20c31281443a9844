"""Machines with alerts, orders and stores, each the centre of the next; without threads, brokers or clocks."""

import json
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from gateway.alerting import Deed
from gateway.alerts.orders import Order
from gateway.alerts.words import Alert
from gateway.commands import SeenNonces, sign
from gateway.commands.answers import ErrandAnswer
from gateway.commands.errands import KEPT, errands_kept
from gateway.model import Message
from gateway.runtime.relaying import StaffRelay
from gateway.store.jobs import Keep, KeepReports
from gateway.uplink.orders import CentreOrders
from tests.gateway.alerting.house import House

_nonces = count()


class Line:
    """The uplink of a machine, as the relay knows it."""

    obeys = True

    def __init__(self, machine: "Machine") -> None:
        self.machine = self.outbound = self.session = machine
        self.box = machine.name
        self.on_reply: Callable[[ErrandAnswer], None]
        self.answer, self.say = machine.orders.answer, machine.orders.say

    def retain(self, topic: str, payload: bytes) -> None:
        """A pile; there is none here."""


class Machine(House):
    """`box`: its own name. `below` is the box that tells it of `yanshan`."""

    def __init__(self, name: str, folder: Path, below: "Machine | None" = None) -> None:
        self.name = self.box = name
        self.key, self.below, self.up = (name * 40).encode()[:40], below, True
        self.above: Machine | None = None
        self.outgoing: list[tuple[str, bytes]] = []
        self._keys = folder
        super().__init__(folder / name, {"raise_delay_s": 0})
        if below is not None:
            (folder / f"{below.name}.centre").write_bytes(self.key)
            below.above = self
            below.follow_line()
            self.word("online")

    def open(self) -> None:
        super().open()
        commands, desk = self.pipeline.commands, self.alerting.desk
        commands.trust(self.key, SeenNonces.load(self.store.kept("nonces")))
        commands.on_staff, commands.on_done = desk.command, desk.note
        desk.deeds.on_verified = commands.reports.verified
        self.orders = CentreOrders(self._keys / f"{self.name}.centre", self._from_centre, self.name)
        session: Any = self
        carry = lambda topic, text: self.hear(topic, sign(self.key, topic, text))  # noqa: E731
        self.relay = StaffRelay(self.pipeline, session, self.store, desk, carry)
        self.pipeline.live.boxes.accept = {self.below.name} if self.below else frozenset()
        if self.above is not None:
            self.follow_line()
        if self.below is not None:
            self.word("online" if self.below.up else "offline")

    def follow_line(self) -> None:
        self.line = Line(self)
        line: Any = self.line
        self.relay.follow(line)

    # ---- as the relay's session and line ----

    def publish(self, topic: str, payload: bytes) -> None:
        self.outgoing.append((topic, payload))

    def wake(self) -> None:
        pass

    @property
    def connected(self) -> bool:
        return self.up

    # ---- what comes ----

    def _from_centre(self, topic: str, text: bytes) -> None:
        self.relay.from_centre(topic, text)

    def hear(self, topic: str, payload: bytes) -> None:
        self.pipeline.handle(Message(topic.encode(), payload, self.now), self.now)
        self.commit()

    def commit(self, *, follow: bool = True) -> None:
        self.pipeline.tick(self.now)
        outcome = self.pipeline.take()
        self.number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
        self.store.write([KeepReports(outcome.reports), *(Keep(*kept) for kept in outcome.kept.items())])
        self.relay.durable(outcome)
        if follow:
            self.alerting.follow(outcome, self.number, self.now)
            self.alerting.tick(self.now, self.ourselves)

    def word(self, state: str) -> None:
        assert self.below is not None
        said = {"box": self.below.name, "state": state, "clock_ms": self.now}
        way = {"box": self.below.name, "boot": "j1", "n": 1}
        for topic, body in (
            (f"yz-box/{self.below.name}", said), ("yz/yanshan/seat-01/state", {"via": way, "occupied": False}),
        ):  # fmt: skip
            self.pipeline.handle(Message(topic.encode(), json.dumps(body).encode(), self.now), self.now)

    # ---- what people do and see ----

    def deed(self, do: str, target: str = "", by: str = "li", **more: Any) -> str:
        """Done here, and durable; its nonce."""
        nonce = f"{self.name}-{next(_nonces):016d}"
        expires = self.now + 30_000
        done = self.alerting.desk.do(
            Deed(do=do, by=by, nonce=nonce, expires=expires, station="yanshan", target=target, **more)  # type: ignore[arg-type]
        )
        self.alerting.tick(self.now, self.ourselves)
        done.result(0)
        return nonce

    def alert(self, kind: str) -> Alert:
        return next(alert for alert in self.alerting.core.desk.open_alerts() if alert.kind == kind)

    @property
    def work(self) -> list[Order]:
        return self.alerting.desk.deeds.twins._reader.orders(["yanshan"])

    @property
    def audit(self) -> list[tuple[str, str]]:
        lines = self.alerting.desk.deeds.twins._reader.audit()
        return [(who, what) for _, who, what, _, _ in reversed(lines)]

    @property
    def errands(self) -> list[tuple[str, str, str]]:
        return [(errand.box, errand.state, errand.why) for errand in errands_kept(self.store.kept(KEPT))]

    # ---- the lines ----

    def cut(self) -> None:
        assert self.below is not None
        self.below.up = False
        self.word("offline")
        self.commit()

    def back(self) -> None:
        assert self.below is not None
        self.below.up = True
        self.word("online")

    def exchange(self, by_s: int = 1) -> None:
        """Time passes at all machines from here on down, and what is on the lines arrives."""
        chain: list[Machine] = [self]
        while (below := chain[-1].below) is not None:
            chain.append(below)
        for machine in chain:
            machine.now += by_s * 1000
            if machine.below is not None and machine.below.up:
                machine.word("online")
            machine.commit()
        for _ in range(6):
            for upper, lower in pairwise(chain):
                _carry(upper, lower)


def _carry(upper: Machine, lower: Machine) -> None:
    said, upper.outgoing = upper.outgoing, []
    for topic, payload in said if lower.up else ():
        if topic.startswith("yz-cmd/"):
            lower.orders.take(topic.encode(), payload, lower.now, retained=False)
        elif (answer := lower.orders.hear(topic.encode(), payload, lower.now, retained=False)) is not None:
            lower.line.on_reply(answer)
    lower.commit()
    for topic, payload in lower.orders.words(lower.now):
        if lower.up:
            upper.hear(topic, payload)
    upper.commit()
