"""The boxes that tell a centre, for staff: as JSON and as a page."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from api import pages
from api.boxes import UNSEEN_MS, known_boxes
from api.errands import followed, told_of, waiting_words
from api.pages.boxes import REASONS
from config.schema import Settings, StoreSettings
from gateway.commands.errands import KEPT, TO_CENTRE, Errand, Errands
from gateway.core.passed_on import BOXES
from gateway.evidence.boxes import Boxes
from gateway.live.alarms import Alarms
from gateway.live.box_lines import BoxLine, BoxLines, BoxWord
from gateway.live.places import Station
from gateway.policy.override import Command, Override, encode_command
from gateway.store.jobs import Keep
from gateway.store.sqlite import SqliteStore
from tests.api.conftest import NOON, House, serving

HOUR = 3_600_000
GOOD = BoxWord("yanshan-box", "online", "0.9.0", "2026-11-20T00:00:00Z", 0, 812, 41_000, 2, 17, 301, NOON)
POOR = BoxWord("shaping-box", "online", "0.8.0", "2026-10-01T00:00:00Z", 52_104, 9, 800, 0, None, 6, NOON)


def lines() -> list[BoxLine]:
    return [
        BoxLine("yanshan-box", True, NOON - 40 * HOUR, NOON - 4_000, GOOD, 300, ["yanshan"]),
        BoxLine("shaping-box", False, NOON - 3 * HOUR, NOON - 3 * HOUR, POOR, -95_000, ["shaping"]),
        BoxLine("<b>odd", True, NOON - HOUR, NOON - UNSEEN_MS, None, None, ["nowhere"]),
    ]


def put(folder: Path, told: list[BoxLine]) -> None:
    """As a gateway keeps them."""
    boxes, stations = Boxes(), dict[str, Station]()
    for line in told:
        for station in line.stations:
            boxes.link(station, line.box)
            stations[station] = Station(station, {})
    kept = BoxLines(boxes, stations, Alarms(), lambda *_: None, {line.box: line for line in told}).dump()
    store = SqliteStore(folder, NOON, ballast_mib=0)
    store.write([Keep(BOXES, kept)])
    store.close()


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("boxed")
    put(folder, lines())
    yield from serving(folder)


def errand(nonce: str, at: int, state: Any = "waiting", **more: Any) -> Errand:
    text = '{"do": "acknowledge"}'
    what = more.pop("what", "override")
    return Errand(nonce, "shaping-box", "shaping", what, "li", text, at, at + 4 * HOUR, state, **more)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With words for a box whose line is down."""
    folder = tmp_path_factory.mktemp("busy")
    put(folder, lines())
    kept = Errands(
        [
            errand("d" * 16, NOON - HOUR, "done", settled_at=NOON),
            errand("r" * 16, NOON - HOUR + 1, "refused", why="no such <place>", settled_at=NOON),
            errand(
                "g" * 16, NOON - 4 * HOUR, "refused", why="there is no such alert here", settled_at=NOON, what="staff"
            ),
            errand("w" * 16, NOON - 2 * HOUR),
            errand("s" * 16, NOON - 3 * HOUR, what="staff"),
        ]
    )
    store = SqliteStore(folder, NOON, ballast_mib=0)
    store.write([Keep(KEPT, kept.dump(NOON))])
    store.close()
    yield from serving(folder)


def key(house: House, *stations: str) -> dict[str, str]:
    token = house.app.context.keyring.create("tester", "viewer", NOON, stations=list(stations))
    return {"Authorization": f"Bearer {token}"}


