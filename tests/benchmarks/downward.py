"""What staff do at a centre, until it is done at the box: a box and a centre as processes, a mosquitto each.

    python -m tests.benchmarks.downward [--count 100] [--rate 500]
    python -m tests.benchmarks.downward --load PORT --rate 500     (the devices of the box, until it is killed)

Each deed is pressed over HTTP at the centre, as the pages do (an unlock is a signed command at its broker, as nothing
else is). It is at the box once the box's store holds it, its document shows it, or its bridge has heard it.
"""

import argparse
import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import Any, NamedTuple
from uuid import uuid4

from api.alert_books import AlertBooks
from gateway.commands import sign
from gateway.mqtt import Broker, Session
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.places import FIRST_SEQ, names, payload
from tests.e2e.rig import get, publish
from tests.e2e.test_downward import Bridge
from tests.e2e.test_uplink import ALONE, BOX, House, boxes, brokers
from tests.patience import until

AT_BOX_S = 2.0
"""What is promised."""
LOOK_S = 0.002
STATIONS, SEATS = 2, 100
LIFE_MS = 30_000

YANSHAN = """\
stations:
  - id: yanshan
    name: {zh: 雁山驿站, en: Yanshan}
    checks: [{id: microwave-works, of: [microwave], every: 12 h}]
    areas:
      - id: lounge
        resources:
          - {id: door, kind: door}
          - {id: microwave, kind: appliance, type: microwave}
          - {id: pile-1, kind: charger, type: ev}
"""


def stations() -> str:
    """Yanshan, and those whose seats make the load."""
    text = [YANSHAN]
    for station in range(STATIONS):
        seats = ", ".join(f"{{id: seat-{seat:02d}, kind: seat}}" for seat in range(SEATS))
        text.append(f"  - {{id: s{station:05d}, areas: [{{id: lounge, resources: [{seats}]}}]}}\n")
    return "".join(text)


class Took(NamedTuple):
    """Seconds from the press to the effect at the box, and to the answer; what the answer said of the box."""

    box_s: float
    answer_s: float
    said: str


class Told(NamedTuple):
    """An answer of the API."""

    body: dict[str, Any]
    etag: str


Press = Callable[[], Told | None]
There = Callable[[], bool]


