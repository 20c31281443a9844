"""Deliveries that are killed at a step: `python -m tests.api.webhooks.dying FOLDER URL`.

A step is each statement of the file, and before and after each request. For each of them a process is forked that dies
there by SIGKILL and a second one that goes on from its folder, at an address of their own: URL/0, URL/1, ... Prints a
line of JSON for each: whether the answer of a request was then neither kept nor lost for sure.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.auth import Keyring
from api.live_view import Entry
from api.webhooks import deliveries
from api.webhooks.deliveries import Deliveries
from config.schema import Settings
from gateway.alerts.words import AlertEvent
from gateway.base.clock import now_ms
from gateway.base.mishaps import Mishaps
from gateway.notify import http
from gateway.store.subscriptions import Subscription, SubscriptionFile
from tests.api.documents import document, line, resource
from tests.gateway.notify.samples import ALERT

NOW = now_ms()
ACTIONS = ("opened", "acknowledged", "closed")
EVENTS = [AlertEvent(replace(ALERT, id="a1"), NOW + n, action) for n, action in enumerate(ACTIONS)]  # type: ignore[arg-type]
LAST_USE = "occupied"
MARK = "ambiguous"


class Inline(ThreadPoolExecutor):
    """Works at once, in the thread that asks: each run takes the same steps."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*given, **more))
        return future


class Steps:
    """Dies at the step of this number; `ambiguous` between a receiver's answer and the commit of it."""

    def __init__(self, folder: Path, die_at: int | None) -> None:
        self._folder, self._die_at = folder, die_at
        self.count = 0
        self._answered = self._committing = False

    def __call__(self, statement: str) -> None:
        if self._committing:  # the statement before this one was the commit, and is done
            self._answered = self._committing = False
        if self.count == self._die_at:
            (self._folder / MARK).write_text(json.dumps(self._answered))
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        self._committing = self._answered and statement == "COMMIT"

    def answered(self) -> None:
        self._answered = True
        self("answered")


def entry(use: str, version: int) -> Entry:
    shown = resource("seat", use=use, until=NOW + 600_000)
    return Entry(document("yanshan", [shown], [line("seat", 1, int(use == "free"), 1)], NOW), version)


def settings_of(folder: Path) -> Settings:
    stations = [{"id": "yanshan", "areas": []}]
    store, api = {"path": str(folder)}, {"subscriptions_allow_private": True}
    return Settings.model_validate({"stations": stations, "store": store, "api": api})


def prepared(folder: Path, url: str) -> Settings:
    """A folder with a key and its subscription."""
    folder.mkdir()
    settings = settings_of(folder)
    owner = Keyring.of(settings).create("app", "app", NOW, alerts=True).split("_")[1]
    file = SubscriptionFile(folder)
    file.put(Subscription("s", owner, url, ("availability", "alert"), ("yanshan",), (), "whsec_AAAA", NOW - 1))
    file.close()
    return settings


def lived(folder: Path, steps: Steps, *, again: bool) -> None:
    """Until all is told, or death. `again`: after a death, from what is so now and what the store knows."""
    settings, exchange = settings_of(folder), http.exchange

    def watched(*given: Any) -> Any:
        steps("asking")
        answer = exchange(*given)
        steps.answered()
        return answer

    vars(deliveries)["exchange"] = watched
    known = EVENTS if again else []
    tells = Deliveries(lambda: settings, Keyring.of(settings), now_ms, Mishaps(), lambda _since: known, told=True)
    tells._pool = Inline()
    tells._opened()._db.set_trace_callback(steps)
    turns: list[tuple[list[str], list[AlertEvent]]] = [
        (["free"], []), ([LAST_USE], EVENTS[:1]), (["free", LAST_USE], EVENTS[1:]),
    ]  # fmt: skip
    for number, (uses, events) in enumerate([([LAST_USE], [])] if again else turns):
        for use in uses:
            tells.heard(entry(use, number))
        for event in events:
            tells.happened(event)
        while not all(backlog.over() for backlog in tells._backlogs.of.values()) or tells._came or tells._events:
            tells.step()
        tells.step()


def forked(work: Callable[[], None]) -> int:
    """The status of a process that does it and ends."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    return os.waitpid(child, 0)[1]


def main(root: Path, url: str) -> None:
    number = 0
    while True:
        folder = root / str(number)
        prepared(folder, f"{url}/{number}")
        steps = Steps(folder, number)
        died = forked(lambda folder=folder, steps=steps: lived(folder, steps, again=False))  # type: ignore[misc]
        if not os.WIFSIGNALED(died):
            print(json.dumps({"steps": number, "status": died}))
            return
        status = forked(lambda folder=folder: lived(folder, Steps(folder, None), again=True))  # type: ignore[misc]
        ambiguous = json.loads((folder / MARK).read_text())
        print(json.dumps({"number": number, "ambiguous": ambiguous, "status": status}), flush=True)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
