"""The page's own arithmetic against the gateway's: every state there is, before and after its end."""

import json
from collections.abc import Iterator
from itertools import product

import msgspec
import pytest

from api.wire_documents import read
from gateway.base.times import rfc3339
from gateway.live.station_document import OPENING_GRACE_MS, summed, withdrawn
from gateway.model import AXES, Axes
from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server, modules

pytestmark = pytest.mark.browser
END = 1_000_000
PROVED = 1_780_290_000_000  # 2026-06-01T05:00:00Z
SEEN = {"proof": "proved", "proved_until": "2026-06-01T05:00:00Z"}


@pytest.fixture(scope="module")
def page(chromium: Chromium, day: Server) -> Iterator[Page]:
    with modules(chromium, day, "truth", "clock", "time", "frame") as page:
        yield page


def states(page: Page, now: int | None, open_until: int | None = None) -> list[str]:
    """What the page says of every point of the five axes at a moment."""
    points = [
        {
            "lifecycle": axes.lifecycle, "health": axes.health, "access": axes.access, "use": axes.use,
            "evidence": axes.evidence, "usable": axes.usable, "because": axes.because, "validUntil": END,
        }
        for axes in AXES
        if axes.lifecycle == "active"
    ]  # fmt: skip
    picture = json.dumps({"openUntil": open_until, "validUntil": END})
    return list(page.run(f"{json.dumps(points)}.map((r) => truth.stateOf(r, {picture}, {json.dumps(now)}).usable)"))


def test_before_its_end_every_state_is_what_the_gateway_says(page: Page) -> None:
    assert states(page, END - 1) == [axes.usable for axes in AXES if axes.lifecycle == "active"]


@pytest.mark.parametrize("now", [END, END + 1, None], ids=["at the end", "after", "without a clock"])
def test_at_its_end_nothing_is_usable_any_more(page: Page, now: int | None) -> None:
    assert "yes" not in states(page, now)


def test_opening_hours_that_ran_out_light_nothing(page: Page) -> None:
    assert "yes" not in states(page, END - 1, open_until=END - 2)


@pytest.mark.parametrize(
    ("states", "wording", "usable"),
    [("yyy", "exact", "yes"), ("yun", "atleast", "yes"), ("uun", "unknown", "unknown"), ("nn", "exact", "no")],
)
def test_one_rule_words_every_count(page: Page, states: str, wording: str, usable: str) -> None:
    word = {"y": "yes", "n": "no", "u": "unknown"}
    given = json.dumps([{"usable": word[state], "why": None} for state in states])
    assert page.run(f"truth.wording(truth.tally({given}))") == wording
    assert page.run(f"truth.usableOf(truth.tally({given}))") == usable


CLOCK = """(() => {
    let steady = 0, wall = 5e11;
    const real = [performance.now, Date.now];
    performance.now = () => steady; Date.now = () => wall;
    try {
        const clock = new window.clock.ServerClock();
        const pass = (ms, leap = 0) => { steady += ms; wall += ms + leap; };
        %s
        return clock.now();
    } finally { [performance.now, Date.now] = real; }
})()"""


STEPS = {
    "knows nothing at first": ("", None),
    "goes on by the steady clock": ("clock.hear(1000); pass(500);", 1500),
    "is not set back by a late stamp": ("clock.hear(1000); pass(500); clock.hear(1200);", 1500),
    "believes a later stamp": ("clock.hear(1000); pass(500); clock.hear(1700);", 1700),
    "counts a sleep": ("clock.hear(1000); pass(100, 60000);", 61100),
    "ignores a wall clock set back": ("clock.hear(1000); pass(100, -60000);", 1100),
    "is put right after a leap": (
        "clock.hear(1000); pass(100, 3000); clock.now(); clock.hear(1100, {fresh: true});",
        1100,
    ),
    "follows a server set back": ("clock.hear(90000); pass(100); clock.hear(1000, {fresh: true});", 1000),
}


@pytest.mark.parametrize(("script", "shown"), STEPS.values(), ids=STEPS.keys())
def test_the_clock(page: Page, script: str, shown: int | None) -> None:
    made = page.run(CLOCK % script)
    assert made is shown if shown is None else round(made) == shown


HOURS_END, VALUES_END = 2_000_000_000_000, 2_000_000_600_000
MOMENTS = (HOURS_END - 1, HOURS_END + OPENING_GRACE_MS, VALUES_END - 1, VALUES_END, VALUES_END + 3_600_000)