class Eye(threading.Thread):
    """The newest document of the station at the box's broker."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.document: dict[str, Any] = {}
        self._session = Session(Broker("127.0.0.1", port), "eye", filters=["yz-live/yanshan"], keep=False)
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            arrivals = self._session.poll(0.1)
            for _, body, _ in arrivals.frames if arrivals is not None else ():
                self.document = json.loads(body)
            if arrivals is not None:
                self._session.ack(arrivals.epoch, arrivals.mids)

    def of(self, resource: str) -> dict[str, Any]:
        listed = (row for area in self.document.get("areas", ()) for row in area["resources"])
        return next((row for row in listed if row["id"] == resource), {})

    def __enter__(self) -> "Eye":
        self.start()
        until(lambda: self.document, what="the station at its box")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(5)
        self._session.close()


class Centre:
    """Staff at the centre: one connection, kept open as a browser does."""

    def __init__(self, house: House, key: dict[str, str]) -> None:
        self.house, self._key = house, key
        self._line = http.client.HTTPConnection("127.0.0.1", house.http, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Told:
        more = self._key | {"Content-Type": "application/json"} | headers
        self._line.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), more)
        answer = self._line.getresponse()
        told = json.loads(answer.read())
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {told}")
        return Told(told, answer.headers["etag"] or "")


class Deeds:
    """Each deed: `press()` does it at the centre, `there()` says whether it is at the box."""

    def __init__(
        self, centre: Centre, box: House, eye: Eye, bridge: Bridge, books: AlertBooks, signal_box: Callable[[int], None]
    ) -> None:
        self.signal_box = signal_box
        self.centre, self.box, self.eye, self.bridge, self.books = centre, box, eye, bridge, books
        self._key = (centre.house.folder / "data" / "command.key").read_bytes().strip()
        publish(box.broker.port, "yz/yanshan/door/event", '{"boot": "b1", "seq": 1, "type": "help"}')
        self.alert = until(lambda: centre.ask("GET", "/alerts?kind=help").body["alerts"], what="the call")[0]["id"]
        until(lambda: books.alerts("open", ["yanshan"], 1, "help"), what="the call at the box")
        self._line = Session(Broker("127.0.0.1", centre.house.broker.port), "desk", keep=False)
        self._at_desk()

    def _at_desk(self) -> None:
        """The line stands, also where it was looked at long ago."""
        for _ in range(3):
            until(lambda: (self._line.poll(0.02), self._line.connected)[1], what="the desk at the broker")

    def all(self) -> dict[str, Callable[[int], tuple[Press, There]]]:
        """By their names."""
        return {
            "acknowledge": self.acknowledge, "order": self.order, "override": self.override, "check": self.check,
            "door unlock": self.unlock, "pile call": self.call, "configuration": self.configuration,
        }  # fmt: skip

    def acknowledge(self, number: int) -> tuple[Press, There]:
        step = "undo" if number % 2 else "acknowledge"
        press = lambda: self.centre.ask("POST", f"/alerts/{self.alert}/{step}", {})  # noqa: E731
        return press, lambda: bool(self.books.alerts("open", ["yanshan"], 1, "help")) == (number % 2 == 1)

    def order(self, number: int) -> tuple[Press, There]:
        before = len(self.books.orders(["yanshan"]))
        press = lambda: self.centre.ask("POST", "/orders", {"station": "yanshan", "title": f"work {number}"})  # noqa: E731
        return press, lambda: len(self.books.orders(["yanshan"])) > before

    def override(self, number: int) -> tuple[Press, There]:
        end = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
        word: dict[str, Any] = {"status": None} if number % 2 else {"status": "maintenance", "until": end}
        word["resource"] = "pile-1"
        press = lambda: self.centre.ask("PUT", "/stations/yanshan/override", word)  # noqa: E731
        return press, lambda: (self.eye.of("pile-1").get("health") == "maintenance") == (number % 2 == 0)

    def check(self, number: int) -> tuple[Press, There]:
        health, result = ("ok", "ok") if number % 2 else ("fault", "problem")
        body = {"id": str(uuid4()), "check": "microwave-works", "at": datetime.now(UTC).isoformat(), "result": result}
        press = lambda: self.centre.ask("POST", "/stations/yanshan/checks", body)  # noqa: E731
        return press, lambda: self.eye.of("microwave").get("health") == health

    def unlock(self, _number: int) -> tuple[Press, There]:
        topic, before = "yz-cmd/yanshan/door/unlock", self.bridge.done.count("unlock")
        self._at_desk()

        def press() -> None:
            head = {"nonce": uuid4().hex, "expires": time_ns() // 1_000_000 + LIFE_MS, "by": "li"}
            while self._line.publish(topic, sign(self._key, topic, json.dumps(head).encode())) is None:
                self._line.poll(0.01)
            self._line.poll(0.01)

        return press, lambda: self.bridge.done.count("unlock") > before

    def call(self, _number: int) -> tuple[Press, There]:
        before = self.bridge.done.count("call")
        body = {"action": "Reset", "payload": {"type": "Soft"}}
        press = lambda: self.centre.ask("POST", "/piles/cp-1/calls", body)  # noqa: E731
        return press, lambda: self.bridge.done.count("call") > before

    @property
    def line(self) -> str:
        """How the centre has that of the box."""
        return str(self.centre.ask("GET", "/boxes").body["boxes"][0]["line"])

    def _waits(self) -> bool:
        listed = self.centre.ask("GET", "/boxes").body["boxes"][0]["errands"]
        return any(errand["what"] == "config" and errand["state"] == "waiting" for errand in listed)

    def configuration(self, number: int) -> tuple[Press, There]:
        """The ETag was read before the press, as a page has it."""
        until(lambda: not self._waits(), what="the change before")
        tag = {"If-Match": self.centre.ask("GET", "/config?station=yanshan").etag}
        name = f"Yanshan {number}"
        change = {"op": "replace", "path": "/stations/yanshan/name", "value": {"zh": "雁山驿站", "en": name}}
        press = lambda: self.centre.ask("POST", "/config/changes", {"changes": [change]}, **tag)  # noqa: E731
        return press, lambda: bool(self.eye.document.get("name", {}).get("en") == name)


def timed(press: Press, there: There, hand: ThreadPoolExecutor) -> Took:
    begin = monotonic()
    answered_at: list[float] = []

    def pressed() -> Told | None:
        told = press()
        answered_at.append(monotonic())
        return told

    answer: Future[Told | None] = hand.submit(pressed)
    while not there():
        if monotonic() - begin > 60 or (answer.done() and answer.exception()):
            answer.result()
            raise TimeoutError(f"it never came to the box: {answer}")
        sleep(LOOK_S)
    box_s = monotonic() - begin
    told = answer.result()
    said = (told.body.get("box") or {}).get("state", "") if told is not None else ""
    return Took(box_s, answered_at[0] - begin, said)


@contextlib.contextmanager
def pair(folder: Path) -> Iterator[Deeds]:
    """A box that obeys its centre, both running, with a bridge and somebody who looks."""
    centre = House(folder / "centre", ALONE, "")
    told = BOX.replace("id: box-1,", "id: box-1, command_key_file: centre.key,")
    box = House(folder / "box", told, stations(), centre=centre.broker.port, confirm="box")
    pile = json.dumps({"bridge": "bridge-1", "protocol": "ocpp1.6", "since": "", "devices": ["pile-1"]})
    with brokers(centre, box), centre.up() as up:
        until(lambda: get(centre.http, "/readyz"))
        key = centre.key()
        shutil.copy(centre.folder / "data" / "command.key", box.folder / "centre.key")
        with (
            box.up() as box_up,
            Eye(box.broker.port) as eye,
            Bridge(box, box.folder / "data" / "command.key") as bridge,
        ):
            until(lambda: boxes(centre.http, key)[0]["line"] == "up", what="the line")
            until(lambda: centre.shown("door"), what="the station at the centre")
            publish(box.broker.port, "yz-pile/yanshan/cp-1", pile, "-r")
            desk = Centre(centre, key)
            until(lambda: desk.ask("GET", "/stations/yanshan/piles").body["piles"], what="the pile at the centre")
            books = AlertBooks(box.folder / "data")
            try:
                yield Deeds(desk, box, eye, bridge, books, box_up.child.send_signal)
            finally:
                books.close()
            box_up.stop(signal.SIGKILL)
        up.stop(signal.SIGTERM)


@contextlib.contextmanager
def load(port: int, rate: float) -> Iterator[None]:
    if not rate:
        yield
        return
    command = [sys.executable, "-m", "tests.benchmarks.downward", "--load", str(port), "--rate", str(rate)]
    devices = subprocess.Popen(command)
    try:
        sleep(5)  # every device was heard
        yield
    finally:
        devices.kill()
        devices.wait()


def speak(port: int, rate: float) -> None:
    """All seats in turn; one message in 20 changes a value."""
    session = Session(Broker("127.0.0.1", port), "load", keep=False)
    devices, begin, number = list(names(STATIONS, SEATS)), monotonic(), 0
    while True:
        lap, at = divmod(number, len(devices))
        station, device = devices[at]
        said = payload(FIRST_SEQ + lap, (lap + at) // 20 % 2 == 0, time_ns() // 1_000_000)
        session.publish(f"yz/{station}/{device}/state", said)
        number += 1
        while (rest := begin + number / rate - monotonic()) > 0:
            session.poll(rest)


def measure(count: int = 100, rate: float = 0) -> dict[str, list[Took]]:
    """Of each deed, how long each of `count` took while the box's devices say `rate` messages a second."""
    told: dict[str, list[Took]] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        deeds, hand = stack.enter_context(pair(folder)), stack.enter_context(ThreadPoolExecutor(1))
        stack.enter_context(load(deeds.box.broker.port, rate))
        for what, deed in deeds.all().items():
            told[what] = [timed(*deed(number), hand) for number in range(count)]
    return told


