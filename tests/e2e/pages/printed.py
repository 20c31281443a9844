"""The whole application behind a month that the core lived; its report's picture for the docs:

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

DAYS = 30
WIDTHS = {"desk": (1280, 900), "phone": (390, 844), "picture": (1048, 1172)}


class House:
    """The whole application behind a socket, and a key to it."""

    def __init__(self, folder: Path, now: Millis = START + DAYS * DAY_MS) -> None:
        self._client = Client(folder, now)
        self.key = self._client.key("yanshan")
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
    def report(self, chromium: Chromium, lang: str, size: str = "desk") -> Iterator[Page]:
        with closing(chromium.open("about:blank", *WIDTHS[size])) as page:
            page.call("Network.setExtraHTTPHeaders", headers=self.key)
            page.go(f"{self.url}/stations/yanshan/report?month=2026-11&lang={lang}")
            page.wait("document.querySelectorAll('svg').length === 2")
            yield page


@contextmanager
def living(folder: Path) -> Iterator[House]:
    live(folder, DAYS)
    made = House(folder)
    try:
        yield made
    finally:
        made.end()


def main(target: Path) -> None:
    picture = target / "report.png"
    with (
        tempfile.TemporaryDirectory() as name,
        living(Path(name)) as house,
        Chromium() as chromium,
        house.report(chromium, "zh", "picture") as page,
    ):
        page.picture(picture)
    if shutil.which("convert"):
        pack = ["convert", str(picture), "-strip", "-dither", "None", "-colors", "64", f"PNG8:{picture}"]
        subprocess.run(pack, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
