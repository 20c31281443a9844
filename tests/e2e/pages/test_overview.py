"""The overview at its sizes: 59 stations without scrolling, thousands without a pause, and what staff see on it."""

import time
from contextlib import closing
from typing import Any

import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server, serving

pytestmark = pytest.mark.browser
AT = ("--at", "2026-11-21T14:32:08+08:00")
LONGEST_TASK_MS = 100  # of the processor's time, on a machine that others use, too; alone it is under 50


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_59_stations_in_ten_regions_need_no_scrolling_and_every_region_has_its_sum(
    chromium: Chromium, lang: str
) -> None:
    with (
        serving(*AT, "--stations", "59", "--regions", "10") as server,
        closing(chromium.open(server.url(f"/?lang={lang}"), 1440, 900)) as page,
    ):
        page.wait("document.querySelectorAll('.st').length === 59")
        page.wait("document.querySelectorAll('.sums > div').length === 11")
        for box in (".right", ".sums"):
            node = f"document.querySelector('{box}')"
            assert page.run(f"{node}.scrollHeight - {node}.clientHeight") <= 0, box


def test_the_counts_add_up_to_all_stations(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/login"), 1440, 900)) as page:
        page.run("document.cookie = 'yizhan_session=staff;path=/'; 0")
        page.go(day.url("/?lang=zh"))
        page.wait("document.querySelector('.needs .n').innerText.includes('站正常')")
        page.wait("document.querySelectorAll('.need button').length > 2")
        numbers = [int(text) for text in page.run("document.querySelector('.needs .n').innerText.match(/\\d+/g)")]
        items, bad, fine, shut = numbers
        assert bad + fine + shut == 59
        assert items >= bad > 0
        marked = page.run("document.querySelectorAll('.st[data-alarm]').length")
        assert marked > 0, "who looks at the sheet sees where alerts are open"


@pytest.mark.slow
@pytest.mark.parametrize("stations", [300, 2000])
def test_a_large_network_leaves_no_long_pause(chromium: Chromium, stations: int) -> None:
    with serving(*AT, "--stations", str(stations)) as server, closing(chromium.open("about:blank", 1440, 900)) as page:
        with tasks_of(chromium, page) as told:
            page.go(server.url("/?lang=zh"))
            page.wait("document.querySelectorAll('.st').length > 20")
            page.wait(f"document.querySelector('.size').innerText.startsWith('{stations}')")
            page.run("document.querySelector('.find input').focus(); 0")
            page.call("Input.insertText", text="s01")
            page.wait("document.querySelectorAll('.found li').length > 2")
        longest = told.longest_ms()
        print(f"{stations} stations: the longest task took {longest:.0f} ms of the processor")
        assert longest <= LONGEST_TASK_MS
        made = page.run("document.querySelectorAll('.st').length")
        assert made < 200, "only rows that are looked at are made"
        assert page.errors == []


class tasks_of:  # noqa: N801  a context manager
    """What the page's main thread did, from a trace: times of the processor, which others on it don't lengthen."""

    def __init__(self, browser: Chromium, page: Page) -> None:
        self._browser, self._page = browser, page
        self._events: list[dict[str, Any]] = []
        self._ended = False

    def _hear(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Tracing.dataCollected":
            self._events += message["params"]["value"]
        self._ended = self._ended or message.get("method") == "Tracing.tracingComplete"

    def __enter__(self) -> "tasks_of":
        self._browser.listen(self._hear)
        config = {"includedCategories": ["toplevel", "devtools.timeline"]}
        self._browser.call("Tracing.start", traceConfig=config, transferMode="ReportEvents")
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.call("Tracing.end")
        while not self._ended:
            time.sleep(0.05)

    def longest_ms(self) -> float:
        layouts = [(event["pid"], event["tid"]) for event in self._events if event.get("name") == "Layout"]
        main = max(set(layouts), key=layouts.count)
        tasks = [
            event.get("tdur", 0)
            for event in self._events
            if (event["pid"], event["tid"]) == main and event.get("ph") == "X" and event["name"].endswith("RunTask")
        ]
        return max(tasks) / 1000
