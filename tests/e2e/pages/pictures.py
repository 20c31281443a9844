"""Takes the pictures of docs/pictures anew, from the stand-in: `python -m tests.e2e.pages.pictures docs/pictures`.

With ImageMagick at hand they are packed to 48 colours, chosen in YUV, which keeps the rare alarm colour.
"""

import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.e2e.pages.chromium import Chromium
from tests.e2e.pages.conftest import Server, serving

DAY, NIGHT = "2026-11-21T14:32:08+08:00", "2026-11-21T21:47:08+08:00"
PACKED = ("-strip", "-dither", "None", "-quantize", "YUV", "-colors", "48")
WALL, UPRIGHT, UHD, PHONE, DESK = (1920, 1080), (1080, 1920), (3840, 2160), (390, 844), (1440, 900)

# name: when, path, size, kill the server before the picture
PICTURES: dict[str, tuple[str, str, tuple[int, int], bool]] = {
    "screen-day": (DAY, "/screen/yanshan", WALL, False),
    "screen-full-day": (DAY, "/screen/full", WALL, False),
    "screen-half-unknown-night": (NIGHT, "/screen/half", WALL, False),
    "screen-offline-day": (DAY, "/screen/yanshan", WALL, True),
    "screen-closed-day": (DAY, "/screen/closed", WALL, False),
    "screen-60-seats-day": (DAY, "/screen/seats60", WALL, False),
    "screen-floor-plan-night": (NIGHT, "/screen/plan", WALL, False),
    "screen-english-day": (DAY, "/screen/half?lang=en", WALL, False),
    "screen-portrait-day": (DAY, "/screen/half", UPRIGHT, False),
    "screen-portrait-offline-night": (NIGHT, "/screen/half", UPRIGHT, True),
    "screen-uhd-night": (NIGHT, "/screen/yanshan", UHD, False),
    "phone-normal-day": (DAY, "/m/yanshan", PHONE, False),
    "phone-half-unknown-night": (NIGHT, "/m/half?theme=night", PHONE, False),
    "phone-find-day": (DAY, "/m?near=22.77,113.05&need=seat", PHONE, False),
    "phone-english-day": (DAY, "/m/closed?lang=en", PHONE, False),
    "phone-offline-night": (NIGHT, "/m/yanshan?theme=night", PHONE, True),
    "overview-day": (DAY, "/", DESK, False),
    "overview-staff-night": (NIGHT, "/?staff&theme=night", DESK, False),
    "station-day": (DAY, "/stations/half", (1440, 1180), False),
    "station-night": (NIGHT, "/stations/half?theme=night", (1440, 1180), False),
}


def take(browser: Chromium, server: Server, path: str, size: tuple[int, int], dead: bool, target: Path) -> None:
    """One picture, after everything that loads late has loaded; of a dead server, once all has greyed."""
    phone = size == PHONE
    address = server.url(path + ("&" if "?" in path else "?") + ("" if "lang=" in path else "lang=zh"))
    with closing(browser.open(server.url("/build"), *size, scale=2 if phone else 1, mobile=phone)) as page:
        if "staff" in path:
            page.run("document.cookie = 'yizhan_session=staff'; 0")
        page.go(address)
        page.wait("document.querySelectorAll('[data-usable]').length > 2")
        time.sleep(5 if size == DESK else 2.5)
        if dead:
            server.kill()
            page.wait("!document.querySelector('.banner').hidden && !document.querySelector('[data-usable=yes]')", 30)
            time.sleep(1.5)
        page.picture(target)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Chromium() as browser:
        for name in names or PICTURES:
            at, path, size, dead = PICTURES[name]
            ttl = "20" if dead else "180"
            with serving("--at", at, "--stations", "59", "--ttl", ttl) as server:
                target = folder / f"{name}.png"
                take(browser, server, path, size, dead, target)
            if shutil.which("convert"):
                pack = ["convert", str(target), *PACKED, f"PNG8:{target}"]
                subprocess.run(pack, check=True)
            print(f"{target} {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