HARM = (("frozen", signal.SIGSTOP, "up"), ("killed", signal.SIGKILL, "down"))
"""What befalls the box, and how its line then seems to be."""


def waiting(count: int) -> dict[str, list[Took]]:
    """How long until the answer says that it waits."""
    told: dict[str, list[Took]] = {}
    with tempfile.TemporaryDirectory() as name, pair(Path(name)) as deeds:
        for harm, number, line in HARM:
            deeds.signal_box(number)
            until(lambda line=line: deeds.line == line, what=f"the line {line}")
            for what, deed in (
                ("acknowledge", deeds.acknowledge),
                ("order", deeds.order),
                ("override", deeds.override),
            ):
                told[f"{what}, box {harm}"] = [answered(deed(turn)[0]) for turn in range(count)]
    return told


def answered(press: Press) -> Took:
    begin = monotonic()
    told = press()
    return Took(0.0, monotonic() - begin, (told.body.get("box") or {}).get("state", "") if told is not None else "")


def share(values: list[float], of_100: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * of_100 // 100)]


def downward(count: int = 100, rates: tuple[float, ...] = (0, 500)) -> Iterator[Figure]:
    for rate in rates:
        when = f"with {rate:.0f} msg/s at the box" if rate else "at rest"
        for what, took in measure(count, rate).items():
            at_box = [deed.box_s for deed in took]
            yield Figure(f"{what} at the centre → at the box, {when}, p50", share(at_box, 50) * 1000, "ms")
            yield Figure(f"{what} at the centre → at the box, {when}, p99", share(at_box, 99) * 1000, "ms")
            yield Figure(f"{what} at the centre → at the box, {when}, longest", max(at_box) * 1000, "ms")
            longest = max((deed.box_s for deed in took if deed.said != "waiting"), default=0.0)
            yield Figure(f"{what}: longest of those not told as waiting, {when}", longest * 1000, "ms", AT_BOX_S * 1000)
            answers = [deed.answer_s for deed in took]
            yield Figure(f"{what}: answer at the centre, {when}, p99", share(answers, 99) * 1000, "ms")
            waiting = sum(deed.said == "waiting" for deed in took)
            yield Figure(f"{what}: told as waiting, {when}", waiting, f"of {count}")


def waits(count: int = 20) -> Iterator[Figure]:
    for what, took in waiting(count).items():
        said = sum(deed.said == "waiting" for deed in took)
        yield Figure(f"{what}: told as waiting", said, f"of {count}", count, least=True)
        longest = max(deed.answer_s for deed in took)
        yield Figure(f"{what}: until that was told, longest", longest * 1000, "ms", AT_BOX_S * 1000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--load", type=int)
    asked = parser.parse_args()
    if asked.load:
        speak(asked.load, asked.rate)
    for rate in (0, 500) if asked.rate is None else (asked.rate,):
        print(table(list(downward(asked.count, (rate,)))), flush=True)
    print(table(list(waits())), flush=True)
