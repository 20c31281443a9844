"""Any messages in any order, silences, restarts, clocks set back, words by hand: no answer ever outlives its proof.

YIZHAN_EXAMPLES=500 searches longer.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from config.schema import Settings
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build
from gateway.live import document
from gateway.model import Message
from gateway.policy.activities import Activity, Agenda
from gateway.policy.hours import Openings
from gateway.policy.override import STATUSES, Override, OverrideTarget, SetStatus
from gateway.runtime.memory import Memory
from gateway.runtime.restoring import restore
from gateway.store.sqlite import SqliteStore
from tests.gateway.properties import contract

START = 1_780_279_200_000
MINUTE, HOUR = 60_000, 3_600_000
CONFIG = {
    "kinds": {"seat": {"away_s": 120}},
    "stations": [
        {
            "id": "s", "hours": "08:00-12:00,13:00-22:00",
            "areas": [
                {"id": "hall", "resources": [
                    {"id": "seat", "kind": "seat"},
                    {"id": "pile", "kind": "charger", "type": "ev", "reporting": "on_change", "ttl": 600},
                    {"id": "bank", "kind": "locker", "capacity": 8},
                    {"id": "door", "kind": "door"},
                    {"id": "aed", "kind": "safety", "type": "aed"},
                    {"id": "later", "kind": "seat", "lifecycle": "planned"},
                ]},
                {"id": "studio", "hours": "09:00-11:00", "resources": [
                    {"id": "room", "kind": "room", "device": "door", "capacity": 6, "reporting": "on_change"},
                    {"id": "quiet", "kind": "room", "capacity": 20, "privacy": "coarse"},
                    {"id": "oven", "kind": "appliance", "type": "microwave"},
                ]},
            ],
        }
    ],
}  # fmt: skip
flags = st.booleans()
SETTINGS = Settings.model_validate(CONFIG)
SIGNALS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "seat": st.fixed_dictionaries({"occupied": flags}),
    "pile": st.fixed_dictionaries(
        {"status": st.sampled_from(["Available", "Charging", "SuspendedEV", "Faulted", "Vendor"])},
        optional={
            "power_w": st.sampled_from([0, 500]), "energy_wh": st.integers(0, 9), "error": st.sampled_from(["", "E"]),
        },
    ),
    "bank": st.fixed_dictionaries({"free": st.integers(0, 12)}, optional={"total": st.integers(0, 12)}),
    "door": st.fixed_dictionaries({}, optional={"open": flags, "locked": flags, "occupied": flags}),
    "aed": st.fixed_dictionaries({"ready": flags}, optional={"cabinet_open": flags, "expires": st.just("2026-06-01")}),
    "quiet": st.fixed_dictionaries({}, optional={"people": st.integers(0, 30), "occupied": flags}),
    "oven": st.fixed_dictionaries({"status": st.sampled_from(["idle", "running", "fault"]), "power_w": st.just(0)}),
}  # fmt: skip
device_names = st.sampled_from(sorted(SIGNALS))
PLACES = [
    OverrideTarget("s"),
    OverrideTarget("s", "studio"),
    OverrideTarget("s", None, "seat"),
    OverrideTarget("s", None, "room"),
]


class House(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now, self.seq, self.boots = START, 0, 1
        self.sent: list[tuple[str, bytes]] = []
        self.store: SqliteStore | None = None
        self._begin()

    def _begin(self) -> None:
        self.live = build(SETTINGS, SETTINGS.stations, Openings(SETTINGS), self.now)
        self.pipeline = Pipeline(self.live)
        if self.store is not None:
            restore(self.pipeline, self.store, self.now)
        self.memory = Memory(self.live)

    def teardown(self) -> None:
        if self.store is not None:
            self.store.close()
        self.folder.cleanup()

    # ---- what may happen ----

    @rule(device=device_names, data=st.data(), skew=st.sampled_from([0, 0, 0, -30_000, -HOUR, 10 * MINUTE, 10**12]))
    def speaks(self, device: str, data: st.DataObject, skew: int) -> None:
        self.seq += 1
        head = {"ts": self.now + skew, "boot": f"b{self.boots}", "seq": self.seq}
        body = msgspec.json.encode({**head, **data.draw(SIGNALS[device])})
        self._send(f"yz/s/{device}/state", body)

    @rule(device=device_names, data=st.data(), retained=flags)
    def speaks_without_a_number(self, device: str, data: st.DataObject, retained: bool) -> None:
        self._send(f"yz/s/{device}/state", msgspec.json.encode(data.draw(SIGNALS[device])), retained)

    @rule(data=st.data(), retained=flags)
    def an_old_message_comes_again(self, data: st.DataObject, retained: bool) -> None:
        if self.sent:
            self._send(*data.draw(st.sampled_from(self.sent)), retained)

    @rule(direction=st.sampled_from(["in", "out"]), granted=flags)
    def somebody_passes(self, direction: str, granted: bool) -> None:
        self.seq += 1
        head = {"boot": f"b{self.boots}", "seq": self.seq, "type": "card"}
        body = msgspec.json.encode({**head, "card": "a1", "granted": granted, "direction": direction})
        self._send("yz/s/door/event", body)

    @rule(device=device_names, online=flags, retained=flags, boot=st.sampled_from([None, "b1", "b2"]))
    def comes_or_goes(self, device: str, online: bool, retained: bool, boot: str | None) -> None:
        state = "online" if online else "offline"
        payload = state.encode() if boot is None else msgspec.json.encode({"state": state, "boot": boot})
        self._send(f"yz/s/{device}/availability", payload, retained)

    @rule()
    def devices_start_anew(self) -> None:
        self.boots, self.seq = self.boots + 1, 0

    @rule(place=st.sampled_from(PLACES), status=st.sampled_from(STATUSES), minutes=st.integers(1, 300), back=flags)
    def set_by_hand(self, place: OverrideTarget, status: SetStatus, minutes: int, back: bool) -> None:
        word = None if back else Override(status, self.now + minutes * MINUTE)
        self.live.set_by_hand(place, word, self.now)

    @rule(start=st.integers(-60, 60), minutes=st.integers(1, 120))
    def the_studio_is_booked(self, start: int, minutes: int) -> None:
        begins = self.now + start * MINUTE
        self.live.programme(
            "s", "studio", Agenda([Activity(begins, begins + minutes * MINUTE, "u", "t", True)]), self.now
        )

    @rule(
        ms=st.one_of(
            st.integers(1, 5_000),
            st.integers(1, 10).map(lambda n: n * MINUTE),
            st.integers(1, 12).map(lambda n: n * HOUR),
        )
    )
    def time_passes(self, ms: int) -> None:
        end = self.now + ms
        fired = 0
        while (due := self.live.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.pipeline.tick(self.now)
            self.agrees()
            fired += 1
            assert fired < 20_000, "deadlines that never end"
        self.now = end
        self.pipeline.tick(self.now)

    @rule(by=st.sampled_from([-30 * 24 * HOUR, -2 * HOUR, -5_000, 7_000, 3 * HOUR]))
    def the_clock_is_set(self, by: int) -> None:
        self.now += by
        self.live.shift(by, self.now)
        self.pipeline.tick(self.now)

    @rule(away_ms=st.sampled_from([0, 2_000, 3 * MINUTE, 20 * HOUR]), whole=flags)
    def we_start_anew(self, away_ms: int, whole: bool) -> None:
        if self.store is None:
            self.store = SqliteStore(Path(self.folder.name), self.now, ballast_mib=0)
        outcome = self.pipeline.take()
        number = self.store.commit(outcome.batch, outcome.changes, outcome.rejected, self.now)
        if whole:  # else everything since the last whole snapshot comes back from the journal
            self.store.checkpoint_all(
                [(part, self.memory.dump(part, self.now)) for part in range(len(self.memory.parts))], number
            )
        self.now += away_ms
        self._begin()

    def _send(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self.sent.append((topic, payload))
        self.pipeline.handle(Message(topic.encode(), payload, self.now, retained), self.now)

    # ---- what must hold ----

    @invariant()
    def agrees(self) -> None:
        """At every moment: nothing is `yes` past its time, and the document agrees with its own axes."""
        station = self.live.stations["s"]
        contract.check(json.loads(document(station, self.now).body), self.now)
        self.live.made(station, self.now)

    @invariant()
    def nothing_waits_in_the_past(self) -> None:
        self.pipeline.tick(self.now)
        due = self.live.next_deadline()
        assert due is None or due > self.now


House.TestCase.settings = settings(
    max_examples=int(os.environ.get("YIZHAN_EXAMPLES", "25")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_no_answer_outlives_its_proof = House.TestCase
