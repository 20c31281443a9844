"""Any configurations one after the other by reload come to what a start with the last one comes to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.difference import difference
from config.schema import Settings
from gateway.core.change import Changing, core_plan
from gateway.core.pipeline import Pipeline
from gateway.core.plan import build, foreign
from gateway.live import document
from gateway.policy.hours import Openings

START = 1_780_279_200_000  # Monday 2026-06-01, 10:00 in Shanghai
KINDS: dict[str, tuple[dict[str, Any], tuple[dict[str, Any], ...]]] = {
    "seat": ({"kind": "seat"}, ({"occupied": True}, {"occupied": False})),
    "charger": ({"kind": "charger", "type": "ebike"}, ({"status": "Available"}, {"status": "Charging"})),
    "appliance": ({"kind": "appliance", "type": "microwave"}, ({"status": "idle"}, {"status": "running"})),
    "locker": ({"kind": "locker"}, ({"free": 3, "total": 5}, {"free": 0, "total": 5})),
}
MOVING = ("as_of", "since", "proof", "proved_at")  # when it began to be so, and how it was shown, is history

Layout = Mapping[str, Any]  # station → {"hours", "resources": {id → (kind, ttl, foreign)}}
things = st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from([60, 3_600]), st.sampled_from([False, False, True]))
resources = st.dictionaries(st.sampled_from(["one", "two"]), things, min_size=1)
hours = st.sampled_from(["24/7", "off", "08:00-10:30"])
stations = st.fixed_dictionaries({"hours": hours, "resources": resources})
layouts = st.dictionaries(st.sampled_from(["a", "b"]), stations, min_size=1)
steps = st.one_of(
    layouts.map(lambda layout: ("configure", layout)),
    st.tuples(st.integers(0, 9), st.one_of(hours, things, st.none())).map(lambda edit: ("edit", edit)),
    st.tuples(st.integers(0, 9), st.integers(0, 1)).map(lambda said: ("say", said)),
    st.integers(1, 1_800_000).map(lambda ms: ("wait", ms)),
)


def settings_of(layout: Layout) -> Settings:
    def resource(station: str, name: str, kind: str, ttl: int, foreign: bool) -> dict[str, Any]:
        source = {"dialect": "json", "topic": f"foreign/{station}/{name}", "fields": {"battery_pct": "b"}}
        return {"id": name, "ttl": ttl, **KINDS[kind][0]} | ({"source": source} if foreign else {})

    return Settings.model_validate(
        {
            "stations": [
                {
                    "id": name,
                    "hours": said["hours"],
                    "areas": [
                        {
                            "id": "hall",
                            "resources": [resource(name, thing, *of) for thing, of in said["resources"].items()],
                        }
                    ],
                }
                for name, said in layout.items()
            ]
        }
    )


def started(settings: Settings) -> Pipeline:
    live = build(settings, settings.stations, Openings(settings), START)
    return Pipeline(live, foreign(settings, live))


@dataclass
class Said:
    """A message that was taken, by which sort of thing."""

    at: int
    topic: bytes
    payload: bytes
    place: tuple[str, str]
    of: tuple[str, bool]


@dataclass
class House:
    layout: Layout
    now: int = START
    said: list[Said] = field(default_factory=list)
    layouts: list[tuple[int, Layout]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = settings_of(self.layout)
        self.pipeline = started(self.settings)
        self.changing = Changing(self.pipeline)
        self.seq = 0

    def configure(self, layout: Layout) -> None:
        planned = difference(self.settings, settings_of(layout))
        live, now = self.pipeline.live, self.now
        untouched = {
            name: (station, document(station, now).body)
            for name, station in live.stations.items()
            if name not in {*planned.removed, *(station.id for station in planned.changed)}
        }
        plan = core_plan(self.settings, planned, planned.settings.stations, Openings(planned.settings), now)
        self.changing.apply(plan, now)
        self.pipeline.take()
        for name, (station, body) in untouched.items():
            assert live.stations[name] is station
            assert document(station, now).body == body
        self.layout, self.settings = layout, planned.settings
        self.layouts.append((len(self.said), layout))

    def edit(self, edit: tuple[int, Any]) -> None:
        """One thing is another, or is taken out; or the hours of its station are others."""
        places = self.places()
        if not places:
            return
        (name, thing), to = places[edit[0] % len(places)], edit[1]
        station = self.layout[name]
        if isinstance(to, str):
            changed = station | {"hours": to}
        else:
            left = {kept: of for kept, of in station["resources"].items() if kept != thing}
            changed = station | {"resources": left if to is None else left | {thing: to}}
        self.configure({**self.layout, name: changed})

    def places(self) -> list[tuple[str, str]]:
        return [(name, thing) for name, station in self.layout.items() for thing in station["resources"]]

    def say(self, said: tuple[int, int]) -> None:
        places = [(name, thing) for name, thing in self.places() if not self.layout[name]["resources"][thing][2]]
        if not places:
            return
        station, name = places[said[0] % len(places)]
        of = self.layout[station]["resources"][name]
        self.seq += 1
        payload = json.dumps({"boot": "x", "seq": self.seq} | KINDS[of[0]][1][said[1]]).encode()
        topic = f"yz/{station}/{name}/state".encode()
        self.said.append(Said(self.now, topic, payload, (station, name), (of[0], of[2])))
        self.pipeline.handle_all([(topic, payload, 0)], self.now)
        self.pipeline.take()

    def wait(self, by: int) -> None:
        self.now = waited(self.pipeline, self.now, self.now + by)

    def still_known(self) -> list[Said]:
        """Of what was said, that which is not forgotten since the thing became another."""
        return [
            said
            for number, said in enumerate(self.said)
            if all(
                (kind, foreign) == said.of
                for at, layout in self.layouts
                if at > number and said.place[0] in layout
                for kind, _, foreign in [
                    layout[said.place[0]]["resources"].get(said.place[1], (said.of[0], 0, said.of[1]))
                ]
            )
        ]


def waited(pipeline: Pipeline, now: int, end: int) -> int:
    while (due := pipeline.live.next_deadline()) is not None and due <= end:
        now = max(now, due)
        pipeline.tick(now)
        pipeline.take()
    pipeline.tick(end)
    pipeline.take()
    return end


def shown(pipeline: Pipeline, now: int) -> dict[str, Any]:
    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items() if key not in MOVING}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    return {name: without(json.loads(document(station, now).body)) for name, station in pipeline.live.stations.items()}


@given(layouts, st.lists(steps, min_size=3, max_size=25))
def test_reloads_come_to_what_a_start_with_the_last_configuration_comes_to(
    first: Layout, then: list[tuple[str, Any]]
) -> None:
    house = House(first)
    for what, said in then:
        getattr(house, what)(said)
    fresh, now = started(house.settings), START
    for still_said in house.still_known():
        now = waited(fresh, now, still_said.at)
        fresh.handle_all([(still_said.topic, still_said.payload, 0)], now)
        fresh.take()
    waited(fresh, now, house.now)
    house.wait(1)
    waited(fresh, house.now - 1, house.now)
    assert shown(house.pipeline, house.now) == shown(fresh, house.now)
    assert set(house.pipeline.live.devices) == set(fresh.live.devices)
    assert house.pipeline.foreign.filters == fresh.foreign.filters
    assert house.pipeline.live.overrides.dump() == fresh.live.overrides.dump()


def test_what_went_leaves_nothing_behind_that_grows() -> None:
    """A station comes and goes, again and again: the heap of deadlines holds those that are there."""
    house = House({"a": {"hours": "24/7", "resources": {"one": ("seat", 60, False)}}})
    for number in range(60):
        name = "bc"[number % 2]
        more = {name: {"hours": "08:00-10:30", "resources": {"one": ("seat", 60, False)}}}
        house.configure(dict(house.layout) | more)
        house.say((1, 0))
        house.configure({kept: said for kept, said in house.layout.items() if kept != name})
    live = house.pipeline.live
    assert len(live.alarms._heap) <= 20
    assert (len(live.devices), list(live.stations), [station.id for station in live.dirty]) == (1, ["a"], ["a"])
