"""A courier's ways to a seat, in Chromium against the real product. Taps and seconds are counted and printed (`-s`).

Reading is no tap; a scan of the code on the wall counts as one.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.rig import Yizhan, free_port
from tests.patience import until

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
HERE = (22.7650, 112.9640)
LIVE = "document.documentElement.dataset.contact === 'live'"
CONFIG = """
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data}}
api: {{listen: "127.0.0.1:{http}"}}
stations:
  - id: full
    name: {{zh: 桥头驿站, en: Bridge}}
    region: [广东, 江门, 鹤山]
    location: {{lat: 22.7655, lon: 112.9640}}
    hours: "24/7"
    areas: [{{id: a, resources: [{{id: seat-01, kind: seat}}]}}]
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站, en: Yanshan}}
    region: [广东, 江门, 鹤山]
    location: {{lat: 22.7700, lon: 112.9640}}
    hours: "24/7"
    areas:
      - id: a
        resources:
          - {{id: seat-01, kind: seat}}
          - {{id: seat-02, kind: seat}}
          - {{id: water, kind: appliance, type: water}}
          - {{id: wc, kind: room, name: {{zh: 卫生间, en: Toilet}}}}
  - id: far
    name: {{zh: 北门驿站, en: North gate}}
    region: [广东, 江门, 蓬江]
    location: {{lat: 22.8300, lon: 112.9640}}
    hours: "24/7"
    areas: [{{id: a, resources: [{{id: seat-01, kind: seat}}]}}]
"""
SAYS = {
    ("full", "seat-01"): {"occupied": True},
    ("yanshan", "seat-01"): {"occupied": True},
    ("yanshan", "seat-02"): {"occupied": False},
    ("yanshan", "water"): {"status": "idle"},
    ("yanshan", "wc"): {"occupied": False},
    ("far", "seat-01"): {"occupied": False},
}


class Devices:
    """They speak every second; `says` is what."""

    def __init__(self, port: int) -> None:
        self.says = dict(SAYS)
        self._client, self._stop = paho.Client(CallbackAPIVersion.VERSION2), threading.Event()
        until(lambda: self._client.connect("127.0.0.1", port) == paho.MQTT_ERR_SUCCESS)
        self._client.loop_start()
        self._speaker = threading.Thread(target=self._speak, name="devices")
        self._speaker.start()

    def _speak(self) -> None:
        while not self._stop.wait(1):
            for (station, device), signals in [*self.says.items()]:
                self._client.publish(f"yz/{station}/{device}/state", json.dumps(signals), qos=1)

    def end(self) -> None:
        self._stop.set()
        self._speaker.join()
        self._client.loop_stop()


class Journey:
    """Counts taps, and the seconds since the first."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name, self.taps, self._began = page, name, 0, time.monotonic()

    def scan(self, address: str) -> None:
        self.taps += 1
        self.page.go(address)

    def tap(self, selector: str) -> None:
        """What a finger can hit: seen, and large enough for it."""
        self.page.wait(f"document.querySelector({selector!r})?.checkVisibility()")
        box = self.page.run(
            f"(({{left, top, width, height}}) => [left + width / 2, top + height / 2, Math.min(width, height)])"
            f"((node => (node.scrollIntoView({{block: 'nearest'}}), node.getBoundingClientRect()))"
            f"(document.querySelector({selector!r})))"
        )
        assert box[2] >= 24, f"{selector} is too small for a finger"
        for kind in ("mousePressed", "mouseReleased"):
            self.page.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
        self.taps += 1

    def there(self) -> None:
        print(f"\n{self.name}: {self.taps} taps, {time.monotonic() - self._began:.1f} s")


@contextmanager
def product(folder: Path) -> Iterator[tuple[Devices, Callable[[str], str]]]:
    http, mqtt = free_port(), free_port()
    (folder / "yizhan.yaml").write_text(CONFIG.format(http=http, mqtt=mqtt), "utf-8")
    with Yizhan(folder, "up", "--config", "yizhan.yaml"):
        devices = Devices(mqtt)
        try:
            yield devices, lambda path: f"http://127.0.0.1:{http}{path}"
        finally:
            devices.end()


def test_from_the_code_on_the_wall_to_a_seat(tmp_path: Path, chromium: Chromium) -> None:
    with product(tmp_path) as (devices, url), closing(chromium.open(url("/screen/yanshan"))) as wall:
        wall.wait("document.querySelector('[data-resource=seat-02]')?.dataset.usable === 'yes'")
        address = url(wall.run("document.querySelector('.code img').alt"))
        with closing(chromium.open("about:blank", 390, 844, mobile=True)) as page:
            journey = Journey(page, "from the code to a seat")
            journey.scan(address)
            assert page.run("document.querySelector('.hero .num').textContent") == "1", "told before any script"
            page.wait(f"{LIVE} && document.querySelector('.hero .num').textContent === '1'")
            assert page.run("document.querySelector('.win[data-usable=yes]').dataset.resource") == "seat-02"
            devices.says["yanshan", "seat-02"] = {"occupied": True}  # he sits down
            page.wait("document.querySelector('[data-resource=seat-02]').dataset.usable === 'no'")
            wall.wait("document.querySelector('.hero .num').textContent === '0'")
            journey.there()
            assert journey.taps == 1
            assert page.errors == []


