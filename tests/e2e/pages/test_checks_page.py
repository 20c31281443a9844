"""The page behind the code at the place, as a phone has it, with the real product behind it."""

import base64
import gzip
import json
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.jpeg import without_metadata
from api.photos import LARGEST
from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.rig import Yizhan, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
TOKEN = "round-7f3a9b21c0d4e5f6"
CONFIG = """
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
timezone: Asia/Shanghai
stations:
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站, en: Yanshan rest station}}
    hours: "24/7"
    checks_token_file: token
    checks:
      - {{id: oven, of: [microwave], every: day, ask: {{zh: 微波炉能加热吗?, en: Does the microwave heat?}}}}
      - {{id: front-door, every: day, entry: true}}
      - {{id: medicine, of: [box], every: month, expires: true}}
    areas:
      - id: lounge
        resources:
          - {{id: microwave, kind: appliance, type: microwave}}
          - {{id: box, kind: supply, type: medicine}}
"""
SAVED = "document.querySelector('[data-check={}] .said').textContent.includes('已保存')"
RUNS = "document.documentElement.dataset.runs === 'yes'"
WAITING = "!document.querySelector('.waiting').hidden"


class Place:
    """A station that is checked by people; its server can be cut off."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.http = folder, free_port()
        (folder / "token").write_text(TOKEN)
        (folder / "yizhan.yaml").write_text(CONFIG.format(http=self.http, mqtt=free_port()), "utf-8")
        self.url = f"http://127.0.0.1:{self.http}/c/{TOKEN}"
        made = yizhan(folder, "keys", "create", "--config", "yizhan.yaml", "--role", "viewer", "--name", "t")
        self.key = made.stdout.split()[-1]

    @contextmanager
    def serving(self) -> Iterator[Yizhan]:
        with Yizhan(self.folder, "up", "--config", "yizhan.yaml") as server:
            until(lambda: self.get("/readyz"))
            yield server

    def get(self, path: str) -> bytes:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.http}{path}", headers={"authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def checks(self) -> list[dict[str, Any]]:
        """The newest first."""
        told: list[dict[str, Any]] = json.loads(self.get("/api/v1/stations/yanshan/checks"))["checks"]
        return told


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def phone(chromium: Chromium, place: Place) -> "closing[Page]":
    page = chromium.open(place.url, 360, 740, scale=2, mobile=True)
    page.wait(RUNS)
    return closing(page)


def tap(page: Page, selector: str) -> None:
    """A finger on the middle of an element, once it was scrolled to."""
    x, y = page.run(
        f"(() => {{ const it = document.querySelector({selector!r}); it.scrollIntoView({{block: 'center'}});"
        " const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    for kind, buttons in (("mousePressed", 1), ("mouseReleased", 0)):
        page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=buttons, clickCount=1)


def press(page: Page, key: str) -> None:
    code = {"Tab": 9, "Enter": 13}[key]
    text: dict[str, Any] = {"text": "\r"} if key == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


def focused(page: Page) -> str:
    """The text of what has the focus, and the check it belongs to."""
    told: str = page.run(
        "(document.activeElement.closest('li')?.dataset.check ?? '') + ' '"
        " + (document.activeElement.value || document.activeElement.localName)"
    )
    return told


def test_from_the_scan_to_done(place: Place, chromium: Chromium) -> None:
    """One tap where all is well, two where it is not, one more for each thing that is entered."""
    with place.serving(), phone(chromium, place) as page:
        tap(page, "[data-check=front-door] .main")
        page.wait(SAVED.format("front-door"))
        tap(page, "[data-check=oven] summary")
        tap(page, "[data-check=oven] details button")
        page.wait(SAVED.format("oven"))
        told = {check["check"]: check["result"] for check in place.checks()}
        assert told == {"front-door": "ok", "oven": "problem"}
        assert page.errors == []


def test_a_round_by_keyboard_alone(place: Place, chromium: Chromium) -> None:
    with place.serving(), phone(chromium, place) as page:
        met: list[str] = []
        while (at := focused(page)) != "front-door ok":
            met.append(at)
            assert len(met) < 20, met
            press(page, "Tab")
        press(page, "Enter")
        page.wait(SAVED.format("front-door"))
        press(page, "Tab")
        assert focused(page) == "front-door summary"
        press(page, "Enter")
        press(page, "Tab")
        page.call("Input.insertText", text="门锁坏了")
        press(page, "Tab")
        assert focused(page) == "front-door problem"
        press(page, "Enter")
        until(lambda: len(place.checks()) == 2)
        newest = place.checks()[0]
        assert (newest["result"], newest["note"]) == ("problem", "门锁坏了")
        ring = page.run("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none"


def test_what_a_screen_reader_is_told(place: Place, chromium: Chromium) -> None:
    with place.serving(), phone(chromium, place) as page:
        nodes = page.call("Accessibility.getFullAXTree")["nodes"]
        tree = [
            (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")
        ]
        asked = [name for role, name in tree if role == "form"]
        assert [name.split("?")[0] for name in asked] == [
            "微波炉能加热吗",
            "门能进吗？ Can one come in",
            "box：正常吗？ box: all well",
        ]
        assert sum(role == "button" and name.startswith("正常") for role, name in tree) == 3
        assert {("heading", name) for name in asked} <= set(tree)
        nameless = [node for node in tree if node[0] in ("button", "textbox", "Date", "spinbutton") and not node[1]]
        assert nameless == []
        assert violations(page) == []
        tap(page, "[data-check=oven] .main")
        page.wait(SAVED.format("oven"))
        assert page.run("document.querySelector('[data-check=oven] .said').getAttribute('role')") == "status"


LARGE = """document.querySelectorAll('body *').forEach((one) => {
  one.dataset.px = parseFloat(getComputedStyle(one).fontSize); });
