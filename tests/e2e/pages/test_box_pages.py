"""What staff do on the pages of a centre for the station of a box: done there, waiting for its line, or refused by it.

A real box and a real centre, a mosquitto each, and a browser at the centre. Whatever is killed, each deed is done once.
"""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import CHROMIUM, Chromium, Page
from tests.e2e.rig import MOSQUITTO, Yizhan, get, publish
from tests.e2e.test_uplink import ALONE, BOX, House, asked, boxes, brokers
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not (MOSQUITTO and CHROMIUM), reason="mosquitto or chromium is not installed"),
]
YANSHAN = """\
stations:
  - id: yanshan
    name: {zh: 雁山社区爱心驿站, en: Yanshan rest station}
    hours: "24/7"
    areas:
      - id: lounge
        name: {zh: 休息区, en: Lounge}
        resources:
          - {id: seat-01, kind: seat, ttl: 3600}
          - {id: seat-02, kind: seat, ttl: 3600}
          - {id: door-main, kind: door, name: {zh: 大门, en: Main door}, ttl: 3600}
"""
DESK, PHONE = 1280, 390
SENT = "document.querySelector('.for-box')?.innerText ?? ''"
OF_A_KILLED_CENTRE = ("net::", "when fetching the script")  # what a browser says where nobody answers it


@dataclass
class Town:
    """A centre and its box, each `yizhan up`; `key` and `box_key` are of administrators."""

    centre: House
    box: House
    key: dict[str, str]
    box_key: dict[str, str]
    up: dict[str, Yizhan]

    def start(self, name: str) -> None:
        house = self.centre if name == "centre" else self.box
        self.up[name] = house.up()
        until(lambda: get(house.http, "/readyz"), what=f"the {name}")

    def kill(self, name: str) -> None:
        """kill -9"""
        up = self.up.pop(name)
        up.stop(signal.SIGKILL)
        up.__exit__(None, None, None)

    def line(self, state: str) -> None:
        until(lambda: boxes(self.centre.http, self.key)[0]["line"] == state, what=f"the line {state}")

    def done_at_box(self, *what: str) -> list[str]:
        """What came from the centre, the oldest first."""
        lines = asked(self.box.http, "/api/v1/audit", self.box_key)["audit"]
        return [line["what"] for line in reversed(lines) if line["what"] in what]

    def entered(self, browser: Chromium, path: str, width: int = DESK) -> Page:
        base = f"http://127.0.0.1:{self.centre.http}"
        page = browser.open(f"{base}/login", width, 900, mobile=width < 600)
        token = self.key["Authorization"].split()[-1]
        body = f"new URLSearchParams({{key: {token!r}}})"
        page.run(f"fetch('/login', {{method: 'POST', body: {body}, redirect: 'manual'}}).then(() => 0)")
        page.go(f"{base}{path}")
        return page


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto-clients is not installed")
    centre = House(tmp_path / "centre", ALONE, "")
    told = BOX.replace("id: box-1,", "id: box-1, command_key_file: centre.key,")
    box = House(
        tmp_path / "box", told + "alerts: {{raise_delay_s: 0}}\n", YANSHAN, centre=centre.broker.port, confirm="box"
    )
    with brokers(centre, box), ExitStack() as ends:
        made = Town(centre, box, {}, {}, {})
        ends.callback(lambda: [up.__exit__(None, None, None) for up in made.up.values()])
        made.start("centre")
        shutil.copy(centre.folder / "data" / "command.key", box.folder / "centre.key")
        made.key, made.box_key = centre.key(), box.key()
        made.start("box")
        until(lambda: centre.shown("seat-01"), what="the station at the centre")
        made.line("up")
        yield made


def said_at(house: House, key: dict[str, str]) -> dict[str, Any]:
    """The call for help there; IndexError while there is none."""
    return dict(asked(house.http, "/api/v1/alerts?kind=help", key)["alerts"][0])


def press(page: Page, selector: str) -> None:
    page.wait(
        f"document.querySelector({selector!r})?.checkVisibility() && !document.querySelector({selector!r}).disabled"
    )
    page.run(f"document.querySelector({selector!r}).click(); 0")


def notice(page: Page, words: str) -> None:
    page.wait(f"[...document.querySelectorAll('.notice')].some((one) => one.innerText.includes({words!r}))")


