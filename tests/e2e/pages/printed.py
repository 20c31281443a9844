"""The whole application behind a month that the core lived; pictures of what managers read of it for the docs:

python -m tests.e2e.pages.printed docs/pictures
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from api.server import bind, serve
from gateway.base.local_time import DAY_MS
from gateway.model import Millis
from tests.api.month import START, Client, live
from tests.e2e.pages.chromium import Chromium, Page

DAYS, TWO_MONTHS = 30, 61
WIDTHS = {"desk": (1280, 900), "phone": (390, 844), "picture": (1048, 1172)}


class House:
    """The whole application behind a socket, and a key to it."""

    def __init__(self, folder: Path, now: Millis = START + DAYS * DAY_MS) -> None:
        self._client = Client(folder, now)
        self.key, self.key_of_all = self._client.key("yanshan"), self._client.key()
        self._stop, self._sock = threading.Event(), bind("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._sock.getsockname()[1]}"
        self._thread = threading.Thread(
            target=serve, args=(self._client.app, self._sock, self._stop), kwargs={"trusted_proxies": "127.0.0.1"}
        )
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(60)

    @contextmanager
    def report(self, chromium: Chromium, lang: str, size: str = "desk", month: str = "2026-11") -> Iterator[Page]:
        with closing(chromium.open("about:blank", *WIDTHS[size])) as page:
            page.call("Network.setExtraHTTPHeaders", headers=self.key)
            page.go(f"{self.url}/stations/yanshan/report?month={month}&lang={lang}")
            page.wait("document.querySelectorAll('svg').length === 2")
            yield page


@contextmanager
def living(folder: Path, days: int = DAYS) -> Iterator[House]:
    made = House(folder, live(folder, days))
    try:
        yield made
    finally:
        made.end()


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name, living(Path(name), TWO_MONTHS) as house, Chromium() as chromium:
        with house.report(chromium, "zh", "picture", "2026-12") as page:
            page.picture(target / "report.png")
        for picture, path, size in (
            ("compare", "/compare?month=2026-12&lang=zh", (1280, 560)),
            ("phone-busy", "/m/yanshan/busy?lang=zh", WIDTHS["phone"]),
        ):
            with closing(chromium.open("about:blank", *size, scale=2 if size == WIDTHS["phone"] else 1)) as page:
                page.call("Network.setExtraHTTPHeaders", headers=house.key_of_all)
                page.go(house.url + path)
                page.wait("document.querySelector('svg') !== null")
                page.picture(target / f"{picture}.png")
    for picture in ("report", "compare", "phone-busy"):
        if shutil.which("convert"):
            file = str(target / f"{picture}.png")
            subprocess.run(["convert", file, "-strip", "-dither", "None", "-colors", "64", f"PNG8:{file}"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