def rows(house: House, *stations: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = house.get("/api/v1/boxes", headers=key(house, *stations)).json()["boxes"]
    return told


def test_the_troubled_stand_first_and_each_tells_its_figures(boxed: House) -> None:
    told = rows(boxed)
    assert [(row["box"], row["line"]) for row in told] == [
        ("shaping-box", "down"), ("<b>odd", "unknown"), ("yanshan-box", "up"),
    ]  # fmt: skip
    assert told[2] == {
        "box": "yanshan-box", "stations": ["yanshan"], "line": "up", "since": "2026-11-19T20:00:00Z",
        "last_seen": "2026-11-21T11:59:56Z", "version": "0.9.0", "started_at": "2026-11-20T00:00:00Z", "backlog": 0,
        "clock_off_ms": 300, "disk_free_mib": 41_000, "disk_days": 812, "walls": 2, "config_version": 17,
        "certificate_days": 301, "ring": "stable", "upgrade": None, "upgrade_version": None, "errands": [],
    }  # fmt: skip


def test_a_key_sees_the_boxes_of_its_stations(boxed: House) -> None:
    assert [row["box"] for row in rows(boxed, "yanshan")] == ["yanshan-box"]


def test_boxes_are_for_staff(boxed: House) -> None:
    assert boxed.get("/api/v1/boxes").status_code == 401
    page = boxed.get("/boxes?lang=en")
    assert page.status_code == 401
    assert "yanshan-box" not in page.text


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh-Hans", ("断线", "已 3 小时", "52,104", "慢 1 分钟", "9 天", "6 天", "未知")),
        ("en", ("Line down", "for 3 h", "52,104", "1 min slow", "9 d", "6 d", "Not known")),
    ],
)
def test_the_page_says_what_is_wrong_first(boxed: House, lang: str, words: tuple[str, ...]) -> None:
    page = boxed.get(f"/boxes?lang={lang}", headers=key(boxed)).text
    assert page.index("shaping-box") < page.index("yanshan-box")
    for word in words:
        assert word in page
    assert "&lt;b&gt;odd" in page
    assert len(re.findall('class="bad"', page)) == 5
    assert "<script" not in page


def test_what_waits_for_a_box_is_told_with_who_said_it_and_until_when(busy: House) -> None:
    told = next(row for row in rows(busy) if row["box"] == "shaping-box")["errands"]
    assert [(told_errand["state"], told_errand["why"]) for told_errand in told] == [
        ("refused", "no such <place>"), ("done", ""), ("waiting", ""), ("waiting", ""),
        ("refused", "there is no such alert here"),
    ]  # fmt: skip
    assert told[2] == {
        "box": "shaping-box", "state": "waiting", "why": "", "until": "2026-11-21T14:00:00Z", "station": "shaping",
        "what": "override", "by": "li", "at": "2026-11-21T10:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh-Hans", ("等待箱子", "箱子拒绝", "已办", "手动设定")),
        ("en", ("Waits for the box", "The box refuses", "Done", "Set by hand")),
    ],
)
def test_the_page_tells_what_waits_first(busy: House, lang: str, words: tuple[str, ...]) -> None:
    page = busy.get(f"/boxes?lang={lang}", headers=key(busy)).text
    assert page.index(words[0]) < page.index(words[1]) < page.index(words[2])
    assert words[3] in page
    assert "no such &lt;place&gt;" in page


def test_a_deed_is_told_by_its_name(busy: House) -> None:
    told = next(row for row in rows(busy) if row["box"] == "shaping-box")["errands"]
    assert told[3]["what"] == "acknowledge"
    assert "箱子那边没有这条告警" in busy.get("/boxes?lang=zh-Hans", headers=key(busy)).text
    assert "确认告警" in busy.get("/boxes?lang=zh-Hans", headers=key(busy)).text


def test_a_key_of_other_stations_sees_nothing_of_what_waits(busy: House) -> None:
    assert [row["errands"] for row in rows(busy, "yanshan")] == [[]]


def test_without_a_box_the_page_says_how_one_comes(house: House) -> None:
    assert rows(house) == []
    assert "uplinks.accept" in house.get("/boxes", headers=key(house)).text


def test_the_answer_to_a_deed_waits_for_a_box_whose_line_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.errands.DEED_S", 60.0)
    obedient = replace(GOOD, obeys=True)
    settings = Settings(store=StoreSettings(path=tmp_path))
    put(tmp_path, [BoxLine("yanshan-box", True, NOON, NOON, obedient, 0, ["yanshan"])])
    store = SqliteStore(tmp_path, NOON, ballast_mib=0)
    deed = Errand("d" * 16, "yanshan-box", "yanshan", "staff", "li", "{}", NOON, NOON + HOUR)
    store.write([Keep(KEPT, Errands([deed]).dump(NOON))])
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(told_of, settings, "yanshan", deed.nonce)
        deed.state, deed.settled_at = "done", NOON
        store.write([Keep(KEPT, Errands([deed]).dump(NOON))])
        assert answer.result(60)["box"]["state"] == "done"
    store.close()