def test_what_staff_do_at_a_centre_is_shown_as_done_waiting_or_refused(town: Town, chromium: Chromium) -> None:
    publish(town.box.broker.port, "yz/yanshan/door-main/event", '{"boot": "b1", "seq": 1, "type": "help"}')
    until(lambda: said_at(town.centre, town.key), what="the call at the centre")
    until(lambda: said_at(town.box, town.box_key), what="the call at the box")
    with closing(town.entered(chromium, "/stations/yanshan?lang=zh")) as page:
        press(page, ".log button.open")
        press(page, "dialog.case [data-deed=acknowledge]")
        notice(page, "已确认")
        until(lambda: said_at(town.box, town.box_key)["state"] == "acknowledged", what="who takes care, at the box")
        page.wait(f"({SENT}).includes('箱子已办') && ({SENT}).includes('确认告警')")
        town.kill("box")
        town.line("down")
        press(page, "dialog.case [data-deed=order]")
        notice(page, "已派单 · 等待箱子")
        page.wait("document.querySelector('dialog.case [data-only=waiting]').innerText.includes('派单')")
        assert violations(page) == []
        press(page, "dialog.case .shut")
        press(page, ".by-hand form [data-deed=override]")
        notice(page, "已提交 · 等待箱子")
        page.wait("document.querySelector('.by-hand .words-now').innerText.includes('等待箱子')")
        town.kill("centre")
        town.start("centre")
        page.go(f"http://127.0.0.1:{town.centre.http}/stations/yanshan?lang=zh")
        page.wait(f"({SENT}).split('等待箱子').length === 3")
        assert violations(page) == []
        town.start("box")
        page.wait(f"!({SENT}).includes('等待箱子') && ({SENT}).split('箱子已办').length === 4")
        page.wait("!document.querySelector('.by-hand .words-now').innerText.includes('等待箱子')")
        page.wait("document.querySelector('.by-hand .words-now').innerText.includes('检修')")
        deeds = ("acknowledge", "assign", "override")
        assert sorted(town.done_at_box(*deeds)) == sorted(deeds), "each once, whatever was killed"
        assert [error for error in page.errors if not any(gone in error for gone in OF_A_KILLED_CENTRE)] == []


def named(house: House, key: dict[str, str]) -> str:
    """The station as the centre has it from its box."""
    shown = asked(house.http, "/api/v1/config?station=yanshan", key)
    return str(shown["config"]["stations"][0]["name"]["en"])


def write(page: Page, at: int, text: str) -> None:
    """Into the field `at` of name, place and hours."""
    form = "[...document.querySelectorAll('form')].find((one) => one.querySelector('[data-deed=save-station]'))"
    page.wait(f"{form} !== undefined")
    page.run(f"{form}.querySelectorAll('input')[{at}].value = {json.dumps(text)}; 0")


def test_a_boxs_station_is_set_up_from_the_centre(town: Town, chromium: Chromium) -> None:
    with closing(town.entered(chromium, "/setup?lang=zh")) as page:
        page.wait("document.querySelector('[data-station=yanshan] a') !== null")
        assert violations(page) == []
        page.run("document.querySelector('[data-station=yanshan] a').click(); 0")
        page.wait("location.pathname === '/setup/stations/yanshan'")
        write(page, 1, "Yanshan house")
        press(page, "[data-deed=save-station]")
        notice(page, "已保存")
        assert "Yanshan house" in (town.box.folder / "yizhan.yaml").read_text("utf-8")
        page.wait("document.querySelector('.sent').innerText.includes('箱子已办')")
        press(page, "[data-deed=undo]")
        notice(page, "已撤销")
        assert named(town.centre, town.key) == "Yanshan rest station"
        town.kill("box")
        town.line("down")
        write(page, 1, "Yanshan at night")
        press(page, "[data-deed=save-station]")
        notice(page, "等待箱子")
        page.wait("document.querySelector('.sent').innerText.includes('等待箱子')")
        write(page, 1, "Yanshan by day")
        press(page, "[data-deed=save-station]")
        notice(page, "前一项改动还在等待箱子")
        path = town.box.folder / "yizhan.yaml"
        path.write_text(
            path.read_text("utf-8").replace("seat-02", "seat-03"), "utf-8"
        )  # somebody at the box, meanwhile
        town.start("box")
        page.wait("document.querySelector('.sent').innerText.includes('箱子拒绝')")
        until(lambda: named(town.centre, town.key) == "Yanshan rest station", what="what the box has")
        page.wait("document.querySelector('[data-place=seat-03]') !== null")
        assert violations(page) == []
        assert page.run("document.documentElement.scrollWidth") <= DESK
