"""A manager goes from a month to a paper to sign; a newcomer from the code to a seat of his own on the wall.

Each journey counts its steps and seconds and prints them.
"""

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gateway.base.local_time import DAY_MS
from tests.api import month
from tests.docs.reading import ROOT
from tests.e2e.pages.chromium import CHROMIUM, Chromium
from tests.e2e.pages.printed import House
from tests.e2e.test_staff_journeys import Hand
from tests.e2e.tutorial import steps, walk
from tests.patience import PATIENCE_S, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and shutil.which("pdftotext")), reason="chromium is not installed"),
]
BEGUN, LIVED, NOW = 24, 12, 61  # days since 1 November: twelve days are lived, and then it is January
MOST_TAPS = 7


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("months")
    first = month.START
    month.START += BEGUN * DAY_MS
    try:
        month.live(folder, LIVED)
    finally:
        month.START = first
    made = House(folder, first + NOW * DAY_MS)
    try:
        yield made
    finally:
        made.end()


def test_a_manager_goes_from_a_month_to_a_paper_to_sign(house: House, chromium: Chromium, tmp_path: Path) -> None:
    key = house.key["authorization"].split()[-1]
    with closing(chromium.open("about:blank", 1280, 900)) as page:
        page.call("Network.setExtraHTTPHeaders", headers={"accept-language": "zh"})
        hand = Hand(page, ["the address"])
        page.go(f"{house.url}/stations/yanshan/report?month=2026-12")
        hand.tap("a.btn.main", leads=True)
        page.wait("document.documentElement.dataset.runs === 'yes' && document.querySelector('[name=key]') !== null")
        page.run(f"document.querySelector('input[name=key]').value = '{key}'; 0")  # pasted
        hand.tap("button.main", leads=True)
        page.wait("location.pathname.endsWith('/report')")
        assert "2026 年 12 月" in page.run("document.querySelector('.of').innerText")
        lines = page.run("[...document.querySelectorAll('.compared tbody tr')].map((row) => row.innerText)")
        assert any(re.match(r"利用率\s+\d+%\s+\d+%\s+(持平|[高低] \d+ 个百分点)", line) for line in lines), lines
        assert "seat-" not in page.run("document.querySelector('main').innerText")
        table = page.run(
            "fetch(document.querySelector('a[href*=\"format=csv\"]').href).then((answer) => answer.arrayBuffer())"
            ".then((all) => btoa(String.fromCharCode(...new Uint8Array(all))))"
        )
        assert base64.b64decode(table).decode().startswith("\ufeff开始（当地时间）,结束（当地时间）,利用率")
        hand.tap('a[href^="/compare"]', leads=True)
        assert page.run("document.querySelectorAll('tr[data-station]').length") == 1
        hand.tap('tr[data-station="yanshan"] a', leads=True)
        pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True, timeout_s=90)["data"])
        hand.taps.append("print")
        (tmp_path / "month.pdf").write_bytes(pdf)
        read = ["pdftotext", "-layout", str(tmp_path / "month.pdf"), "-"]
        paper = subprocess.run(read, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout
        for word in ("雁山社区爱心驿站", "与上月相比", "填报人", "负责人", "盖章"):
            assert word in paper
        first, _, _ = paper.partition("\f")
        assert re.fullmatch("1/[23]", first.strip().splitlines()[-1].replace(" ", ""))
        print("\n" + hand.told("manager"))
        assert len(hand.taps) <= MOST_TAPS


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("mosquitto_pub"), reason="mosquitto_pub is missing")
def test_a_newcomer_goes_from_a_clone_to_a_seat_of_his_own_on_the_wall(chromium: Chromium, tmp_path: Path) -> None:
    """Everything is made anew, with its own environment: git, make and the tutorial, and at the end a picture."""
    clone = tmp_path / "yizhan"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, timeout=120)
    assert not (clone / ".venv").exists()
    todo = steps("zh")
    pause = "echo $HTTP > ready; until [ -e seen ]; do sleep 1; done"
    with ThreadPoolExecutor(1) as hands:
        walking = hands.submit(walk, clone, todo, pause)
        until(lambda: (clone / "ready").exists() or walking.done(), patience_s=540)
        try:
            http = (clone / "ready").read_text().strip() if (clone / "ready").exists() else "1"
            with closing(chromium.open(f"http://127.0.0.1:{http}/screen/first", 1920, 1080)) as page:
                page.wait("document.querySelector('[data-resource=seat-01]')?.dataset.usable === 'yes'")
        finally:
            (clone / "seen").touch()
        done = walking.result()
    for step, output in zip(todo, done.outputs, strict=False):
        assert step.shown in output, (step.commands, output)
    print(f"\nnewcomer: git clone and {len(todo)} steps, {done.seconds:.0f} s")
