"""From an empty folder to a seat on the wall, in a real browser with a real broker and the emulator's Zigbee devices.

Clicks are those of a mouse, counted; a choice from a list counts two. Seconds are those in which the page could run
(see `Page.wait`), so that a machine with too much to do is not blamed.
"""

import json
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from firmware_bridge.emulator.foreign import presence, zigbee2mqtt
from gateway.base.clock import now_ms
from gateway.mqtt import Broker, Session
from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import CHROMIUM, Chromium, Page
from tests.e2e.rig import MOSQUITTO, Yizhan, config, free_port, get, mosquitto, publish, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.broker,
    pytest.mark.skipif(not (MOSQUITTO and CHROMIUM), reason="mosquitto or chromium is not installed"),
]
DOOR = re.compile(r"set it up at (http://\S+)/setup#(\S+) ")
VIEWS = ("", "/devices", "/channels", "/people", "/versions", "/stations/yanshan", "/stations/yanshan/sheet")
MARKUP = "<img src=x onerror='window.hurt = 1'>"


class Sensors:
    """Virtual Zigbee devices behind a Zigbee2MQTT; each says once a second how it is."""

    def __init__(self, port: int) -> None:
        self.state: dict[str, dict[str, bool]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak, args=(port,))

    def _speak(self, port: int) -> None:
        session = Session(Broker("127.0.0.1", port), "zigbee2mqtt", keep=False)
        due = 0
        while not self._ended.is_set():
            session.poll(0.1)
            if now_ms() < due:  # a poll ends as soon as there is anything to do
                continue
            due = now_ms() + 1_000
            for topic, signals in list(self.state.items()):
                at = now_ms()
                for said, body, retain in (
                    *presence("zigbee2mqtt", topic, True),
                    *zigbee2mqtt(topic, dict(signals), at),
                ):
                    session.publish(said, _encoded(body), retain=retain)
        session.close()

    def __enter__(self) -> "Sensors":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def _encoded(body: object) -> bytes:
    return json.dumps(body).encode()


