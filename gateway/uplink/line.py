"""The thread of the uplink: the box's own MQTT session at its centre, and what goes over it."""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping

import msgspec

from config.schema import Settings
from config.schema.uplink import Uplink as UplinkSettings
from gateway.base.clock import monotonic_s, now_ms
from gateway.base.mishaps import Mishaps
from gateway.commands.answers import ErrandAnswer
from gateway.model import RETAINED, Millis
from gateway.mqtt import Session, Will
from gateway.mqtt.configured import broker_of_centre
from gateway.store.base import Store, StoreError
from gateway.store.jobs import Keep, WriteJobs
from gateway.store.journal import Journal
from gateway.uplink.cursor import KEPT, Cursor, cursor_of
from gateway.uplink.orders import BRIDGES_OBEY, OBEYED, CentreOrders, SendCommand
from gateway.uplink.outbound import Outbound
from gateway.uplink.status import UplinkMetrics

log = logging.getLogger(__name__)

READ_A_TURN = 20_000
BEHIND_A_TURN = 200
ON_THE_WIRE = 500
"""Messages that the centre's broker has not taken yet; paho sends no more than a thousand at once."""
LIVE_ON_THE_WIRE = 980
KEEP_EVERY_S = 1.0
REST_S = 0.05
"""How long what is live may wait for the next look at the journal."""
REPORT_EVERY_S = 15.0
RETAINED_MOST = 20_000
PAUSE_S = 5.0
"""After a fault of ours."""


class _Upto(msgspec.Struct):
    boot: str
    upto: int


_decode = msgspec.json.Decoder(_Upto).decode
Report = Callable[[str, int], bytes]
"""(state, backlog): what this box says of itself."""