document.querySelectorAll('body *').forEach((one) => { one.style.fontSize = 2 * one.dataset.px + 'px'; }); 0"""
CUT = """[...document.querySelectorAll('body *')].filter((one) => one.clientWidth &&
  one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline' &&
  !one.matches('input')).map((one) => one.outerHTML.slice(0, 90))"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 180])
def test_letters_of_twice_the_size(place: Place, chromium: Chromium, width: int) -> None:
    """Once by the setting of WeChat, which doubles letters, and once by a browser's zoom, which halves the page."""
    with place.serving(), phone(chromium, place) as page:
        page.size(width, 740, 2, mobile=True)
        if width == 360:
            page.run(LARGE)
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run(CUT) == []
        tap(page, "[data-check=oven] summary")
        tap(page, "[data-check=oven] details button")
        page.wait(SAVED.format("oven"))
        assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_what_was_entered_without_network_is_there_soon_after_its_return(place: Place, chromium: Chromium) -> None:
    with place.serving(), phone(chromium, place) as page:
        page.offline(True)
        tap(page, "[data-check=oven] .main")
        tap(page, "[data-check=front-door] .main")
        page.wait(WAITING)
        assert place.checks() == []
        page.offline(False)
        assert page.wait(SAVED.format("oven"), 10) <= 10
        page.wait(SAVED.format("front-door"))
        assert {check["check"] for check in place.checks()} == {"oven", "front-door"}


@pytest.mark.slow
def test_the_page_opens_without_network_and_sends_at_its_next_opening(place: Place, chromium: Chromium) -> None:
    with place.serving() as server, phone(chromium, place) as page:
        page.run("navigator.serviceWorker.ready.then(() => 0)")
        page.go(place.url)  # once more, through the worker
        page.wait("navigator.serviceWorker.controller !== null")
        server.stop(signal.SIGKILL)
        page.go(place.url)
        page.wait(RUNS)
        tap(page, "[data-check=oven] .main")
        page.wait(WAITING)
        context = page.context
    with place.serving():
        assert place.checks() == []
        with closing(chromium.tab(context, place.url, 360, 740, mobile=True)) as again:
            again.wait(RUNS)
            until(lambda: [check["check"] for check in place.checks()] == ["oven"])
            again.wait(f"!({WAITING})")


