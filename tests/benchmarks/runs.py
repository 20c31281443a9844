"""One run: a broker, a subject, and the publisher; each its own process on the same cores."""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.benchmarks.brokers import mosquitto
from tests.benchmarks.places import write_config

TIMEOUT_S = 120


@dataclass(frozen=True)
class Load:
    """What is published: `count` messages of stations × seats devices; a value changes every `flip_every` messages."""

    count: int = 100_000
    stations: int = 100
    seats: int = 20
    flip_every: int = 20
    rate: float = 0
    warm: int = 0  # of them, sent before the measurement begins


def run(
    subject: str,
    load: Load,
    *,
    drain: bool = False,
    again: bool = False,
    protocol: str = "auto",
    replica: str | None = None,
    broker: Callable[[Path], AbstractContextManager[int]] = mosquitto,
) -> dict[str, Any]:
    """What the subject tells of itself.

    `replica`: the address of a PostgreSQL for a second copy.
    `drain`: the broker's queue is filled before the subject comes. `again`: it is started once more on what it stored.
    """
    with tempfile.TemporaryDirectory() as name, broker(Path(name)) as port:
        config = Path(name) / "config.yaml"
        write_config(config, load.stations, load.seats, f"mqtt://127.0.0.1:{port}", protocol=protocol, replica=replica)
        numbers = [load.count, load.flip_every, load.rate, load.warm]
        with child("publisher", port, load.stations, load.seats, *numbers) as publisher:
            expect(publisher, "ready")
            if drain:
                leave_a_session(port, 5 if subject != "stock" and protocol != "3.1.1" else 4)
                say(publisher, "go")
                expect(publisher, "done")
            with child("subjects", subject, config, load.count, load.warm) as measured:
                expect(measured, "ready")
                if load.warm:
                    say(publisher, "go")
                    expect(measured, "warm")
                if not drain:
                    say(publisher, "go")
                told = dict(json.loads(line(measured)))
        if again:
            with child("subjects", subject, config, 0, 0) as restarted:
                expect(restarted, "ready")
                told |= {f"again_{key}": value for key, value in json.loads(line(restarted)).items()}
        return told


def leave_a_session(port: int, version: int) -> None:
    """Have the broker keep for the subject what comes from now on."""
    extra: dict[str, Any] = {"clean_session": False}
    if version == 5:
        extra = {"protocol": paho.MQTTv5}
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="subject", **extra)

    def subscribe(*_: Any) -> None:
        client.subscribe("yz/#", 1)

    def leave(*_: Any) -> None:
        client.disconnect()

    client.on_connect, client.on_subscribe = subscribe, leave
    if version == 5:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3_600
        client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    else:
        client.connect("127.0.0.1", port)
    client.loop_forever()


@contextlib.contextmanager
def child(module: str, *arguments: object) -> "Iterator[subprocess.Popen[str]]":
    """It has ended when the block has: by itself, or by force."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
        process.wait(TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def say(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(word + "\n")
    process.stdin.flush()


def line(process: "subprocess.Popen[str]") -> str:
    """The next line it prints; RuntimeError when it ends without, or says nothing for too long."""
    assert process.stdout is not None
    watchdog = threading.Timer(TIMEOUT_S, process.kill)
    watchdog.start()
    text = process.stdout.readline().strip()
    watchdog.cancel()
    if not text:
        raise RuntimeError(f"{process.args!r} died")
    return text


def expect(process: "subprocess.Popen[str]", word: str) -> None:
    word_told = line(process)
    if word_told != word:
        raise RuntimeError(f"{word!r} expected, {word_told!r} came")