class UplinkLine(threading.Thread):
    """`start()`, `end()`. `upto` is the last batch of the journal up to which the centre has everything."""

    def __init__(
        self,
        outbound: Outbound,
        session: Session,
        write: WriteJobs,
        *,
        messages_per_s: int,
        mishaps: Mishaps | None = None,
        report: Report = lambda _state, _backlog: b"",
        orders: CentreOrders | None = None,
    ) -> None:
        super().__init__(name="uplink", daemon=True)
        self.outbound, self.session, self._write = outbound, session, write
        self._rate, self._mishaps, self._report = messages_per_s, mishaps or Mishaps(), report
        self._orders = orders
        self._ending = threading.Event()
        self._on_wire: set[int] = set()
        self._allowed, self._allowed_at = 0.0, 0.0
        self._kept, self._kept_at = outbound.cursor, 0.0
        self._report_at = 0.0
        self._sites: dict[str, bytes] = {}  # as they were told over this line
        self._sites_wanted: dict[str, bytes] | None = None
        self._retained: dict[str, bytes] = {}
        self._to_retain: deque[str] = deque()
        self._count = 0
        self.upto = outbound.cursor.position
        self.on_confirmed: Callable[[], None] = lambda: None
        self.on_reply: Callable[[ErrandAnswer], None] = lambda _answer: None
        self.fault: str | None = None
        self.over = False  # this box is to be no more, and the centre has all of it
        session.on_connect = self._connected
        session.on_published = self._on_wire.discard

    # ---- for others ----

    def configure(self, sites: Mapping[str, bytes]) -> None:
        """What the centre is told of each station, from now on. Any thread."""
        self._sites_wanted = dict(sites)
        self.session.wake()

    def answer(self, answer: ErrandAnswer) -> None:
        """Tell the centre what came of something that it said. Any thread."""
        if self._orders is not None:
            self._orders.answer(answer)
            self.session.wake()

    def has_told(self, last_id: int) -> bool:
        """Whether the centre has all of the journal up to this batch. Any thread."""
        return self.upto >= last_id

    @property
    def obeys(self) -> bool:
        """Whether the centre and this box do what the staff of the other did."""
        return self._orders is not None

    def say(self, topic: str, text: bytes) -> None:
        """Tell the centre what our staff did. Any thread."""
        if self._orders is not None:
            self._orders.say(topic, text)
            self.session.wake()

    def retain(self, topic: str, payload: bytes) -> None:
        """Have this stand at the centre's broker, too; nothing more where it is empty. Any thread."""
        if topic in self._retained or len(self._retained) < RETAINED_MOST:
            self._retained[topic] = payload
            self._to_retain.append(topic)
            self.session.wake()

    def end(self, timeout_s: float) -> None:
        self._ending.set()
        self.session.wake()
        if self.ident is not None:
            self.join(timeout_s)

    @property
    def trouble(self) -> str | None:
        """Why the centre gets nothing, in words; None while all is well."""
        reason = self.session.trouble or self.fault
        return None if reason is None else f"centre: {reason}"

    def metrics(self) -> UplinkMetrics:
        session = self.session
        return UplinkMetrics(
            self.outbound.backlog, self._count, session.connected, session.reconnects, self.trouble, session.node,
        )  # fmt: skip

    # ---- the thread ----

    def run(self) -> None:
        try:
            while self.outbound.read_on(READ_A_TURN) and not self._ending.is_set():
                pass  # what waits is numbered before anything goes
            while not self._ending.is_set():
                try:
                    self._turn()
                    self.fault = None
                except Exception as error:  # noqa: BLE001  noted; an InvariantError is none and goes on
                    self._mishaps.note("the line to the centre, which is tried again", error)
                    self.fault = repr(error)
                    self._ending.wait(PAUSE_S)
        except BaseException as error:
            log.critical("thread uplink died: %r", error, exc_info=error)
        finally:
            with self._mishaps.contained("keeping how far the centre has come"):
                self._keep()
            report = b"" if self.over else self._report("stopped", self.outbound.backlog)
            self.session.publish(self.topic, report, retain=True)
            self.session.close()

    @property
    def topic(self) -> str:
        """Where this box tells how it is."""
        return f"yz-box/{self.outbound.box}"

    def _turn(self) -> None:
        out, session = self.outbound, self.session
        more = out.read_on(READ_A_TURN)
        self._tell_sites()
        sent = self._send(monotonic_s())
        wait_s = 0.0 if more else 0.002 if sent else REST_S
        arrivals = session.poll(wait_s)
        now = now_ms()
        if not session.connected:
            out.lost()
        for topic, payload, flags in arrivals.frames if arrivals is not None else ():
            self._hear(topic, payload, now, retained=bool(flags & RETAINED))
        if arrivals is not None:
            session.ack(arrivals.epoch, arrivals.mids)
        for to, told in self._orders.words(now) if self._orders is not None else ():
            session.publish(to, told)
        while self._to_retain and session.connected:
            topic_kept = self._to_retain.popleft()
            session.publish(topic_kept, self._retained[topic_kept], retain=True)
        out.tick(now)
        if out.restored:
            log.warning(
                "the centre has more of our journal than we do: it was put back; from here on it is another one"
            )
            out.renumber(secrets.token_hex(4))
        self._tell(monotonic_s())

    def _connected(self, _session_present: bool) -> None:
        self._report_at = 0.0
        self._sites.clear()
        self._to_retain = deque(self._retained)
        self.outbound.connected(now_ms())

    def _hear(self, topic: bytes, payload: bytes, now: Millis, *, retained: bool) -> None:
        if topic.startswith(b"yz-cmd/"):
            if self._orders is not None:
                self._orders.take(topic, payload, now, retained=retained)
            return
        if topic.startswith(b"yz-reply/"):
            answer = self._orders.hear(topic, payload, now, retained=retained) if self._orders is not None else None
            if answer is not None:
                self.on_reply(answer)
            return
        root, station, box = (*topic.split(b"/"), b"", b"")[:3]
        if root != b"yz-ack" or box.decode(errors="replace") != self.outbound.box:
            return
        try:
            told = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self.outbound.told(station.decode(errors="replace"), told.boot, told.upto, now)

    def _send(self, moment: float) -> int:
        """What is live first, then a piece of what lies behind it. Returns how many went."""
        out, count = self.outbound, 0
        while len(self._on_wire) < LIVE_ON_THE_WIRE and (message := out.next_live()) is not None:
            if not self._publish(*out.written(message, live=True)):
                out.put_back(message)
                return count
            out.sent(message)
            count += 1
        self._allowed = min(self._rate / 4, self._allowed + (moment - self._allowed_at) * self._rate)
        self._allowed_at = moment
        for _ in range(min(BEHIND_A_TURN, int(self._allowed))):
            if len(self._on_wire) >= ON_THE_WIRE or (message := out.next_behind()) is None:
                break
            if self._publish(*out.written(message, live=False)):
                out.sent(message)  # else it comes again when the centre stays silent, or the line is new
                self._allowed -= 1
                count += 1
        self._count += count
        return count

    def _publish(self, topic: str, payload: bytes) -> bool:
        mid = self.session.publish(topic, payload)
        if mid is None:
            return False
        self._on_wire.add(mid)
        return True

    def _tell(self, moment: float) -> None:
        cursor = self.outbound.cursor
        if cursor.position != self.upto:
            self.upto = cursor.position
            self.on_confirmed()
        if cursor is not self._kept and moment - self._kept_at >= KEEP_EVERY_S:
            self._keep()
        if moment >= self._report_at and self.session.connected:
            self._report_at = moment + REPORT_EVERY_S
            self.session.publish(self.topic, self._report("online", self.outbound.backlog), retain=True)

    def _tell_sites(self) -> None:
        """Before the messages of a station, which the centre may not know yet."""
        wanted, told = self._sites_wanted, self._sites
        if wanted is None or wanted == told or not self.session.connected:
            return
        self.session.subscribe([f"yz-ack/{station}/{self.outbound.box}" for station in wanted])
        if self._orders is not None:
            self.session.subscribe([f"yz-cmd/{station}/{what}" for station in wanted for what in OBEYED])
            self.session.subscribe([f"yz-cmd/{station}/+/{what}" for station in wanted for what in BRIDGES_OBEY])
            self.session.subscribe([f"yz-reply/{station}/+" for station in wanted])
        for station, site in wanted.items():
            if told.get(station) != site:
                self.session.publish(f"yz-site/{station}", site, retain=True)
        for station in told.keys() - wanted.keys():
            self.session.publish(f"yz-site/{station}", b"", retain=True)
        self._sites = dict(wanted)

    def _keep(self) -> None:
        cursor = self.outbound.cursor
        if cursor is not self._kept:
            self._write([Keep(KEPT, cursor.encoded())])
            self._kept, self._kept_at = cursor, monotonic_s()


