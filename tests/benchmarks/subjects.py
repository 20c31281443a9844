"""The three that are compared, each in a process of its own; tells in one JSON line what it took.

    python -m tests.benchmarks.subjects stock|prototype|gateway CONFIG COUNT WARM

`stock` is paho's `loop_forever` that only counts. `prototype` is the least that could call itself a gateway: the fast
reader, a decode, one packed row a commit, acknowledged after it; no state, no documents, no watermarks. `gateway` is
the product as `yizhan gateway` runs it; it says `warm` when the first WARM messages are durable and told.
With COUNT 0 it only starts, and tells how long that took.
"""

import json
import resource
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from time import monotonic, sleep
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from config.load import load
from config.schema import Settings
from gateway.model import Batch
from gateway.mqtt import Arrivals, Session
from gateway.mqtt.configured import broker_of
from gateway.runtime import Gateway
from gateway.store.packing import pack_batch
from gateway.wire import Signals

LOOK_S = 0.005
SETTLE_S = 6.0  # until the watermarks of the warm-up are out as well


def rss_kib() -> int:
    """Resident memory now."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Stopwatch:
    """From the first message to the last durable one."""

    def __init__(self) -> None:
        self.begun = 0.0
        self.cpu = 0.0

    def begin(self) -> None:
        self.begun, self.cpu = monotonic(), cpu_s()

    def report(self, count: int, **more: float | str) -> None:
        seconds, cpu = monotonic() - self.begun, cpu_s() - self.cpu
        told = {"rate": count / seconds, "cpu_us": cpu / count * 1e6, "rss_mib": rss_kib() / 1024, **more}
        print(json.dumps(told), flush=True)


def ready() -> None:
    print("ready", flush=True)


def stock(settings: Settings, count: int) -> None:
    watch = Stopwatch()
    seen = 0

    def on_message(_client: paho.Client, _data: object, _message: paho.MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            watch.begin()
        if seen == count:
            watch.report(count)
            client.disconnect()

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="subject", clean_session=False)
    client.on_message = on_message

    def subscribe(*_: Any) -> None:
        client.subscribe("yz/#", 1)

    client.on_connect = subscribe
    client.on_subscribe = lambda *_: ready()
    client.connect(settings.mqtt.endpoint.host, settings.mqtt.endpoint.port)
    client.loop_forever()


def prototype(settings: Settings, count: int) -> None:
    decode = msgspec.json.Decoder(
        msgspec.defstruct("Seat", [("occupied", bool, False)], bases=(Signals,), gc=False)
    ).decode
    session = Session(broker_of(settings), "subject", filters=["yz/#"])
    jobs: SimpleQueue[tuple[Batch, list[int]]] = SimpleQueue()
    done: SimpleQueue[list[int]] = SimpleQueue()
    ids: dict[bytes, int] = {}

    def write() -> None:
        settings.store.path.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(settings.store.path / "prototype.db", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, blob BLOB)")
        while True:
            batch, mids = jobs.get()
            blob = pack_batch(batch, [ids.setdefault(topic, len(ids)) for topic in batch.topics])
            db.execute("INSERT INTO batch (blob) VALUES (?)", (blob,))
            done.put(mids)
            session.wake()

    threading.Thread(target=write, daemon=True).start()
    watch, stored = Stopwatch(), 0
    batch, mids, busy = Batch(), list[int](), False
    while stored < count:
        arrivals: Arrivals | None = session.poll(0.5)
        if session.subscribed and not watch.begun:
            ready()
            watch.begun = 0.1
        if arrivals is not None:
            if watch.begun == 0.1:
                watch.begin()
            for topic, body, _ in arrivals.frames:
                decode(body)
                batch.append(topic, body, 0, 0)
            mids += arrivals.mids
        if not done.empty():
            durable = done.get()
            session.ack(session.epoch, durable)
            stored, busy = stored + len(durable), False
        if mids and not busy:
            jobs.put((batch, mids))
            batch, mids, busy = Batch(), [], True
    watch.report(count)
    session.close()


def gateway(settings: Settings, count: int, warm: int, started: float) -> None:
    subject = Gateway(settings)
    subject.start()
    while not subject.report.status().ready:
        sleep(0.001)
    start_s = monotonic() - started
    before_kib = rss_kib()
    ready()
    if not count:
        told = {"start_s": start_s, "start_cpu_s": cpu_s(), "idle_mib": before_kib / 1024}
        print(json.dumps(told), flush=True)
        subject.stop()
        return
    if warm:
        wait(subject, lambda: subject.intake.stored >= warm and not subject.pipeline.live.dirty)
        sleep(SETTLE_S)
        print("warm", flush=True)
    wait(subject, lambda: subject.pipeline.counters["received"] > warm)
    watch, documents = Stopwatch(), subject.intake.documents.count
    watch.begin()
    wait(subject, lambda: subject.intake.stored >= count)
    watch.report(
        count - warm, start_s=start_s, idle_mib=before_kib / 1024, documents=subject.intake.documents.count - documents,
        protocol=subject.session.protocol,
    )  # fmt: skip
    subject.stop()


def wait(subject: Gateway, done: Callable[[], bool]) -> None:
    while not done():
        sleep(LOOK_S)
        if subject.dead:
            raise RuntimeError(f"{subject.dead} died")


def main() -> None:
    started = monotonic()
    which, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    settings = load(path)
    if which == "stock":
        stock(settings, count)
    elif which == "prototype":
        prototype(settings, count)
    else:
        gateway(settings, count, int(sys.argv[4]), started)


if __name__ == "__main__":
    main()