class Hand:
    """A person at a mouse and a keyboard. `clicks` and `spent_s` count what it cost."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.spent_s = page, 0, 0.0

    def click(self, selector: str) -> None:
        self.wait(
            f"document.querySelector({selector!r})?.checkVisibility() && !document.querySelector({selector!r}).disabled"
        )
        spot = self._still(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)
        self.clicks += 1

    def _still(self, selector: str) -> dict[str, float]:
        """Its middle, once it no longer moves."""
        before: dict[str, float] = {}
        while before != (now := self._spot(selector)):
            before = now
        return now

    def _spot(self, selector: str) -> dict[str, float]:
        return self.page.run(
            f"(() => {{ const n = document.querySelector({selector!r}); n.scrollIntoView({{block: 'center'}});"
            " const b = n.getBoundingClientRect(); return {x: b.x + b.width / 2, y: b.y + b.height / 2} })()"
        )

    def write(self, selector: str, text: str) -> None:
        self.click(selector)
        self.page.run(f"document.querySelector({selector!r}).select?.(); 0")
        self.page.call("Input.insertText", text=text)

    def choose(self, selector: str, value: str) -> None:
        self.wait(f"document.querySelector({selector!r}) !== null")
        self.page.run(
            f"(() => {{ const n = document.querySelector({selector!r}); n.value = {value!r};"
            " n.dispatchEvent(new Event('input', {bubbles: true}));"
            " n.dispatchEvent(new Event('change', {bubbles: true})) })()"
        )
        self.clicks += 2

    def wait(self, condition: str) -> None:
        self.spent_s += self.page.wait(condition)


@contextmanager
def empty_house(folder: Path, broker: int) -> Iterator[tuple[str, str, Yizhan]]:
    """A product without configuration: its address, its code, the process."""
    http = free_port()
    with Yizhan(folder, "up", "--http", f"127.0.0.1:{http}", "--mqtt", f"mqtt://127.0.0.1:{broker}") as up:
        until(lambda: get(http, "/readyz")["status"] == "ready")
        door = DOOR.search(up.errors)
        assert door, up.errors
        yield door[1], door[2], up


def device(topic: str, deed: str) -> str:
    return f'[data-topic="{topic}"] [data-deed={deed}]'


def test_from_an_empty_folder_to_a_seat_on_the_wall_and_then_one_more(tmp_path: Path, chromium: Chromium) -> None:
    with mosquitto(tmp_path) as broker, Sensors(broker) as sensors, ExitStack() as opened:
        sensors.state["zigbee2mqtt/window"] = {"occupied": False}
        publish(broker, f"zigbee2mqtt/{MARKUP}", '{"contact": true}', "-r")
        with empty_house(tmp_path, broker) as (base, code, up):
            page = chromium.open(f"{base}/setup?lang=zh#{code}", 1280, 900)
            opened.callback(page.close)
            hand = Hand(page)
            hand.write("[name=name]", "雁山社区爱心驿站")
            assert code not in page.run("location.href")
            hand.write("[name=place]", "112.969, 22.762")
            hand.choose("[name=hours]", "daily")
            hand.write("[name=seat]", "8")
            hand.write("[name=door]", "1")
            hand.wait("document.querySelector('.preview').innerText.includes('每天 开放 08:00–22:00')")
            hand.choose("[name=hours]", "always")  # so that it is open whenever this test runs
            hand.wait("document.querySelector('.place .result').innerText.includes('22.76')")
            hand.click("[data-deed=add-station]")
            hand.click(device("zigbee2mqtt/window", "use-device"))
            hand.wait("document.querySelector('dialog .now')?.innerText.startsWith('没人')")
            sensors.state["zigbee2mqtt/window"] = {"occupied": True}
            hand.wait("document.querySelectorAll('dialog .seen .done').length === 2")
            sensors.state["zigbee2mqtt/window"] = {"occupied": False}
            hand.click("[data-deed=save-device]")
            hand.wait("document.querySelector('[data-place=seat-01] [data-evidence=live]') !== null")
            hand.click("a[href^='/screen/']")
            hand.wait("document.querySelector('[data-resource=seat-01]')?.dataset.usable === 'yes'")
            assert hand.clicks <= 25, hand.clicks
            assert hand.spent_s <= 180, hand.spent_s

            page.go(f"{base}/setup/stations/station-1?lang=zh")
            hand = Hand(page)
            sensors.state["zigbee2mqtt/corner"] = {"occupied": False}
            hand.click(device("zigbee2mqtt/corner", "use-device"))
            hand.click("[data-deed=save-device]")
            hand.wait("document.querySelector('[data-place=seat-02] [data-evidence=live]') !== null")
            assert hand.clicks <= 6, hand.clicks
            assert hand.spent_s <= 60, hand.spent_s

            assert page.run("window.hurt") is None
            assert MARKUP in page.run("document.querySelector('.devices').innerText")
            written = (tmp_path / "house" / "house.yaml").read_text("utf-8")
            assert "topic: zigbee2mqtt/corner" in written
            assert "# Made by `yizhan up`" in written
            hand.click("[data-deed=undo]")
            hand.wait("document.querySelector('.notice').innerText.includes('已撤销')")
            assert "topic: zigbee2mqtt/corner" not in (tmp_path / "house" / "house.yaml").read_text("utf-8")
            assert page.errors == []
            assert code not in up.errors.split("set it up at")[2:]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A house with a station, heard devices, a channel and keys: its address, and an administrator's key."""
    folder = tmp_path_factory.mktemp("furnished")
    with mosquitto(folder) as broker:
        path = config(folder, f"mqtt://127.0.0.1:{broker}", http := free_port())
        (folder / "robot").write_text("http://127.0.0.1:9/x\n")
        with (folder / "yizhan.yaml").open("a", encoding="utf-8") as file:
            file.write(
                "alerts:\n  channels: [{id: duty, kind: webhook, url_file: robot, allow_private: true}]\n"
                "  routes: [{channels: [duty]}]\n"
            )
        made = yizhan(folder, "keys", "create", "--config", path, "--role", "admin", "--name", "王姐")
        publish(broker, "zigbee2mqtt/window", '{"occupancy": true, "battery": 90}', "-r")
        publish(broker, "zigbee2mqtt/button", '{"action": "single"}', "-r")
        with Yizhan(folder, "up", "--config", path):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            yield f"http://127.0.0.1:{http}", made.stdout.split()[-1]


