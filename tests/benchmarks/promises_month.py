"""Months of stations that promise to be open, with lies: which are told, how soon, who is accused for nothing.

    python -m tests.benchmarks.promises_month [STATIONS] [DAYS] [SEED] [FAULTY_PCT]

The real pipeline, store and alert side follow on a virtual clock, and are stopped and started now and then. What
history keeps is compared with a count of its own over what devices said.
"""

import json
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from config.schema import Settings
from gateway.alerting import Alerting, Ourselves
from gateway.alerts.words import AlertEvent
from gateway.commands import SeenNonces, sign
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.evidence.checks import CheckReport, encode_command
from gateway.history.promises import Promised, promised
from gateway.model import OpeningChange
from gateway.policy.hours import Openings
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.jobs import KeepOpenings, KeepReports
from gateway.store.openings import openings
from gateway.store.sqlite import SqliteStore
from tests.benchmarks.promises_count import Count
from tests.benchmarks.promises_days import PATIENCE, month
from tests.benchmarks.promises_stations import DAY, SORTS, Lie, Month, Said
from tests.gateway.store.writing import at_once

START = 1_780_243_200_000  # midnight in Shanghai, 2026-06-01
MINUTE_MS = 60_000
KEY = b"k" * 32
TELLS_WITHIN = 30  # minutes
RESTARTS_A_DAY = 1.0
QUICK = 5  # minutes without us that are no gap
LEARNT_BY = 2 * DAY  # a door that locks itself, or a reader of which nobody told, is learnt by then
LONG_STOPS = 0.3  # of them; the others are over within the minute


@dataclass(slots=True)
class Result:
    """`accused`: of each station the spans of minutes in which it was contradicted though one could come in, after its
    first two days; `at_first`: how many there were in those.
    """

    months: list[Month]
    days: int
    accused: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    at_first: int = 0
    differing: list[str] = field(default_factory=list)
    kept: Promised = field(default_factory=Promised)
    restarts: int = 0
    messages: int = 0

    @property
    def shown(self) -> list[Lie]:
        """The lies that a sensor can show, long enough to be told."""
        lies = [lie for lived in self.months if lived.fault is None for lie in lived.lies]
        return [lie for lie in lies if lie.shown_at is not None and lie.ends - lie.shown_at > TELLS_WITHIN]

    @property
    def told(self) -> list[Lie]:
        return [
            lie
            for lie in self.shown
            if lie.told_at is not None and lie.shown_at is not None and lie.told_at - lie.shown_at <= TELLS_WITHIN
        ]

    @property
    def false_accusations(self) -> int:
        return sum(len(spans) for spans in self.accused.values())

    def table(self) -> Iterator[str]:
        yield f"{'station':28}{'months':>7}{'shown':>7}{'told':>6}{'p95 min':>9}{'accused':>9}{'by a fault':>12}"
        for sort in SORTS:
            mine = [number for number, lived in enumerate(self.months) if lived.sort is sort]
            part = Result([self.months[number] for number in mine], self.days)
            sound = sum(len(self.accused.get(n, ())) for n in mine if self.months[n].fault is None)
            broken = sum(len(self.accused.get(n, ())) for n in mine if self.months[n].fault is not None)
            waits = sorted(max(0, (lie.told_at or 0) - (lie.shown_at or 0)) for lie in part.told)
            late = f"{waits[int(len(waits) * 0.95)]}" if waits else "-"
            yield f"{sort.name:28}{len(mine):7}{len(part.shown):7}{len(part.told):6}{late:>9}{sound:9}{broken:12}"
        kinds = Counter(lie.kind for lie in self.shown)
        told = Counter(lie.kind for lie in self.told)
        yield "told of those shown: " + ", ".join(f"{kind} {told[kind]} of {kinds[kind]}" for kind in sorted(kinds))
        recall = len(self.told) / len(self.shown) if self.shown else 1
        station_months = len(self.months) * self.days / 30
        yield f"recall {recall:.3f}; {self.false_accusations} false accusations in {station_months:.0f} station-months"
        yield f"besides {self.at_first} in the first two days of stations whose door is not known yet"
        yield f"{self.restarts} restarts; {len(self.differing)} stations whose kept minutes differ from the count"
        yield f"{self.messages} messages; minutes {self.kept}"

    def wrong(self) -> Iterator[str]:
        """Each false accusation, and each lie that was shown and not told."""
        for number, spans in self.accused.items():
            for begins, ends in spans:
                lived, accused = self.months[number], f"{clock(begins)} for {ends - begins} min"
                yield f"site-{number} ({lived.sort.name}) accused at {accused}, {lived.fault}"
        for number, lived in enumerate(self.months):
            for lie in lived.lies:
                if lie in self.shown and lie not in self.told:
                    yield f"site-{number} ({lived.sort.name}) not told: {lie}"