def whatever_a_station_can_say(open_until: int | None) -> bytes:
    """A seat in every state there is, and banks of lockers that tell all, some or none of their numbers."""
    seats = [shown(f"seat-{number}", "seat", axes) for number, axes in enumerate(AXES) if axes.lifecycle == "active"]
    free_ones = [axes for axes in AXES if axes.lifecycle == "active" and axes.use == "free"]
    banks = [
        shown(f"bank-{number}", "locker", axes, free=free, total=total)
        for number, (axes, free, total) in enumerate(product(free_ones, (None, 0, 3), (None, 8)))
    ]
    document = {
        "station": "yanshan", "name": {}, "as_of": rfc3339(HOURS_END - 60_000), "valid_until": rfc3339(VALUES_END),
        "open": {"now": "yes", "until": None if open_until is None else rfc3339(open_until)}, "summary": [
            {"kind": kind, "type": None, "total": 0, "usable_min": 0, "usable_max": 0} for kind in ("seat", "locker")
        ],
        "areas": [{"id": "hall", "name": {}, "resources": [*seats, *banks]}],
    }  # fmt: skip
    return msgspec.json.encode(document)


def shown(name: str, kind: str, axes: Axes, **more: object) -> dict[str, object]:
    return {
        "id": name, "kind": kind, "type": None, "usable": axes.usable, "because": axes.because,
        "lifecycle": axes.lifecycle, "health": axes.health, "access": axes.access, "use": axes.use,
        "evidence": axes.evidence, "observed_at": None, "since": None,
        "valid_until": rfc3339(VALUES_END) if axes.evidence == "live" else None, **more,
    }  # fmt: skip


@pytest.mark.parametrize("open_until", [None, HOURS_END])
@pytest.mark.parametrize("now", MOMENTS)
def test_a_page_left_alone_says_what_the_server_would(page: Page, now: int, open_until: int | None) -> None:
    """Every state, its reason and every sum, long after the last message as well."""
    body = whatever_a_station_can_say(open_until)
    server = withdrawn(read(body), now)
    states, sums = page.run(
        f"""(() => {{
            const picture = truth.read({body.decode()});
            const states = picture.resources.map((r) => [r.id, truth.stateOf(r, picture, {now})]);
            const sums = truth.groupsOf(picture).map((group) => [group.key, truth.tallyOfGroup(group, picture, {now})]);
            return [Object.fromEntries(states), Object.fromEntries(sums)];
        }})()"""
    )
    told = {
        resource.id: (resource.usable, resource.because[0] if resource.because else None)
        for resource in server.resources()
    }
    said = {name: (state["usable"], state["why"]) for name, state in states.items()}
    assert said == told
    assert {kind: (sum_["min"], sum_["max"], sum_["total"]) for kind, sum_ in sums.items()} == {
        line.kind: (line.usable_min, line.usable_max, line.total) for line in summed(server.resources())
    }


@pytest.mark.parametrize(
    ("opening", "now", "word"),
    [
        ({"now": "yes", "until": None, "proof": "unproved"}, END - 1, None),
        (
            {"now": "yes", "until": None, **SEEN},
            PROVED - 1,
            "proved_open",
        ),
        ({"now": "yes", "until": None, **SEEN}, PROVED, None),
        ({"now": "yes", "until": None, **SEEN}, None, None),
        ({"now": "no", "until": None, "proof": "unproved"}, END - 1, None),
        ({"now": "yes", "until": None, "proof": "contradicted"}, END - 1, "not_enterable"),
        ({"now": "yes", "until": None}, END - 1, None),
    ],
)
def test_a_page_says_what_shows_that_one_can_come_in_as_long_as_it_holds(
    page: Page, opening: dict[str, object], now: int | None, word: str | None
) -> None:
    said = {
        "station": "s", "as_of": "2026-06-01T02:00:00Z", "valid_until": None, "open": opening, "summary": [],
        "areas": [{"id": "a", "resources": [{"id": "seat", "kind": "seat", "because": ["not_enterable"]}]}],
    }  # fmt: skip
    proof = page.run(f"frame.proofWord(truth.read({json.dumps(said)}), {json.dumps(now)})")
    assert proof == word
    away = json.dumps(said | {"watched": False})
    assert page.run(f"frame.proofWord(truth.read({away}), {json.dumps(now)})") == "alert.shard_away"


def test_an_alert_about_what_no_document_tells_bears_its_name(chromium: Chromium, day: Server) -> None:
    with modules(chromium, day, "words") as page:
        base = f"/static/{page.run('document.documentElement.dataset.build')}/js"
        loaded = f"Promise.all([import('{base}/alert-line.js'), import('{base}/alert-words.js')])"
        page.run(f"{loaded}.then(([line, told]) => void Object.assign(window, {{line, told}}))")
        say = "words.speaker('zh-Hans', told.ALERTS)"
        alert = "{kind: 'device_silent', resource: 'counter', cause: 'stale'}"
        named, bare = ("{names: {counter: {zh: '客流计数'}}}", "{}")
        assert page.run(f"line.alertTitle({alert}, null, {named}, {say})") == "客流计数 设备失联"
        assert page.run(f"line.alertTitle({alert}, null, {bare}, {say})") == "counter 设备失联"