def entered(browser: Chromium, base: str, key: str, path: str, width: int = 1280) -> Page:
    page = browser.open(f"{base}/setup", width, 900, mobile=width < 600)
    page.run(f"fetch('/login', {{method: 'POST', body: new URLSearchParams({{key: {key!r}}}), redirect: 'manual'}})")
    page.go(f"{base}{path}")
    page.wait(PRESENT)
    page.errors.clear()  # the browser tells of the refusal before the log-in
    return page


PRESENT = (
    "document.querySelectorAll('section h2, .card').length > 0 && !document.querySelector('.door')"
    " && (!location.pathname.includes('stations/') || document.querySelector('.card, [data-deed=use-device]') !== null)"
)
OUTSIDE = """[...document.querySelectorAll('main *, header *')].filter((n) => {
    const b = n.getBoundingClientRect(); return b.width && (b.right > innerWidth + 1 || b.left < -1);
}).map((n) => n.outerHTML.slice(0, 90))"""


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("how", "width"), [("lang=zh&theme=day", 1280), ("lang=en&theme=night", 390)])
def test_a_page_can_be_used_by_everybody(
    chromium: Chromium, furnished: tuple[str, str], view: str, how: str, width: int
) -> None:
    base, key = furnished
    with closing(entered(chromium, base, key, f"/setup{view}?{how}", width)) as page:
        assert violations(page) == []
        assert page.run(OUTSIDE) == []
        buttons = "[...document.querySelectorAll('main button, main select')]"
        small = f"{buttons}.filter((n) => n.offsetHeight && n.offsetHeight < 44)"
        assert page.run(f"{small}.map((n) => n.outerHTML)") == []
        page.run("document.documentElement.style.fontSize = '200%'; document.body.style.fontSize = '32px'; 0")
        assert page.run("document.documentElement.scrollWidth") <= width
        words = page.run("document.body.innerText")
        assert not re.search(r"\b(nav|door|asked|ch|pe|st|ve|[cdhpsuv])\.[a-z_]+\b(?!\.)", words), words
        assert page.errors == []


def test_a_device_is_taken_by_keyboard_and_a_dialog_gives_the_focus_back(
    chromium: Chromium, furnished: tuple[str, str]
) -> None:
    base, key = furnished
    with closing(entered(chromium, base, key, "/setup/stations/yanshan?lang=zh")) as page:
        page.wait("document.querySelector('[data-deed=use-device]') !== null")
        page.run("document.querySelector('[data-deed=use-device]').focus(); 0")
        press(page, "Enter", "\r")
        page.wait("document.querySelector('dialog[open]') !== null")
        assert violations(page) == []
        press(page, "Escape")
        page.wait("document.querySelector('dialog') === null")
        page.wait("document.activeElement.dataset.deed === 'use-device'")


def press(page: Page, key: str, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text if kind == "keyDown" else "",
                  windowsVirtualKeyCode={"Enter": 13, "Escape": 27}[key])  # fmt: skip


def test_strangers_and_lower_roles_see_a_door_and_nothing_else(chromium: Chromium, furnished: tuple[str, str]) -> None:
    base, _ = furnished
    with closing(chromium.open(f"{base}/setup?lang=zh", 390, 844, mobile=True)) as page:
        page.wait("document.querySelector('.door form') !== null")
        assert page.run("document.querySelectorAll('form').length") == 1  # no code can be entered in this house
        assert not [url for url in page.requests if "/api/v1/config" in url or "/api/v1/setup" in url]
        assert violations(page) == []
        assert page.errors == []


