"""The phone page as people hold it: narrow, in large letters, in the dark, in colours of their own."""

from contextlib import closing

import pytest

from tests.e2e.pages.chromium import Chromium
from tests.e2e.pages.conftest import Server

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("path", "width"),  # the narrowest phone, and 390 px at 200 %
    [
        (path, 320)
        for path in ("/m/half", "/m/full", "/m/repair", "/m", "/m/half?letters=large", "/m/seats60?letters=large")
    ]
    + [(path, 195) for path in ("/m/half", "/m/full", "/m/seats60", "/m")],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_on_a_narrow_phone_lies_beside_the_page(
    chromium: Chromium, day: Server, path: str, width: int, lang: str
) -> None:
    address = f"{path}{'&' if '?' in path else '?'}lang={lang}"
    with closing(chromium.open(day.url(address), width, 700, mobile=True)) as page:
        page.wait(
            "document.documentElement.dataset.runs === 'yes' && document.querySelectorAll('[data-usable]').length > 2"
        )
        page.wait(f"document.documentElement.scrollWidth <= {width}")  # the page may still lay itself out
        cut = """[...document.querySelectorAll('.num, .count b, .plate b, .bar > *, h2')].filter((n) => {
            const box = n.getBoundingClientRect();
            return box.width && (box.left < -1 || box.right > innerWidth + 1);
        }).map((n) => n.outerHTML.slice(0, 90))"""
        assert page.run(cut) == []


def test_the_devices_light_is_obeyed_and_the_readers_choice_before_it(chromium: Chromium, day: Server) -> None:
    def theme(query: str, scheme: str) -> str:
        with closing(chromium.open("about:blank", 390, 844)) as page:
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            page.call("Emulation.setEmulatedMedia", features=features)
            page.go(day.url(f"/m/half{query}"))
            page.wait("document.documentElement.dataset.runs === 'yes'")
            page.wait("document.documentElement.dataset.theme !== 'auto'")
            return str(page.run("document.documentElement.dataset.theme"))

    assert theme("", "dark") == "night"
    assert theme("", "light") == "day"
    assert theme("?theme=day", "dark") == "day"


def test_in_forced_colours_each_state_still_differs(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open("about:blank", 390, 844)) as page:
        page.call("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
        page.go(day.url("/m/half"))
        page.wait("document.documentElement.dataset.contact === 'live'")
        looks = page.run("""Object.fromEntries(['yes', 'no', 'unknown'].map((state) => {
            const style = getComputedStyle(document.querySelector(`.hero .win[data-usable=${state}]`));
            return [state, [style.backgroundColor, style.borderTopStyle, style.borderTopColor].join()];
        }))""")
        assert len(set(looks.values())) == 3
        mark = "getComputedStyle(document.querySelector('.row .k')).backgroundColor"
        assert page.run(mark) != page.run("getComputedStyle(document.body).backgroundColor")


def test_a_form_gives_way_once_it_has_thanked(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/m/yanshan?lang=zh"), 390, 844)) as page:
        page.wait("document.documentElement.dataset.contact === 'live'")
        page.run("document.querySelector('button.report').click(); 0")
        page.run("document.querySelector('.sheet-report form').requestSubmit(); 0")
        page.wait("document.querySelector('.sheet-report .result').innerText.includes('已收到')")
        page.wait("!document.querySelector('.sheet-report').open")