NOISE = """(async () => {
  const canvas = document.createElement('canvas'); canvas.width = 3000; canvas.height = 2000;
  const image = canvas.getContext('2d').createImageData(3000, 2000);
  for (let at = 0; at < image.data.length; at += 65536) crypto.getRandomValues(image.data.subarray(at, at + 65536));
  for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
  canvas.getContext('2d').putImageData(image, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const files = new DataTransfer(); files.items.add(new File([blob], 'oven.png', {type: 'image/png'}));
  const input = document.querySelector('[data-check=oven] input[type=file]');
  input.files = files.files; input.dispatchEvent(new Event('change', {bubbles: true}));
  return blob.size; })()"""


@pytest.mark.slow
def test_a_photo_is_made_small_kept_without_network_and_brought(place: Place, chromium: Chromium) -> None:
    with place.serving(), phone(chromium, place) as page:
        page.offline(True)
        assert page.run(NOISE) > 10 * LARGEST
        tap(page, "[data-check=oven] summary")
        tap(page, "[data-check=oven] details button")
        page.wait(WAITING)
        page.wait("indexedDB.databases().then((all) => all.length === 1)")
        page.offline(False)
        page.wait("document.querySelector('[data-check=oven] .said').textContent.includes('照片也已保存')")
        [check] = place.checks()
        assert check["photo"] is True
        photo = place.get(f"/api/v1/stations/yanshan/checks/{check['id']}/photo")
        assert without_metadata(photo) == photo
        size = page.run(
            f"createImageBitmap(new Blob([Uint8Array.from(atob('{base64.b64encode(photo).decode()}'),"
            " (c) => c.charCodeAt(0))])).then((one) => [one.width, one.height])"
        )
        page.run(
            f"fetch('/login', {{method: 'POST', body: new URLSearchParams({{key: '{place.key}'}})}}).then(() => 0)"
        )
        page.go(f"http://127.0.0.1:{place.http}/stations/yanshan?lang=zh")
        page.wait("document.querySelector('.rounds img')?.naturalWidth > 0")
        assert "oven" in page.run("document.querySelector('.rounds li').innerText")
        assert (size[0] / size[1], max(size) <= 1600) == (pytest.approx(1.5, abs=0.01), True)
        assert page.errors == [] or all("ERR_INTERNET_DISCONNECTED" in error for error in page.errors)


def test_a_browser_without_script_sends_the_same_form(place: Place, chromium: Chromium) -> None:
    with place.serving(), closing(chromium.open("about:blank", 360, 740, mobile=True)) as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.call("Page.navigate", url=place.url)
        until(lambda: "微波炉" in html_of(page))
        assert 'class="photo" hidden' in html_of(page)
        page.call("DOM.enable")
        node = page.call("DOM.querySelector", nodeId=root(page), selector="[data-check=oven] .main")["nodeId"]
        box = page.call("DOM.getBoxModel", nodeId=node)["model"]["content"]
        x, y = (box[0] + box[4]) / 2, (box[1] + box[5]) / 2
        for kind in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        until(lambda: "已保存" in html_of(page))
        assert [check["check"] for check in place.checks()] == ["oven"]


def root(page: Page) -> int:
    number: int = page.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
    return number


def html_of(page: Page) -> str:
    try:
        text: str = page.call("DOM.getOuterHTML", nodeId=root(page))["outerHTML"]
    except RuntimeError:
        return ""  # between two documents
    return text


def test_all_that_the_page_loads_is_small(place: Place, chromium: Chromium) -> None:
    with place.serving(), phone(chromium, place) as page:
        page.run("navigator.serviceWorker.ready.then(() => 0)")
        loaded = {re.sub(r".*?//[^/]+", "", url) for url in page.requests if "/api/" not in url}
        assert any(name.endswith("checks.js") for name in loaded)
        loaded = {name for name in loaded if name.startswith("/")}
        whole = sum(len(gzip.compress(place.get(name))) for name in loaded)
        assert whole <= 30 * 1024, (whole, loaded)
        assert TOKEN not in page.run("document.documentElement.outerHTML")