def clock(minute: int) -> str:
    return f"day {minute // DAY} {minute % DAY // 60:02}:{minute % 60:02}"


class Town:
    """`step` is one minute."""

    def __init__(self, folder: Path, months: Sequence[Month], days: int, rng: random.Random) -> None:
        self.months, self.days, self.rng = months, days, rng
        self.folder = folder
        self.settings = _settings(folder, months)
        self.result = Result(list(months), days)
        self.store = SqliteStore(folder, START, ballast_mib=0)
        self.minute, self.number, self.up = 0, 0, True
        self.blind: list[list[tuple[int, int]]] = [[] for _ in months]
        self.reports = 0
        self.kept_at = self.heard_at = 0
        self._made(START)

    def _made(self, now: int) -> None:
        live = build(self.settings, self.settings.stations, Openings(self.settings), now)
        self.pipeline = Pipeline(live)
        self.pipeline.commands.trust(KEY, SeenNonces())
        self.alerting = Alerting(
            self.settings, live, self.store, gateway="gateway", write=at_once(self.store), wake=lambda: None,
            publish=lambda _topic, _payload: None, healthy=lambda: True, now=lambda: self.now,
        )  # fmt: skip
        self.alerting.dispatch.listeners.append(self._opened)

    @property
    def now(self) -> int:
        return START + self.minute * MINUTE_MS

    def _opened(self, event: AlertEvent) -> None:
        alert = event.alert
        if event.action != "opened" or alert.kind != "open_contradicted":
            return
        for lie in self.months[int((alert.station or "-0").split("-")[1])].lies:
            if lie.begins <= self.minute < lie.ends and lie.told_at is None:
                lie.told_at = self.minute

    def run(self) -> Result:
        at_minute: dict[int, list[tuple[int, Said]]] = defaultdict(list)
        for number, lived in enumerate(self.months):
            for said in lived.said:
                at_minute[said[0]].append((number, said))
        heard: list[list[Said]] = [[] for _ in self.months]
        stops = self._stops()
        self._watched(stops)
        self.alerting.begin(START)
        for minute in range(self.days * DAY):
            self.minute = minute
            if any(begins <= minute < ends for begins, ends in stops):
                if self.up:
                    self.alerting.stop()
                    self.up = False
                continue
            if not self.up:
                self._start()
            frames = []
            for number, said in at_minute.get(minute, ()):
                heard[number].append(said)
                frames.append(self._frame(number, said))
            self._minute(frames)
            if minute % 15 == 0:
                self._keep()
            if (minute, minute) in stops:
                self.alerting.stop()
                self._start()
        self.alerting.stop()
        self._compare(heard)
        self.store.close()
        return self.result

    def _frame(self, number: int, said: Said) -> tuple[bytes, bytes, int]:
        """A message as a device sends it, or as the API hands on what a person said."""
        _, device, what, payload = said
        if what != "check":
            return f"yz/site-{number}/{device}/{what}".encode(), json.dumps(payload).encode(), 0
        self.reports += 1
        topic, name = f"yz-cmd/site-{number}/check", f"00000000-0000-4000-8000-{self.reports:012}"
        report = CheckReport(id=name, check=device, ts=self.now, result=payload["result"])
        text = encode_command(f"nonce-of-a-month-{self.reports}", self.now + MINUTE_MS, report)
        return topic.encode(), sign(KEY, topic, text), 0

    def _minute(self, frames: list[tuple[bytes, bytes, int]]) -> None:
        self.result.messages += len(frames)
        self.heard_at = self.minute if frames else self.heard_at
        self.pipeline.tick(self.now)
        if frames:
            self.pipeline.handle_all(frames, self.now)
            self.pipeline.tick(self.now)
        if self.pipeline.pending:
            outcome = self.pipeline.take()
            self.number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
            if outcome.openings:
                self.store.write([KeepOpenings(outcome.openings)])
            if outcome.reports:
                self.store.write([KeepReports(outcome.reports)])
            self.alerting.follow(outcome, self.number, self.now)
        self.alerting.tick(self.now, Ourselves())

    def _stops(self) -> list[tuple[int, int]]:
        stops = []
        for day in range(self.days):
            if self.rng.random() < RESTARTS_A_DAY:
                at = day * DAY + self.rng.randrange(1, DAY - 200)
                stops.append((at, at + self.rng.randrange(10, 180) if self.rng.random() < LONG_STOPS else at))
        return stops

    def _watched(self, stops: list[tuple[int, int]]) -> None:
        """Of what happened while nobody watched no lie can be told."""
        for lie in [lie for lived in self.months for lie in lived.lies]:
            if any(begins < lie.ends and lie.begins < ends for begins, ends in stops if begins < ends):
                lie.shown_at = None

    def _keep(self) -> None:
        """What is kept is true up to now."""
        memory = Memory(self.pipeline.live)
        parts = [(part, memory.dump(part, self.now)) for part in range(len(memory.parts))]
        self.store.checkpoint_all(parts, self.number)
        self.kept_at = self.minute

    def _start(self) -> None:
        """After a stop or a kill: what came since it was last kept is in the journal."""
        self.up = True
        self.result.restarts += 1
        told = self.store.openings()
        for number, spans in enumerate(self.blind):
            last_told = (told[f"site-{number}"].at - START) // MINUTE_MS if f"site-{number}" in told else 0
            alive = max(self.kept_at, self.heard_at, last_told)
            if self.minute - alive > QUICK:
                spans.append((alive, self.minute))
        self._made(self.now)
        restore(self.pipeline, self.store, self.now)
        self.alerting.begin(self.now)
        self._minute([])

    def _compare(self, heard: list[list[Said]]) -> None:
        """What history has with the count, and the accusations in it with the truth."""
        minutes = self.days * DAY
        names = [f"site-{number}" for number in range(len(self.months))]
        stored = openings([self.store.folder], names, START, START + minutes * MINUTE_MS)
        for number, lived in enumerate(self.months):
            states = list(Count(lived.sort, heard[number], self.blind[number]).states(minutes))
            kept = promised(stored[f"site-{number}"], START, START + minutes * MINUTE_MS)
            self.result.kept.add(kept)
            history = _by_minute(stored[f"site-{number}"], minutes)
            differ = [minute for minute in range(minutes) if history[minute] != states[minute]]
            counted = Counter(states)
            sums = {name: getattr(kept, name) // MINUTE_MS for name in ("proved", "unproved", "contradicted")}
            if differ or any(sums[name] != counted[name] for name in sums):  # type: ignore[index]
                first = differ[0] if differ else -1
                self.result.differing.append(
                    f"site-{number} ({lived.sort.name}) {len(differ)} minutes, the first {clock(first)}: "
                    f"kept {history[first]}, counted {states[first]}"
                )
            spans = [span for span in _spans(history) if not _true(span, lived)]
            self.result.at_first += sum(begins < LEARNT_BY for begins, _ in spans)
            self.result.accused[number] = [span for span in spans if span[0] >= LEARNT_BY]


def _by_minute(changes: Sequence[OpeningChange], minutes: int) -> list[str]:
    history, state, at = [], "closed", 0
    for minute in range(minutes):
        while at < len(changes) and changes[at].at <= START + minute * MINUTE_MS:
            state, at = changes[at].state, at + 1
        history.append(state)
    return history


def _spans(history: list[str]) -> Iterator[tuple[int, int]]:
    at = 0
    for state, group in groupby(history):
        length = len(list(group))
        if state == "contradicted":
            yield at, at + length
        at += length


def _true(span: tuple[int, int], lived: Month) -> bool:
    """Whether nobody could come in before it began, a patience long at most, or who found so has not been again."""
    oks = [at for at, _, what, payload in lived.said if what == "check" and payload["result"] == "ok"]
    until = {lie.ends: lie.ends + PATIENCE for lie in lived.lies}
    if lived.sort.checked:
        until = {ends: min([at for at in oks if at >= ends], default=span[1]) for ends in until}
    return any(lie.begins <= span[0] < until[lie.ends] for lie in lived.lies)


def _settings(folder: Path, months: Iterable[Month]) -> Settings:
    stations = [
        {
            "id": f"site-{number}",
            "hours": lived.sort.hours,
            "checks": [{"id": "entry", "every": "day", "entry": True}] if lived.sort.checked else [],
            "areas": [{"id": "a", "resources": lived.sort.resources()}],
        }
        for number, lived in enumerate(months)
    ]
    config = {"store": {"path": folder}, "stations": stations}
    return Settings.model_validate(config, context={"base": folder, "check_files": False})


def run(stations: int, days: int, seed: int = 1, faulty: float = 0.15) -> Result:
    rng = random.Random(seed)
    months = [month(SORTS[number % len(SORTS)], days, rng, faulty=faulty) for number in range(stations)]
    with tempfile.TemporaryDirectory() as folder:
        return Town(Path(folder), months, days, rng).run()


if __name__ == "__main__":
    asked = (*sys.argv[1:], *("108", "30", "1", "15")[len(sys.argv) - 1 :])
    stations, days, seed, faulty_pct = (int(value) for value in asked)
    done = run(stations, days, seed, faulty_pct / 100)
    print("\n".join((*done.table(), *done.differing, *done.wrong())))