def _keep(cursor: Cursor, store: Store, write: WriteJobs) -> None:
    """Before the first message where that can be; else the writer does it first, once a replica is heard of."""
    jobs = [Keep(KEPT, cursor.encoded())]
    try:
        store.ready()
    except StoreError:
        write(jobs)
    else:
        store.write(jobs)


def line_of(
    settings: Settings,
    uplink: UplinkSettings,
    store: Store,
    stations: list[str],
    *,
    suffix: str,
    write: WriteJobs,
    mishaps: Mishaps,
    report: Report,
    command: SendCommand,
    to_bridge: SendCommand,
) -> UplinkLine:
    """The configured line, to be made before the store's writer starts. ValueError, OSError."""
    box = settings.box_id + suffix
    cursor = cursor_of(store.kept(KEPT), secrets.token_hex(4))
    if not cursor.position:
        _keep(cursor, store, write)
    session = Session(
        broker_of_centre(uplink),
        f"yizhan-uplink-{box}",
        filters=[f"yz-ack/{station}/{box}" for station in stations],
        will=Will(f"yz-box/{box}", report("offline", 0)),
        keep=False,
        keepalive_s=settings.mqtt.keepalive_s,
        reconnect_max_s=settings.mqtt.reconnect_max_s,
    )
    outbound = Outbound(box, cursor, Journal(store.folder), Journal(store.folder))
    orders = None if uplink.command_key_file is None else CentreOrders(uplink.command_key_file, command, box, to_bridge)
    return UplinkLine(
        outbound, session, write, messages_per_s=uplink.messages_per_s, mishaps=mishaps, report=report, orders=orders
    )  # fmt: skip