def test_the_answer_to_a_deed_says_at_once_that_it_waits_for_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.errands.DEED_S", 3_600.0)
    obedient = replace(GOOD, obeys=True)
    put(tmp_path, [BoxLine("yanshan-box", False, NOON, NOON, obedient, 0, ["yanshan"])])
    store = SqliteStore(tmp_path, NOON, ballast_mib=0)
    deed = Errand("d" * 16, "yanshan-box", "yanshan", "staff", "li", "{}", NOON, NOON + HOUR)
    store.write([Keep(KEPT, Errands([deed]).dump(NOON))])
    store.close()
    settings = Settings(store=StoreSettings(path=tmp_path))
    assert told_of(settings, "yanshan", deed.nonce)["box"]["state"] == "waiting"
    assert told_of(settings, "yanshan", "e" * 16) == {}


def test_of_a_command_that_our_own_centre_hears_of_as_well_the_box_is_told(tmp_path: Path) -> None:
    obedient = replace(GOOD, obeys=True)
    put(tmp_path, [BoxLine("yanshan-box", True, NOON, NOON, obedient, 0, ["yanshan"])])
    store = SqliteStore(tmp_path, NOON, ballast_mib=0)
    said = Errand("d" * 16, "yanshan-box", "yanshan", "override", "li", "{}", NOON, NOON + HOUR, "done")
    onwards = Errand(said.nonce, TO_CENTRE, "yanshan", "override", "li", "{}", NOON + 1, NOON + HOUR)
    store.write([Keep(KEPT, Errands([replace(said, settled_at=NOON), onwards]).dump(NOON))])
    store.close()
    settings = Settings(store=StoreSettings(path=tmp_path))
    told = followed(settings, "yanshan", said.nonce, 0)
    assert told is not None
    assert (told.box, told.state) == ("yanshan-box", "done")


def test_what_was_set_by_hand_here_waits_for_no_box_while_our_centre_has_not_heard_of_it(tmp_path: Path) -> None:
    word = Override("maintenance", NOON + HOUR, "li")
    text = encode_command(Command("d" * 16, NOON + HOUR, "li", None, "seat-01", word)).decode()
    up = Errand("d" * 16, TO_CENTRE, "yanshan", "override", "li", text, NOON, NOON + HOUR)
    store = SqliteStore(tmp_path, NOON, ballast_mib=0)
    store.write([Keep(KEPT, Errands([up]).dump(NOON))])
    assert waiting_words(tmp_path, "yanshan") == []
    store.write([Keep(KEPT, Errands([replace(up, box="yanshan-box")]).dump(NOON))])
    ((target, waiting, box),) = waiting_words(tmp_path, "yanshan")
    assert (target.resource, waiting.status, box) == ("seat-01", "maintenance", "yanshan-box")
    store.close()


def test_the_pages_script_knows_each_reason_that_the_boxes_page_knows() -> None:
    script = (Path(pages.__file__).parent / "static/js/waiting.js").read_text("utf-8")
    for why, told in REASONS.items():
        assert f'"{why}": [' in script
        assert all(f'"{text}"' in script for text in told)


def test_a_station_that_was_just_taken_up_is_with_its_box(tmp_path: Path) -> None:
    put(tmp_path, [BoxLine("yanshan-box", True, NOON, NOON, GOOD, 0, [])])
    owners = {"yanshan": "yanshan-box", "shaping": "shaping-box"}
    (box,) = known_boxes(tmp_path, NOON, lambda stations: "yanshan" in stations, owners)
    assert box.line.stations == ["yanshan"]
    assert known_boxes(tmp_path, NOON, lambda stations: "yanshan" in stations) == []
