"""Browsers as people have them: eight tabs at once, and boxes on the wall that are years old."""

from collections.abc import Callable
from contextlib import ExitStack, closing

import httpx
import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server

pytestmark = pytest.mark.browser
PATIENT_S = 120
SEEN = "Object.defineProperty(document, 'hidden', { get: () => false });"  # each in a window of its own
HIDDEN = """
delete window.SharedWorker;
window.gone = false;
Object.defineProperty(document, "hidden", { get: () => gone });
window.ahead = 0;
const steady = performance.now.bind(performance);
performance.now = () => steady() + ahead;
window.hide = (hidden) => { gone = hidden; document.dispatchEvent(new Event("visibilitychange")); };
window.lines = [];
window.EventSource = class extends EventSource { constructor(url) { super(url); lines.push(this); } };
"""
LIVE = "document.documentElement.dataset.contact === 'live'"
OPEN = "lines.filter((line) => line.readyState !== 2).length"


def seated(page: Page) -> str:
    return str(page.run("document.querySelector('[data-resource=seat-03]').dataset.usable"))


@pytest.mark.slow
@pytest.mark.parametrize("face", ["screen", "m"])
def test_seven_pages_in_sight_share_a_line(chromium: Chromium, mortal: Callable[..., Server], face: str) -> None:
    server = mortal()
    context = chromium.call("Target.createBrowserContext")["browserContextId"]
    with ExitStack() as tabs:
        pages = [
            tabs.enter_context(closing(chromium.tab(context, server.url(f"/{face}/onlyseats"), prepare=SEEN)))
            for _ in range(7)
        ]
        for page in pages:
            page.wait(LIVE, PATIENT_S)
        assert sum("/api/v1/stream" in url for page in pages for url in page.requests) == 0, "the worker asks"
        assert {seated(page) for page in pages} == {"no"}
        httpx.post(server.url("/set/onlyseats/seat-03/y"), timeout=60)
        for page in pages:
            page.wait("document.querySelector('[data-resource=seat-03]').dataset.usable === 'yes'", PATIENT_S)
        pages.pop(0).go("about:blank")
        httpx.post(server.url("/set/onlyseats/seat-03/f"), timeout=60)
        for page in pages:
            page.wait("document.querySelector('[data-resource=seat-03]').dataset.because === 'fault'", PATIENT_S)
        server.kill()
        for page in pages:
            page.wait("document.documentElement.dataset.contact === 'lost'", PATIENT_S)
        server.start()
        for page in pages:
            page.wait(LIVE, PATIENT_S)


@pytest.mark.slow
def test_walls_of_seven_stations_live_in_one_browser(chromium: Chromium, day: Server) -> None:
    context = chromium.call("Target.createBrowserContext")["browserContextId"]
    scenes = ("yanshan", "half", "full", "closed", "two", "forty", "rooms")
    with ExitStack() as tabs:
        pages = [
            tabs.enter_context(closing(chromium.tab(context, day.url(f"/screen/{name}"), prepare=SEEN)))
            for name in scenes
        ]
        for page in pages:
            page.wait(f"{LIVE} && document.querySelector('.banner').hidden", PATIENT_S)


def put_away(page: Page) -> None:
    """As when another tab is looked at for a quarter of a minute."""
    page.run("hide(true)")
    page.wait("(ahead += 6000, " + OPEN + " === 0)", PATIENT_S)


@pytest.mark.slow
@pytest.mark.parametrize("face", ["screen", "stations"])
def test_a_seventh_tab_is_as_live_as_the_first(chromium: Chromium, day: Server, face: str) -> None:
    context = chromium.call("Target.createBrowserContext")["browserContextId"]
    with ExitStack() as tabs:
        opened: list[Page] = []
        while len(opened) < 7:
            if opened:
                put_away(opened[-1])
            page = chromium.tab(context, day.url(f"/{face}/half"), prepare=HIDDEN)
            opened.append(tabs.enter_context(closing(page)))
            page.wait(LIVE, PATIENT_S)
        opened[0].run("hide(false)")
        opened[0].wait(f"{LIVE} && {OPEN} === 1", PATIENT_S)


def test_a_wall_that_calls_itself_hidden_from_the_start_keeps_its_line(chromium: Chromium, day: Server) -> None:
    prepare = HIDDEN.replace("gone = false", "gone = true")
    with closing(chromium.open(day.url("/screen/half"), prepare=prepare)) as page:
        page.wait(LIVE, PATIENT_S)
        page.run("window.beats = 0; lines[0].addEventListener('heartbeat', () => beats++)")
        page.run("ahead += 60000")
        page.wait(f"{OPEN} > 0 && {LIVE}", PATIENT_S)


@pytest.mark.parametrize("path", ["/screen/half", "/m/half", "/stations/half", "/", "/login", "/discover", "/p/token"])
def test_a_browser_that_cannot_run_a_page_is_told_so(chromium: Chromium, day: Server, path: str) -> None:
    with closing(chromium.open(day.url("/screen/nowhere"))) as page:
        page.call("Network.setBlockedURLs", urls=["*/page/*.js"])
        page.go(day.url(path))
        page.wait("document.querySelector('.too-old')?.innerText.includes('WebView 111')")


@pytest.mark.parametrize("path", ["/screen/half", "/m/half", "/stations/half", "/", "/login", "/discover", "/p/token"])
def test_a_browser_that_can_is_told_nothing(chromium: Chromium, day: Server, path: str) -> None:
    with closing(chromium.open(day.url(path))) as page:
        page.wait("document.documentElement.dataset.runs === 'yes'")
        assert page.run("document.querySelector('.too-old')") is None
