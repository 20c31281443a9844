"""How soon a phone on a slow line tells what is free: `python -m tests.e2e.pages.slow_lines`.

Chromium's own emulation of a line, a first visit, nothing kept. Seconds from the tap to: the first state (places with
their words and times, on the screen), and live (contact to the server, by script).
"""

import sys
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.e2e.pages.chromium import Chromium
from tests.e2e.pages.conftest import serving

LIVE = "document.documentElement.dataset.contact === 'live'"
# The first animation frame after the last place of the page stood in it.
WATCH = """
new MutationObserver((_, self) => {
  if (!document.querySelector('.tiles [data-usable], .found [data-usable], .found ~ *')) return;
  self.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.told = performance.now(); }));
}).observe(document, {childList: true, subtree: true});
"""


@dataclass(frozen=True)
class Line:
    latency_ms: int
    kbit_s: int


@dataclass(frozen=True)
class Load:
    first_s: float
    live_s: float
    requests: int
    bytes_: int
    html_bytes: int


LINES = {"slow 2G": Line(2000, 50), "3G": Line(400, 750)}


def measured(browser: Chromium, url: str, line: Line) -> Load:
    """One first visit. `requests` and `bytes_` (as they come over the line) until it is live."""
    with closing(browser.open("about:blank", 390, 844, mobile=True, prepare=WATCH)) as page:
        sizes: list[int] = []
        browser.listen(lambda message: sizes.append(_size(message, page.session)))
        rate = line.kbit_s * 1000 / 8
        page.call(
            "Network.emulateNetworkConditions",
            offline=False, latency=line.latency_ms, downloadThroughput=rate, uploadThroughput=rate,
        )  # fmt: skip
        page.call("Page.navigate", url=url)
        page.wait("window.told > 0")
        first = page.run("Math.max(told, performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0)")
        if "/m/" in url:
            page.wait(LIVE)
        else:
            page.wait("document.documentElement.dataset.runs === 'yes'")
        live = page.run("performance.now()")
        requests = [request for request in page.requests if not request.startswith("data:")]
        html = page.run("performance.getEntriesByType('navigation')[0].encodedBodySize")
        return Load(first / 1000, live / 1000, len(requests), sum(sizes), html)


def _size(message: dict[str, Any], session: str) -> int:
    ended = message.get("method") == "Network.loadingFinished" and message.get("sessionId") == session
    return int(message["params"]["encodedDataLength"]) if ended else 0


def main(paths: list[str]) -> None:
    with serving("--stations", "59") as server, Chromium() as browser:
        for path in paths or ["/m/yanshan", "/m"]:
            for name, line in LINES.items():
                load = measured(browser, server.url(path), line)
                first = f"first state {load.first_s:.1f} s ({load.html_bytes / 1000:.1f} KB)"
                whole = f"{load.requests} requests, {load.bytes_ / 1000:.1f} KB"
                print(f"{path:12} {name:8} {first}, live {load.live_s:.1f} s, {whole}")


if __name__ == "__main__":
    main(sys.argv[1:])