@pytest.mark.slow
def test_two_administrators_at_once_are_told_and_nothing_is_lost(
    chromium: Chromium, furnished: tuple[str, str]
) -> None:
    base, key = furnished
    path = "/setup/stations/yanshan?lang=zh"
    with closing(entered(chromium, base, key, path)) as first, closing(entered(chromium, base, key, path)) as other:
        add = "document.querySelector('[data-deed=add-places]').click()"
        first.run(add)
        first.wait("document.querySelector('.notice').innerText.includes('已保存')")
        other.run(add)
        other.wait("document.querySelector('.notice').innerText.includes('被别人改过')")
        other.wait("document.querySelectorAll('[data-place]').length === 5")
        other.run(add)
        other.wait("document.querySelectorAll('[data-place]').length === 6")


class Receiver(BaseHTTPRequestHandler):
    """Takes what a channel sends."""

    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.heard.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def robot() -> Iterator[str]:
    """Where a channel sends: an address with a secret in it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{receiver.server_port}/robot/s3cret"
        receiver.shutdown()
        thread.join()


@pytest.mark.slow
def test_people_are_told_by_a_channel_whose_address_nobody_sees_again(tmp_path: Path, chromium: Chromium) -> None:
    with mosquitto(tmp_path) as broker, robot() as address, empty_house(tmp_path, broker) as (base, code, up):
        with closing(chromium.open(f"{base}/setup?lang=zh#{code}", 1280, 900)) as page:
            hand = Hand(page)
            for again in (False, True):  # the very first save can be taken back, too
                hand.write("[name=name]", "雁山社区爱心驿站")
                hand.write('[name="safety:aed"]', "1")
                hand.click("[data-deed=add-station]")
                hand.wait("location.pathname === '/setup/stations/station-1'")
                if not again:
                    hand.click("[data-deed=undo]")
                    hand.wait("location.pathname === '/setup'")
            hand.click("[data-deed=make-checks]")
            hand.wait("document.querySelector('[data-deed=make-checks]') === null")
            page.go(f"{base}/setup/stations/station-1/sheet")
            assert page.run("document.querySelectorAll('.card svg').length") == 3
            assert "/c/…" in page.run("document.body.innerText")

            page.go(f"{base}/setup/channels?lang=zh")
            hand.choose("[name=kind]", "webhook")
            hand.click("input[type=password]")
            page.call("Input.insertText", text=address)
            hand.click("[data-deed=test-channel]")
            hand.wait("document.querySelector('.result').innerText.includes('没有发出')")  # it is a private address
            hand.click("input[type=checkbox]")
            hand.click("[data-deed=test-channel]")
            hand.wait("document.querySelector('.result').innerText.includes('对方已收下')")
            assert "测试" in Receiver.heard[-1]
            hand.click("[data-deed=add-channel]")
            hand.wait("document.querySelector('[data-channel=duty]') !== null")
            written = (tmp_path / "house" / "house.yaml").read_text("utf-8")
            assert "url_file: secrets/duty-url" in written
            assert "routes:" in written

            page.go(f"{base}/setup/people?lang=zh")
            hand.write("[name=who]", "王姐")
            hand.choose("[name=role]", "admin")
            hand.click("[data-deed=add-key]")
            hand.wait("document.querySelector('.made code')?.innerText.startsWith('yz_')")
            page.go(f"{base}/setup/versions?lang=zh")
            hand.wait("document.querySelectorAll('[data-version]').length === 6")
            page.run("window.confirm = () => true; 0")
            hand.click("[data-version='4'] [data-deed=restore]")
            hand.wait("document.querySelectorAll('[data-version]').length === 7")
            assert "alerts" not in (tmp_path / "house" / "house.yaml").read_text("utf-8")
            shown = page.run("fetch('/api/v1/config').then((r) => r.text())") + page.run("document.body.innerText")
            assert "s3cret" not in shown
            assert page.errors == []
        assert "s3cret" not in up.errors
    kept = [path for path in (tmp_path / "house").rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]
    assert [path.name for path in kept] == ["duty-url"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
