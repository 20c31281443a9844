"""The line to charging piles: who is there (`yz-pile/…`, retained), and calls to bridges with their answers.

A thread and a connection of their own, begun when somebody first asks: a house without piles has neither.
"""

import contextlib
import secrets
import threading
from concurrent.futures import Future
from typing import Any

import msgspec

from api.pile_words import BoxThere, BridgeReply, PileThere
from config.schema import Settings
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands import LIFE_MS, CommandError, CommandKey, Gate, SeenNonces, sign
from gateway.model import RETAINED
from gateway.mqtt import Session
from gateway.mqtt.configured import broker_of
from gateway.mqtt.reader import Frame
from gateway.wire import NAME

PILE, REPLY, BOX = b"yz-pile/", b"yz-reply/", b"yz/"
BRIDGES_MOST = 1_000
POLL_S = 0.5
SETTLE_S = 0.4  # after subscribing: what is retained is on its way
READY_S = 5.0
PILES_MOST = 20_000


class PileLine(threading.Thread):
    """`piles` and `ask` are for any thread. ConnectionError while there is no broker or no key."""

    def __init__(self, settings: Settings, mishaps: Mishaps) -> None:
        super().__init__(name="pile line", daemon=True)
        self._key = CommandKey(settings.command_key)
        self._gate = Gate(self._key, SeenNonces())
        name = f"{settings.client_id}-piles-{secrets.token_hex(4)}"
        self._session = Session(broker_of(settings), name, filters=["yz-pile/+/+", "yz-reply/+/+"], keep=False)
        self._mishaps = mishaps
        self._there: dict[tuple[str, str], PileThere] = {}
        self._known: dict[tuple[str, str], PileThere] = {}  # as last told, there or not
        self._bridges: set[tuple[str, str]] = set()
        self._dead: frozenset[tuple[str, str]] = frozenset()  # bridges that are gone: what they left says nothing
        self._waiting: dict[str, Future[BridgeReply]] = {}
        self._outbox: list[tuple[str, bytes]] = []
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ready_at: float | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            arrivals = self._session.poll(POLL_S if self._ready.is_set() else 0.05)
            if arrivals is not None:
                self._hear_all(arrivals.frames)
                self._session.ack(arrivals.epoch, arrivals.mids)
            self._see_whether_ready()
            with self._lock:
                out, self._outbox = self._outbox, []
            for topic, payload in out:
                self._session.publish(topic, payload, qos=1)
        self._session.close()

    def end(self) -> None:
        self._ended.set()
        self._session.wake()

    def _see_whether_ready(self) -> None:
        if not self._session.subscribed:
            self._ready_at = None
            self._ready.clear()
        elif self._ready_at is None:
            self._ready_at = monotonic_s() + SETTLE_S
        elif monotonic_s() >= self._ready_at:
            self._ready.set()

    def _hear_all(self, frames: list[Frame]) -> None:
        for frame in frames:
            with self._mishaps.contained("what a bridge says of piles"):
                self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        topic, payload, flags = frame
        station, _, name = topic.decode("utf-8", "replace").partition("/")[2].partition("/")
        if topic.startswith(PILE) and NAME.match(station) and NAME.match(name):
            self._presence((station, name), payload)
        elif topic.startswith(BOX):
            self._box((station, name.partition("/")[0]), payload)
        elif topic.startswith(REPLY):
            self._reply(name, topic, payload, bool(flags & RETAINED))

    def _presence(self, pile: tuple[str, str], payload: bytes) -> None:
        if not payload:
            self._there.pop(pile, None)
            return
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            told = msgspec.json.decode(payload, type=PileThere)
            if pile in self._known or len(self._known) < PILES_MOST:
                self._known[pile] = self._there[pile] = told
                self._follow((pile[0], told.bridge))

    def _follow(self, bridge: tuple[str, str]) -> None:
        """Hear whether it is there: its word on piles stays at the broker when it dies."""
        if bridge not in self._bridges and len(self._bridges) < BRIDGES_MOST:
            self._bridges.add(bridge)
            self._session.subscribe((f"yz/{bridge[0]}/{bridge[1]}/availability",))

    def _box(self, bridge: tuple[str, str], payload: bytes) -> None:
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            state = msgspec.json.decode(payload, type=BoxThere).state
            self._dead = self._dead - {bridge} if state == "online" else self._dead | {bridge}

    def _reply(self, nonce: str, topic: bytes, payload: bytes, retained: bool) -> None:
        with self._lock:
            waiting = self._waiting.get(nonce)
        if waiting is None:
            return
        try:
            order = self._gate.open(topic, payload, now_ms(), retained=retained)
            reply = msgspec.json.decode(order.text, type=BridgeReply)
        except (CommandError, msgspec.MsgspecError, RecursionError):
            return  # forged, late or senseless: whoever waits hears of no answer
        if not waiting.done():
            waiting.set_result(reply)

    # ---- any thread ----

    def wait_ready(self) -> None:
        if not self._ready.wait(READY_S):
            raise ConnectionError(self._session.trouble or "the broker has not answered yet")

    def piles(self) -> dict[tuple[str, str], PileThere]:
        """Who is there: (station, charge point) → what its bridge says of it."""
        dead = self._dead
        return {pile: told for pile, told in dict(self._there).items() if (pile[0], told.bridge) not in dead}

    def known(self) -> dict[tuple[str, str], PileThere]:
        """Who is or was there since this line began, as last told."""
        return dict(self._known)

    def ask(self, station: str, bridge: str, by: str, order: dict[str, Any]) -> "tuple[str, Future[BridgeReply]]":
        """Send a command to a bridge; its nonce, for `forget`, and what its answer will be."""
        key = self._key()
        if key is None:
            raise ConnectionError(f"there is no command key {self._key.path} here; copy the gateway's")
        nonce = secrets.token_hex(16)
        head = {"nonce": nonce, "expires": now_ms() + LIFE_MS // 2, "by": by}
        topic = f"yz-cmd/{station}/{bridge}/call"
        future: Future[BridgeReply] = Future()
        with self._lock:
            self._waiting[nonce] = future
            self._outbox.append((topic, sign(key, topic, msgspec.json.encode(order | head))))
        self._session.wake()
        return nonce, future

    def forget(self, nonce: str) -> None:
        with self._lock:
            self._waiting.pop(nonce, None)

    @property
    def key(self) -> bytes | None:
        return self._key()


class PileLines:
    """Begins the line with the first question and ends it with the application."""

    def __init__(self, settings: Settings, mishaps: Mishaps) -> None:
        self._settings, self._mishaps = settings, mishaps
        self._lock = threading.Lock()
        self._line: PileLine | None = None
        self._ended = False

    def ready(self) -> PileLine:
        """The line, subscribed. ConnectionError when there is no broker."""
        with self._lock:
            if self._ended:
                raise ConnectionError("this process is ending")
            if self._line is None:
                self._line = PileLine(self._settings, self._mishaps)
                self._line.start()
        self._line.wait_ready()
        return self._line

    def close(self) -> None:
        with self._lock:
            self._ended = True
            if self._line is not None:
                self._line.end()


def configured(settings: Settings) -> set[tuple[str, str]]:
    """The charge points of the bridge that this configuration has, if it has one."""
    bridge = settings.bridge
    if bridge is None:
        return set()
    return {
        (bridge.station, device.charge_point) for bus in bridge.buses for device in bus.devices if device.charge_point
    }
