"""When one will be free: told coarsely, counted down, and never longer than what it was made from."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server, modules

pytestmark = pytest.mark.browser
READY = "document.querySelectorAll('[data-usable]').length > 2"
TOLD = "[...document.querySelectorAll('.next:not([hidden])')]"
MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def page(chromium: Chromium, day: Server) -> Iterator[Page]:
    with modules(chromium, day, "truth", "forecast", "words") as page:
        yield page


@pytest.mark.parametrize(
    ("minutes", "main", "span"),
    [
        ((24, 11.5, 47), "约 25 分钟后有空", "80%：10–50 分钟"),
        ((24, 4, 47), "约 25 分钟后有空", "80%：50 分钟内"),
        ((1, -3, 6), "约 5 分钟后有空", "80%：10 分钟内"),
        ((-1, -9, 3), "随时可能有空", "80%：5 分钟内"),
        ((130, 66, 247), "约 2 小时后有空", "80%：1–4.5 小时"),
        ((80, 40, 100), "约 80 分钟后有空", "80%：0.5–2 小时"),
    ],
)
def test_a_forecast_is_told_in_steps_of_five_minutes_or_half_an_hour(
    page: Page, minutes: tuple[float, ...], main: str, span: str
) -> None:
    next_free = json.dumps(dict(zip(("at", "from", "to"), (moment * MINUTE_MS for moment in minutes), strict=True)))
    said = page.run(f"forecast.nextWords({next_free}, 0, words.speaker('zh-Hans'))")
    assert said == {"main": main, "range": span}


@pytest.mark.parametrize(
    ("states", "now", "told"),
    [
        ("nnn", 0, True),
        ("nnf", 0, True),
        ("nnn", 50, False),
        ("nnn", None, False),
        ("nny", 0, False),
        ("nnu", 0, False),
        ("fff", 0, False),
        ("ccc", 0, False),
        ("", 0, False),
    ],
)
def test_it_is_told_only_while_all_is_taken_for_certain(page: Page, states: str, now: int | None, told: bool) -> None:
    word = {"y": ("yes", None), "n": ("no", "occupied"), "u": ("unknown", "stale")}
    word |= {"f": ("no", "fault"), "c": ("no", "closed")}
    given = json.dumps([dict(zip(("usable", "why"), word[state], strict=True)) for state in states])
    picture = json.dumps({"summary": [{"key": "seat", "nextFree": {"at": 20, "from": 10, "to": 50}}]})
    shown = page.run(f"truth.nextFree('seat', truth.tally({given}), {picture}, {json.dumps(now)})")
    assert (shown is not None) == told


@pytest.mark.parametrize(
    ("path", "width", "seats"),
    [("/screen/full", 1920, ".hero"), ("/m/full", 390, ".hero"), ("/stations/full", 1440, ".row[data-kind=seat]")],
)
@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", "约 25 分钟后有空 80%：10–50 分钟"), ("en", "Next in ~25 min 80%: 10–50 min")],
)
def test_each_face_tells_it_where_a_kind_is_full(
    chromium: Chromium, day: Server, path: str, width: int, seats: str, lang: str, said: str
) -> None:
    with closing(chromium.open(day.url(f"{path}?lang={lang}"), width, 1080)) as page:
        page.wait(f"{TOLD}.length === 4")
        shown = page.run(f"document.querySelector('{seats} .next').innerText")
        assert " ".join(shown.split()) == said
        cut = f"{TOLD}.flatMap((n) => [n, ...n.children]).filter((n) => n.scrollWidth > n.clientWidth + 1).length"
        assert page.run(cut) == 0
        heads = "[...document.querySelectorAll('.row h2')].filter((n) => n.scrollWidth > n.clientWidth + 1)"
        assert page.run(f"{heads}.map((n) => n.textContent)") == []


def test_a_single_thing_that_is_taken_says_about_how_long(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/full?lang=zh"))) as page:
        page.wait("document.querySelector('[data-resource=massage] .note')?.innerText === '约 5 分钟'")


def test_nothing_is_told_where_something_is_free_or_not_known(chromium: Chromium, day: Server) -> None:
    for scene in ("yanshan", "half", "silent", "closed"):
        with closing(chromium.open(day.url(f"/screen/{scene}"))) as page:
            page.wait(READY)
            assert page.run(f"{TOLD}.length") == 0


def test_it_is_gone_at_its_end_by_the_clock_of_the_page(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/soon?lang=zh"))) as page:
        page.wait(f"{TOLD}.length === 3")
        page.wait("document.querySelector('.hero .next b').innerText === '随时可能有空'")
        page.wait(f"{TOLD}.length === 0", 8)
        assert page.run("document.querySelector('.hero').dataset.usable") == "no"


def test_a_dead_server_tells_no_forecast(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--ttl", "60")
    with closing(chromium.open(server.url("/screen/full"))) as page:
        page.wait(f"{TOLD}.length === 4")
        server.kill()
        page.wait(f"{TOLD}.length === 0", 10)
        assert page.run("document.querySelector('.hero').dataset.usable") == "unknown", "the count is told in the past"
        assert "时有 0" in page.run("document.querySelector('.hero .plate').innerText")
