"""Three copies on one host: a gateway's folder, a PostgreSQL and its synchronous standby; and a gateway that waits.

Devices publish without a pause. Whatever is killed or removed, what they were told to forget is stored, and once.
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import getloadavg
from pathlib import Path
from time import strftime

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.benchmarks.places import FIRST_SEQ, write_config
from tests.e2e.rig import Yizhan, mosquitto, yizhan
from tests.patience import until
from tests.postgres import PostgresServer, Servers

STATIONS, SEATS = 10, 20
UNCONFIRMED = "gateway removed while the replica hangs"
WAITS = "nothing is acknowledged until it works again"
BROKEN = "from gateway.store.sqlite import SqliteStore\nSqliteStore.settle = lambda self: None\n"
SETTINGS = "synchronous_standby_names = '*'\nfsync = on\n"


class Watermarks:
    """What devices were told that they may forget."""

    def __init__(self, port: int) -> None:
        self.upto: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.heard = 0
        self.backwards: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="devices")
        self._client.on_message = self._take
        self._client.on_connect = lambda client, *_: client.subscribe("yz-ack/#", 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        device, told = message.topic.removeprefix("yz-ack/"), json.loads(message.payload)
        if told["upto"] < self.upto.get(device, 0):
            self.backwards.append(device)
        self.upto[device] = max(told["upto"], self.upto.get(device, 0))
        self.first.setdefault(device, told["upto"])
        self.heard += 1

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@dataclass
class Told:
    """What a run found."""

    stored: int = 0
    missing: int = 0
    double: int = 0
    backwards: int = 0
    alike: bool = False
    ended_by_themselves: int = 0
    take_overs_s: list[float] = field(default_factory=list)
    slowest_s: float = 0.0
    rate: float = 0.0  # stored, a second while devices published


class ThreeCopies:
    """`hurt` one of them by name, again and again; then `end`."""

    def __init__(self, folder: Path, servers: Servers, stack: ExitStack, seed: int, *, broken: bool = False) -> None:
        """`broken`: gateways that acknowledge before the replica has it."""
        self._broken = broken
        if broken:
            (folder / "sitecustomize.py").write_text(BROKEN)
        self._folder, self._servers, self._stack = folder, servers, stack
        self._random = random.Random(seed)
        self.port = stack.enter_context(mosquitto(folder))
        self._primary, self._standby = servers.new_server(), servers.new_server()
        self._primary.make(SETTINGS)
        self._primary.start()
        self._follow(self._standby)
        self._url = folder / "url"
        self._tell_url()
        self._gateways: dict[str, Yizhan] = {}
        self._names = ["one", "two"]  # the first works
        for name in self._names:
            self._configure(name)
            self._start(name)
            if name == "one":
                until(lambda: "nobody writes any more" in self._gateways["one"].errors, "the first beginning")
        self.marks = Watermarks(self.port)
        stack.callback(self.marks.close)
        self.told = Told()

    def _configure(self, name: str) -> None:
        path = self._folder / name
        path.mkdir()
        write_config(path / "yizhan.yaml", STATIONS, SEATS, f"mqtt://127.0.0.1:{self.port}")
        text = (path / "yizhan.yaml").read_text()
        (path / "yizhan.yaml").write_text(text.replace("store: {", f"store: {{replica: {{url_file: {self._url}}}, "))

    def _start(self, name: str) -> None:
        path = self._folder / name
        words = ("gateway", "--config", str(path / "yizhan.yaml"), "--standby")
        env = {"PYTHONPATH": str(self._folder)} if self._broken else None
        self._gateways[name] = self._stack.enter_context(Yizhan(path, *words, env=env))

    def _follow(self, server: PostgresServer) -> None:
        server.follow(self._primary, "beside")
        server.start()
        until(lambda: self._primary.sql("SELECT sync_state FROM pg_stat_replication") in ("sync", "quorum"))

    def _tell_url(self) -> None:
        hosts = f"127.0.0.1:{self._primary.port},127.0.0.1:{self._standby.port}"
        part = self._url.with_suffix(".part")
        part.write_text(f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write")
        part.replace(self._url)

    # ---- what happens to them ----

    @property
    def ways(self) -> dict[str, Callable[[], None]]:
        return {
            "gateway killed": lambda: self._gateway(remove=False),
            "gateway removed": lambda: self._gateway(remove=True),
            "primary killed": self._primary_killed,
            "primary removed": self._primary_removed,
            "standby killed": self._standby_killed,
            "standby removed": self._standby_removed,
        }

    def hurt(self, way: str | None = None) -> None:
        """And wait until devices are told again; some moments later all is as it was."""
        way = way or self._random.choice(list(self.ways))
        time.sleep(self._random.uniform(0, 0.5))  # at any step of a commit
        begin = time.monotonic()
        (self.ways | {UNCONFIRMED: self.remove_unconfirmed})[way]()
        before = self.marks.heard
        until(lambda: self._supervised() and self.marks.heard > before + 20, f"after {way}: devices being told")
        took = time.monotonic() - begin
        self.told.slowest_s = max(self.told.slowest_s, took)
        if way.startswith("gateway") or way == UNCONFIRMED:
            self.told.take_overs_s.append(took)
            self._start(self._names[1])
        print(f"{strftime('%H:%M:%S')} {way}: {took:.1f} s, load {getloadavg()[0]:.0f}", flush=True)
        self.has_one_waiting(way)

    def has_one_waiting(self, after: str) -> None:
        """A replica that is not whole yet lets nobody wait."""
        waiting = self._gateways[self._names[1]]
        until(lambda: "waiting beside" in waiting.errors, f"after {after}: another one waiting")

    def _supervised(self) -> bool:
        """One that ended by itself is started again, and waits."""
        name = self._names[0]
        if self._gateways[name].child.poll() is not None:
            self._names.reverse()
            self.told.ended_by_themselves += 1
            self._start(name)
        return True

    def _gateway(self, *, remove: bool) -> None:
        name = self._names[0]
        self._gateways[name].stop(signal.SIGKILL)
        # Killed twice within a minute of its start a gateway looks for a message that did it, one by one.
        (self._folder / name / "data/starts.json").unlink(missing_ok=True)
        if remove:
            shutil.rmtree(self._folder / name / "data")
        self._names.reverse()

    def remove_unconfirmed(self) -> None:
        """The gateway burns while the replica hangs: what it told in between is nowhere else."""
        begin, gateway = self.marks.heard, self._gateways[self._names[0]]
        self._primary.pause()
        until(lambda: self.marks.heard > begin + 400 if self._broken else WAITS in gateway.errors, "it waiting")
        self._gateway(remove=True)
        self._primary.resume()

    def _primary_killed(self) -> None:
        self._primary.kill()
        self._primary.start()

    def _primary_removed(self) -> None:
        self._primary.remove()
        self._primary, self._standby = self._standby, self._servers.new_server()
        self._primary.promote()
        self._follow(self._standby)
        self._tell_url()

    def _standby_killed(self) -> None:
        self._standby.kill()
        self._standby.start()

    def _standby_removed(self) -> None:
        self._standby.remove()
        self._standby = self._servers.new_server()
        self._follow(self._standby)
        self._tell_url()

    # ---- what came of it ----

    def end(self) -> Told:
        """Stop all, and count what is stored, here and in the replica."""
        for name in self._names:
            self._gateways[name].stop(signal.SIGKILL)
        here = self._folder / self._names[0]
        again = self._folder / "again"
        self._configure("again")
        done = yizhan(again, "restore", "--config", str(again / "yizhan.yaml"), "--from-replica", patience_s=1_200)
        assert done.returncode == 0, done.stderr
        seen = Seen()
        # What was on its way at the last kill may be in one of the two alone: it was acknowledged to nobody.
        self.told.alike = True
        ours = exported(here)
        for line in exported(again):
            self.told.alike = self.told.alike and next(ours, line) == line
            seen.add(line)
        for _ in ours:
            pass
        self.told.stored, self.told.double = seen.stored, seen.double
        self.told.missing = seen.missing(self.marks)
        self.told.backwards = len(self.marks.backwards)
        return self.told


def exported(path: Path) -> Iterator[bytes]:
    """What `yizhan export` prints, line by line: there may be more than fits into memory."""
    program = Path(sys.executable).with_name("yizhan")
    words = [str(program), "export", "--config", str(path / "yizhan.yaml")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        yield from child.stdout
    assert child.returncode == 0


class Row(msgspec.Struct):
    station: str
    device: str
    seq: int


class Seen:
    """Which numbers of which devices are stored, and how often."""

    def __init__(self) -> None:
        self.stored = self.double = 0
        self._seqs = defaultdict[str, bytearray](bytearray)  # a byte for each number behind FIRST_SEQ

    def add(self, line: bytes) -> None:
        row = msgspec.json.decode(line, type=Row)
        seqs, at = self._seqs[f"{row.station}/{row.device}"], row.seq - FIRST_SEQ
        if at >= len(seqs):
            seqs.extend(bytes(at + 1_000 - len(seqs)))
        self.stored += 1
        self.double += seqs[at]
        seqs[at] = 1

    def missing(self, marks: Watermarks) -> int:
        """All devices began in one round: what came before the gateway listened no device has."""
        first = min((seqs.find(1) for seqs in self._seqs.values()), default=0) + 1
        missing = 0
        for device, upto in marks.upto.items():
            seqs = self._seqs[device]
            begin = min(first, marks.first[device] - FIRST_SEQ)
            if 0 <= seqs.find(1) < begin:
                begin = seqs.find(1)
            missing += upto - FIRST_SEQ + 1 - begin - seqs[begin : upto - FIRST_SEQ + 1].count(1)
        return missing


def run(
    folder: Path, servers: Servers, ways: Sequence[str | None], rate: float, seed: int, *, broken: bool = False
) -> Told:
    """Hurt them in these ways (None: at random) while `rate` messages a second come."""
    with ExitStack() as stack:
        copies = ThreeCopies(folder, servers, stack, seed, broken=broken)
        begin = time.monotonic()
        words = ["-m", "tests.soak.stream", *map(str, (copies.port, STATIONS, SEATS, rate))]
        devices = subprocess.Popen([sys.executable, *words])
        stack.callback(devices.wait)
        stack.callback(devices.kill)
        until(lambda: len(copies.marks.upto) == STATIONS * SEATS, "every device being told")
        copies.has_one_waiting("the beginning")
        for way in ways:
            copies.hurt(way)
        devices.kill()
        published_s = time.monotonic() - begin
        before = -1
        while before != copies.marks.heard:  # what is on its way
            before = copies.marks.heard
            time.sleep(2)
        told = copies.end()
        told.rate = told.stored / published_s
        return told
