"""A detector that warns is overlooked on no page; the air of a room is one quiet line."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server, serving

pytestmark = pytest.mark.browser
READY = "document.querySelectorAll('[data-usable]').length > 2"
WARNS = "document.querySelector('.danger') && !document.querySelector('.danger').hidden"


@pytest.fixture(scope="module")
def scenes() -> Iterator[Server]:
    """A house of its own: its overview lists the scenes themselves."""
    with serving("--at", "2026-11-21T14:32:08+08:00", "--stations", "0") as server:
        yield server


def lines(page: Page) -> list[str]:
    texts = page.run("[...document.querySelectorAll('.danger [data-alarm=yes]')].map((n) => n.innerText)")
    return [" ".join(str(line).split()) for line in texts]


@pytest.mark.parametrize(
    ("path", "width", "height", "share"),
    [
        ("/screen/smoke", 1920, 1080, 0.5),
        ("/screen/smoke", 1080, 1920, 0.5),
        ("/screen/smoke?theme=night", 1920, 1080, 0.5),
        ("/m/smoke?lang=zh", 390, 844, 0.12),
        ("/m/smoke?lang=zh&letters=large", 390, 844, 0.12),
        ("/stations/smoke?lang=zh", 1440, 900, 0.05),
    ],
)
def test_a_warning_stands_on_top_in_words(
    chromium: Chromium, scenes: Server, path: str, width: int, height: int, share: float
) -> None:
    with closing(chromium.open(scenes.url(path), width, height)) as page:
        page.wait(WARNS)
        (line,) = lines(page)
        assert line.startswith("烟雾报警 休息区 · 灶台上方 请立即离开，并拨打 119")
        assert "Smoke alarm. Leave now and call 119" in line
        box = "document.querySelector('.danger').getBoundingClientRect()"
        top, bottom, right = page.run(f"(({{ top, bottom, right }}) => [top, bottom, right])({box})")
        assert (bottom - top) / height >= share
        assert top <= height / 20
        assert right >= width * 0.95
        past = "[...document.querySelectorAll('.danger *')].some((n) => n.getBoundingClientRect().right > innerWidth)"
        assert page.run(past) is False
        middle = f"document.elementFromPoint({width // 2}, {int(bottom - 8)}).closest('.danger') !== null"
        assert page.run(middle) is True
        assert page.run("document.querySelector('.danger').getAttribute('role')") == "alert"
        assert page.errors == []


def test_it_stays_on_top_of_the_phone_when_it_is_scrolled(chromium: Chromium, scenes: Server) -> None:
    with closing(chromium.open(scenes.url("/m/smoke?lang=zh"), 390, 600)) as page:
        page.wait(WARNS)
        page.run("scrollTo(0, 400)")
        page.wait("scrollY > 100")
        assert page.run("document.querySelector('.danger').getBoundingClientRect().top") == 0


def test_several_warn_and_a_leak_sends_nobody_away(chromium: Chromium, scenes: Server) -> None:
    with closing(chromium.open(scenes.url("/m/burns?lang=zh"), 390, 844)) as page:
        page.wait(WARNS)
        assert [line.split()[0] for line in lines(page)] == ["烟雾报警", "漏水报警", "燃气泄漏报警"]
        assert "绕行" in lines(page)[1]
        assert "离开" not in lines(page)[1]


def test_the_overview_leads_to_each_station_where_one_warns(chromium: Chromium, scenes: Server) -> None:
    with closing(chromium.open(scenes.url("/"), 1440, 900)) as page:
        page.wait(WARNS)
        page.wait("document.querySelectorAll('.danger a').length === 5")
        links = page.run("[...document.querySelectorAll('.danger a')].map((n) => n.getAttribute('href'))")
        assert sorted(set(links)) == ["/stations/burns", "/stations/flooded", "/stations/smoke"]
        assert page.errors == []


@pytest.mark.parametrize("path", ["/screen/air", "/m/air", "/screen/yanshan", "/m/yanshan"])
def test_nothing_stands_there_where_none_warns(chromium: Chromium, scenes: Server, path: str) -> None:
    with closing(chromium.open(scenes.url(path))) as page:
        page.wait(READY)
        assert page.run("document.querySelector('.danger').hidden") is True


def test_a_test_warns_nobody(chromium: Chromium, scenes: Server) -> None:
    with closing(chromium.open(scenes.url("/m/flooded?lang=zh"), 390, 844)) as page:
        page.wait(WARNS)
        assert [line.split()[0] for line in lines(page)] == ["漏水报警"]


@pytest.mark.parametrize(("path", "gap"), [("/screen/air", "\u2003"), ("/m/air", " · ")])
def test_the_air_is_one_quiet_line(chromium: Chromium, scenes: Server, path: str, gap: str) -> None:
    with closing(chromium.open(scenes.url(path))) as page:
        page.wait(READY)
        page.wait("!document.querySelector('.air').hidden")
        text = page.run("document.querySelector('.air').textContent")
        assert text == gap.join(["22.5 °C", "48 %", "CO₂ 612 ppm", "PM2.5 9 µg/m³"])


def test_a_warning_and_the_air_end_with_their_word(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--ttl", "6", "--stations", "0")
    with closing(chromium.open(server.url("/screen/smoke"))) as page:
        page.wait(WARNS)
        server.kill()
        page.wait("document.documentElement.dataset.contact === 'lost'")
        page.wait("document.querySelector('.danger').hidden && document.querySelector('.air').hidden")