def test_without_a_code_by_position(tmp_path: Path, chromium: Chromium) -> None:
    with product(tmp_path) as (_, url), closing(chromium.open("about:blank", 390, 844, mobile=True)) as page:
        _heard(chromium, url)
        chromium.call("Browser.grantPermissions", permissions=["geolocation"], browserContextId=page.context)
        page.call("Emulation.setGeolocationOverride", latitude=HERE[0], longitude=HERE[1], accuracy=20)
        journey = Journey(page, "without a code, by position")
        journey.scan(url("/m?lang=zh"))
        journey.tap(".needs a[href*='need=seat']")
        page.wait("location.search.includes('need=seat') && document.documentElement.dataset.runs === 'yes'")
        journey.tap(".locate")
        page.wait("location.search.includes('near=') && document.querySelectorAll('.spot').length === 3")
        order = page.run("[...document.querySelectorAll('.spot')].map((n) => n.dataset.station)")
        assert order == ["yanshan", "full", "far"], "the free one at ten minutes, then the full one, then far away"
        assert "步行约 10 分钟" in page.run("document.querySelector('.spot .way').textContent")
        journey.tap(".spot h2 a")
        page.wait(f"location.pathname === '/m/yanshan' && {LIVE}")
        journey.tap(".bar .go")
        page.wait("document.querySelector('.sheet-go').open")
        links = page.run("[...document.querySelectorAll('.sheet-go .links a')].map((n) => n.href)")
        assert any("22.77,112.964" in link or "112.964,22.77" in link for link in links)
        journey.there()
        assert journey.taps <= 5
        assert page.errors == []


def test_without_a_code_and_without_a_position(tmp_path: Path, chromium: Chromium) -> None:
    with product(tmp_path) as (_, url), closing(chromium.open("about:blank", 390, 844, mobile=True)) as page:
        _heard(chromium, url)
        chromium.call(
            "Browser.setPermission",
            permission={"name": "geolocation"}, setting="denied", browserContextId=page.context,
        )  # fmt: skip
        journey = Journey(page, "without a code, by name")
        journey.scan(url("/m?lang=zh"))
        journey.tap(".locate")
        page.wait("document.querySelector('.here .result').textContent.includes('没能获取')")
        journey.tap(".ask input[type=search]")
        page.call("Input.insertText", text="雁山")
        journey.tap(".ask button")
        page.wait("document.querySelectorAll('.spot').length === 1")
        journey.tap(".needs a[href*='need=toilet']")
        page.wait("document.querySelector('.spot')?.dataset.kind === 'toilet'")
        assert page.run("document.querySelector('.spot').dataset.usable") == "yes"
        journey.tap(".spot h2 a")
        page.wait(f"location.pathname === '/m/yanshan' && {LIVE}")
        journey.there()
        assert page.errors == []


def test_without_script_the_way_is_whole(tmp_path: Path, chromium: Chromium) -> None:
    with product(tmp_path) as (_, url), closing(chromium.open("about:blank", 390, 844, mobile=True)) as page:
        _heard(chromium, url)
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        journey = Journey(page, "without script")
        journey.scan(url("/m?lang=zh&need=appliance:water"))
        assert page.run("document.querySelector('.spot').dataset.usable") == "yes"
        assert "时的情况" in page.run("document.querySelector('.asof').textContent")
        journey.tap(".spot h2 a")
        page.wait("location.pathname === '/m/yanshan' && document.readyState === 'complete'")
        assert page.run("document.querySelector('[data-resource=seat-02]').dataset.usable") == "yes"
        assert page.run("document.querySelectorAll('noscript').length") > 0
        journey.tap(".prefs a[hreflang=en]")
        page.wait("document.documentElement.lang === 'en' && document.readyState === 'complete'")
        assert "Free seats" in page.run("document.querySelector('.hero').textContent")
        journey.there()


def _heard(chromium: Chromium, url: Callable[[str], str]) -> None:
    """Until every device was heard, so that a list is of what is and not of a beginning."""
    with closing(chromium.open(url("/m?need=seat&lang=zh"), 390, 844)) as page:
        page.wait("document.querySelectorAll('.spot').length === 3")
        page.wait(
            "fetch('/api/v1/stations').then((r) => r.json()).then(({stations}) => "
            "stations.every((one) => one.summary.every((line) => line.usable_min === line.usable_max)))"
        )
