"""Nothing is lit or counted as free after its `valid_until`, whatever has died behind the page."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server
from tests.e2e.pages.wire import Wire

pytestmark = pytest.mark.browser
TTL_S = 6
LIT = "document.querySelectorAll('[data-usable=yes]').length"
SCREEN = "document.querySelector('.hero')?.dataset.usable === 'yes' && document.querySelector('.banner').hidden"
BANNER = "!document.querySelector('.banner').hidden"


@pytest.fixture
def server(mortal: Callable[..., Server]) -> Server:
    return mortal("--ttl", str(TTL_S))


@pytest.fixture
def page(chromium: Chromium, server: Server) -> Iterator[Page]:
    with closing(chromium.open(server.url("/screen/yanshan"))) as page:
        page.wait(SCREEN)
        yield page


def dark_in(page: Page, limit_s: float) -> float:
    """Sampled until nothing is lit any more, and how long that took; fails when the limit passes first."""
    return page.wait(f"{LIT} === 0", limit_s)


def stays_dark(page: Page, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert page.run(LIT) == 0
        time.sleep(0.25)


def test_a_killed_server_leaves_nothing_lit(page: Page, server: Server) -> None:
    server.kill()
    dark_s = dark_in(page, TTL_S + 2)
    page.wait(BANNER, 10 - dark_s)
    stays_dark(page, 2)
    shown = page.run("document.querySelector('.hero .plate').innerText")
    assert "未知" in shown
    assert "时有 7" in shown, "the last number is told in the past tense only"
    assert page.run("document.querySelector('.hero .num').textContent") == ""


@pytest.mark.soak
def test_a_dead_wall_stays_dark_for_a_minute(page: Page, server: Server) -> None:
    server.kill()
    dark_in(page, TTL_S + 2)
    stays_dark(page, 60)


def test_a_frozen_server_leaves_nothing_lit_and_the_page_recovers(page: Page, server: Server) -> None:
    server.freeze()
    dark_in(page, TTL_S + 2)
    page.wait(BANNER, 10)
    server.thaw()
    page.wait(SCREEN, 10)


@pytest.mark.slow
def test_without_a_free_stream_the_page_asks_and_stays_true(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--full", "--ttl", str(TTL_S))
    with closing(chromium.open(server.url("/m/yanshan"))) as page:
        page.wait(f"{LIT} > 10 && document.querySelector('.banner').hidden")
        server.kill()
        dark_in(page, TTL_S + 2)
        page.wait(BANNER, 10)


@pytest.mark.slow
def test_a_cut_wire_leaves_nothing_lit_and_the_page_recovers(chromium: Chromium, server: Server) -> None:
    with Wire(server.port) as wire, closing(chromium.open(f"http://127.0.0.1:{wire.port}/screen/yanshan")) as page:
        page.wait(SCREEN)
        wire.cut()
        dark_in(page, TTL_S + 2)
        page.wait(BANNER, 10)
        wire.mend()
        page.wait(SCREEN, 10)


@pytest.mark.slow
def test_a_server_that_returns_is_believed_within_ten_seconds(page: Page, server: Server) -> None:
    server.kill()
    dark_in(page, TTL_S + 2)
    server.start()
    page.wait(SCREEN, 10)


@pytest.mark.slow
@pytest.mark.parametrize("wrong_ms", [-3_600_000, 3_600_000, 86_400_000], ids=["slow", "fast", "a day ahead"])
def test_a_panel_with_a_wrong_clock_greys_neither_early_nor_late(
    chromium: Chromium, server: Server, wrong_ms: int
) -> None:
    prepare = f"(() => {{ const real = Date.now.bind(Date); Date.now = () => real() + {wrong_ms}; }})()"
    with closing(chromium.open(server.url("/screen/yanshan"), prepare=prepare)) as page:
        page.wait(SCREEN)
        for _ in range(8):
            assert page.run(LIT) > 0, "renewed values stay lit"
            time.sleep(0.25)
        server.kill()
        dark_in(page, TTL_S + 2)


KEPT = """caches.open('yizhan-shell').then(async (cache) => {
    const kept = (await cache.keys()).map((request) => request.url);
    return kept.includes(location.href) && kept.some((url) => url.includes('/page/') && url.endsWith('.js'));
})"""  # the first visit is enough


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/m/yanshan?lang=zh", "/m?lang=zh"])
def test_a_phone_page_of_one_visit_opens_without_network_and_nothing_of_it_looks_live(
    chromium: Chromium, mortal: Callable[..., Server], path: str
) -> None:
    server = mortal("--ttl", "60", "--stations", "9")
    with closing(chromium.open(server.url(path), 390, 844, mobile=True)) as page:
        page.wait(KEPT.replace("location.href", "new URL(location.href.split('?')[0]).href") if "/m?" in path else KEPT)
        server.kill()
        page.call("Page.navigate", url=server.url(path))
        page.wait("document.documentElement.dataset.contact === 'lost'")
        assert page.run("document.querySelectorAll('[data-usable=yes]').length") == 0
        assert "时" in page.run("document.querySelector('main').innerText")
        assert page.run("document.querySelectorAll('.found .spot, main [data-resource]').length") > 5


@pytest.mark.slow
def test_a_reload_without_network_shows_the_last_picture_as_old(page: Page, server: Server) -> None:
    page.wait("localStorage.getItem('yizhan:picture:yanshan') !== null")
    page.wait(KEPT)
    server.kill()
    page.go(server.url("/screen/yanshan"))
    page.wait("document.querySelectorAll('[data-resource]').length > 20")
    stays_dark(page, 1)
    page.wait(f"{BANNER} && /\\d\\d:\\d\\d/.test(document.querySelector('.banner .when').innerText)", 10)
    assert "时有 7" in page.run("document.body.innerText")


@pytest.mark.slow
def test_every_other_page_goes_dark_too(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--ttl", str(TTL_S), "--stations", "6")
    with ExitStack() as stack:
        paths = ("/m/yanshan", "/m/closed", "/screen/closed", "/stations/yanshan", "/")
        pages = [stack.enter_context(closing(chromium.open(server.url(path)))) for path in paths]
        for page in pages:
            page.wait(f"{LIT} > 3")
        server.kill()
        spent_s = 0.0
        for page in pages:
            spent_s += dark_in(page, TTL_S + 2 - spent_s)
        for page in pages:
            spent_s += page.wait(BANNER, 10 - spent_s + 0.5)
        for page in pages:
            stays_dark(page, 0.5)
