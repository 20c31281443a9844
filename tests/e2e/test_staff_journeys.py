"""Staff finish on a page what they begin, against the real product: from a message to a proved repair, and at the desk.

Each journey counts its taps and seconds and prints them.
"""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import CHROMIUM, Chromium, Page
from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, publish, yizhan
from tests.gateway.notify.stub import Provider
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(not (MOSQUITTO and CHROMIUM), reason="mosquitto or chromium is not installed"),
]
CONFIG = """\
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}", public_url: "http://127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
timezone: Asia/Shanghai
alerts:
  raise_delay_s: 0
  clear_delay_s: 0
  channels: [{{id: hook, kind: webhook, url: "{hook}", allow_private: true}}]
stations:
  - id: yanshan
    name: {{zh: 雁山社区爱心驿站, en: Yanshan rest station}}
    region: [广东, 江门, 鹤山]
    location: {{lat: 22.765, lon: 112.964}}
    hours: "24/7"
    areas:
      - id: yard
        name: {{zh: 院子, en: Yard}}
        resources:
          - {{id: pile-04, kind: charger, type: ebike, ttl: 3600}}
          - {{id: seat-01, kind: seat, ttl: 3600}}
          - {{id: seat-02, kind: seat, ttl: 3600}}
          - {{id: door-main, kind: door, name: {{zh: 大门, en: Main door}}, ttl: 3600}}
"""
MOST_TAPS = 8
# Two frames later it is where it was, and a finger there would meet it.
RESTING = """(selector) => new Promise((told) => {
  const at = () => {
    const thing = document.querySelector(selector);
    if (!thing) return null;
    thing.scrollIntoView({block: 'center'});
    const {left, top, width, height} = thing.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    return document.elementFromPoint(x, y)?.closest(selector) === thing ? [x, y] : null;
  };
  const before = JSON.stringify(at());
  const look = () => { const now = at(); told(now && JSON.stringify(now) === before ? now : null); };
  requestAnimationFrame(() => requestAnimationFrame(look));
})"""
MARK_CLICK = """(selector) => {
  window.clicked = undefined;
  const mark = ({target}) => { window.clicked = target.closest(selector) ? 'it' : target.outerHTML.slice(0, 200); };
  document.addEventListener('click', mark, {capture: true, once: true});
}"""
COUNT_TOLD = """
window.told = [];
new MutationObserver((all) => {
  const nodes = all.map((one) => (one.target.nodeType === 1 ? one.target : one.target.parentElement));
  for (const node of new Set(nodes.map((one) => one?.closest('[role=status], [role=alert]'))))
    if (node && !node.closest('[hidden]') && node.textContent.trim()) window.told.push(node.textContent.trim());
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


@dataclass
class House:
    """The product with its people: Li at the desk, Wang who repairs."""

    http: int
    mqtt: int
    hook: Provider
    keys: dict[str, str]
    seq: int = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.http}{path}"

    def send(self, device: str, topic: str = "state", **signals: Any) -> None:
        self.seq += 1
        body = json.dumps({"boot": "b1", "seq": self.seq, **signals})
        publish(self.mqtt, f"yz/yanshan/{device}/{topic}", body)

    def ask(self, path: str) -> Any:
        request = urllib.request.Request(self.url(path), headers={"authorization": f"Bearer {self.keys['Li']}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def alert(self, kind: str) -> dict[str, Any]:
        alert: dict[str, Any] = self.ask(f"/api/v1/alerts?kind={kind}")["alerts"][0]
        return alert

    def message(self, words: str) -> dict[str, Any]:
        """The first message that says so."""
        message: dict[str, Any] = until(
            lambda: [request.json for request in self.hook.requests if words in str(request.json)]
        )[0]
        return message


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with mosquitto(folder) as mqtt, Provider().running() as hook:
        http = free_port()
        path = folder / "yizhan.yaml"
        path.write_text(CONFIG.format(mqtt=mqtt, http=http, hook=hook.url))
        keys = {
            name: yizhan(
                folder, "keys", "create", "--config", str(path), "--role", role, "--name", name, "--stations", "yanshan"
            ).stdout.split()[-1]
            for name, role in (("Li", "operator"), ("Wang", "operator"), ("Boss", "viewer"))
        }
        with Yizhan(folder, "up", "--config", str(path)):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            made = House(http, mqtt, hook, keys)
            made.send("pile-04", status="Available")
            made.send("door-main", open=False, locked=True)
            made.send("seat-01", occupied=False)
            yield made


@dataclass
class Hand:
    """What a person does to a page: each tap is a real one, in the middle of what is tapped, and is counted."""

    page: Page
    taps: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def tap(self, selector: str, *, leads: bool = False) -> None:
        place = f"document.querySelector({json.dumps(selector)})"
        self.page.wait(f"{place}?.checkVisibility() && !{place}.disabled && {place}.closest('[hidden]') === null")
        self.taps.append(self.page.run(f"{place}.textContent.trim() || {place}.name"))
        if leads:
            self.page.run("window.before = true; 0")
            self._press(selector)
            self.page.wait("!window.before && document.readyState === 'complete'")
            return
        for _ in range(3):  # what a page moved away at that very moment is tapped again
            self._press(selector)
            met = self.page.run("window.clicked ?? 'nothing'")
            if met == "it":
                return
            assert not met.startswith(("<button", "<a ")), f"meant for {selector}, the tap met {met}"
        raise AssertionError(f"no tap met {selector}")

    def tap_until(self, selector: str, words: str) -> None:
        """Until the list says so. A gateway that has no answer within 5 s is told to whoever asked, who looks and taps
        again: so does a hand, three times at most."""
        said = f"document.querySelector('.need').innerText.includes({json.dumps(words)})"
        refused = "document.querySelector('.notice.bad')?.innerText"
        for _ in range(3):
            self.page.run("document.querySelectorAll('.notice').forEach((one) => one.classList.remove('bad')); 0")
            self.tap(selector)
            self.page.wait(f"{said} || {refused}")
            why = self.page.run(f"{said} ? '' : {refused}")
            if not why:
                return
            print(f"refused: {why}")
            assert "gateway does not answer" in why, why
        raise AssertionError(f"{words} was never said")

    def _press(self, selector: str) -> None:
        x, y = until(lambda: self._resting(selector), f"{selector} at rest and nothing above it")
        self.page.run(f"({MARK_CLICK})({json.dumps(selector)}); 0")
        for kind in ("mousePressed", "mouseReleased"):
            self.page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def _resting(self, selector: str) -> list[float] | None:
        """The middle of what is to be tapped, once the page leaves it where it is."""
        told: list[float] | None = self.page.run(f"({RESTING})({json.dumps(selector)})")
        return told

    def told(self, who: str) -> str:
        return f"{who}: {len(self.taps)} taps, {time.monotonic() - self.began:.1f} s: {' → '.join(self.taps)}"


def log_in(page: Page, house: House, name: str) -> None:
    body = f"new URLSearchParams({{key: '{house.keys[name]}'}})"
    page.run(f"fetch('/login', {{method: 'POST', body: {body}, redirect: 'manual'}})")


def test_a_caretaker_goes_from_a_message_to_a_proved_repair_by_phone(house: House, chromium: Chromium) -> None:
    house.send("pile-04", status="Faulted", error="GroundFailure")
    message = house.message("接地故障")
    assert "雁山社区爱心驿站 · 院子 · 4 号充电桩 · 充电桩故障" in message["title"]
    link = message["link"]
    urllib.request.urlopen(link, timeout=60).read()
    assert house.alert("charger_fault")["state"] == "open"
    with closing(chromium.open("about:blank", 390, 844, 1, True)) as page:
        page.call("Network.setExtraHTTPHeaders", headers={"accept-language": "zh"})
        hand = Hand(page, ["the link"])
        page.go(link)
        assert "4 号充电桩 充电桩故障" in page.run("document.querySelector('h1').innerText")
        hand.tap("[data-deed=acknowledge]", leads=True)
        until(lambda: house.alert("charger_fault")["state"] == "acknowledged")
        hand.tap("a.btn", leads=True)
        page.wait("location.pathname === '/login' && document.readyState === 'complete'")
        page.wait("document.documentElement.dataset.runs === 'yes' && document.querySelector('[name=key]') !== null")
        page.run(f"document.querySelector('input[name=key]').value = '{house.keys['Wang']}'; 0")  # pasted
        hand.tap("button.main", leads=True)
        page.wait("document.querySelector('dialog.case')?.open")
        assert "4 号充电桩 接地故障" in page.run("document.querySelector('.case h2').innerText")
        hand.tap(".case [data-deed=accept]")
        page.wait("document.querySelector('.case .notice').innerText.includes('已接单')")
        house.send("pile-04", status="Available")
        hand.tap(".case [data-deed=done]")
        until(lambda: house.ask("/api/v1/orders")["orders"][0]["state"] == "closed")
        page.wait("document.querySelector('.case .facts').innerText.includes('已经结束')")
        print(hand.told("caretaker"))
        assert len(hand.taps) <= MOST_TAPS
        assert page.run("document.documentElement.scrollWidth") <= 390
        assert page.errors == []
    assert house.alert("charger_fault")["state"] == "closed"
    order = house.ask("/api/v1/orders")["orders"][0]
    closed = [line["by"] for line in order["history"] if line["action"] == "closed"]
    assert (order["assignee"], closed) == ("Wang", ["sensor"])


def test_the_desk_handles_a_forced_door_and_takes_a_step_back(house: House, chromium: Chromium) -> None:
    with closing(chromium.open(house.url("/login"), 1440, 900, prepare=COUNT_TOLD)) as page:
        log_in(page, house, "Li")
        page.go(house.url("/?lang=zh"))
        page.wait("document.querySelector('.who').innerText.includes('Li')")
        assert "雁山社区爱心驿站" in page.run("document.querySelector('.who').innerText")
        house.send("door-main", "event", type="door_forced")
        alarm = "[...document.querySelectorAll('.need button.open')].find((one) => one.innerText.includes('强行'))"
        page.wait(f"{alarm} !== undefined")
        assert "door" not in page.run("document.querySelector('.need').innerText")
        hand = Hand(page)
        page.run(f"{alarm}.id = 'forced'; 0")
        hand.tap("#forced")
        hand.tap(".case [data-deed=acknowledge]")
        page.wait("document.querySelector('.case .notice').innerText.includes('已确认')")
        page.run("document.querySelector('.case textarea').value = '是快递员，已核实'; 0")
        hand.tap(".case [data-deed=comment]")
        page.wait("document.querySelector('.case .history').innerText.includes('是快递员')")
        hand.tap(".case [data-deed=close]")
        until(lambda: house.alert("door_forced")["state"] == "closed")
        page.wait("document.querySelector('.case .notice').innerText.includes('已关闭')")
        print(hand.told("desk, a forced door: acknowledge, comment, close"))
        hand.tap(".case .notice [data-deed=undo]")
        until(lambda: house.alert("door_forced")["state"] == "acknowledged")
        hand.tap(".case [data-deed=close]")
        until(lambda: house.alert("door_forced")["state"] == "closed")
        told = page.run("window.told")
        assert [text for text in told if text.startswith("已确认")] == ["已确认撤销"], "each thing is announced once"
        assert page.errors == []
    actions = [line["action"] for line in house.alert("door_forced")["history"]]
    assert actions == ["opened", "acknowledged", "commented", "closed", "reopened", "closed"]
    house.message("重新打开")


def test_the_desk_works_by_keyboard_alone(house: House, chromium: Chromium) -> None:
    house.send("door-main", "event", type="tamper")
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        page.go(house.url("/?lang=zh"))
        page.wait("[...document.querySelectorAll('.need button.open')].some((one) => one.innerText.includes('拆动'))")
        press(page, "/")
        page.call("Input.insertText", text="拆动")
        page.wait("document.querySelectorAll('.found li').length === 1")
        press(page, "Enter")
        page.wait("document.querySelector('dialog.case').open")
        for _ in range(12):
            if page.run("document.activeElement.dataset.deed") == "close":
                break
            press(page, "Tab")
        press(page, "Enter")
        until(lambda: house.alert("tamper")["state"] == "closed")
        press(page, "Escape")
        page.wait("!document.querySelector('dialog.case').open")
        assert page.errors == []


def test_a_visitors_words_stand_on_the_page_with_what_became_of_them(house: House, chromium: Chromium) -> None:
    body = json.dumps({"resource": "seat-01", "kind": "broken", "text": "椅子腿松了"}).encode()
    request = urllib.request.Request(
        house.url("/api/v1/stations/yanshan/reports"), body, {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=60).read()
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        page.go(house.url("/stations/yanshan?lang=zh"))
        page.wait("document.querySelector('.reports').innerText.includes('椅子腿松了')")
        assert "1 号座位" in page.run("document.querySelector('.reports').innerText")
        assert "待处理" in page.run("document.querySelector('.reports').innerText")
        hand = Hand(page)
        hand.tap(".reports button.open")
        page.wait("document.querySelector('.case blockquote').innerText.includes('椅子腿松了')")
        hand.tap(".case [data-deed=accept]")
        page.wait("document.querySelector('.case [data-deed=done]') !== null")
        hand.tap(".case [data-deed=done]")
        until(lambda: house.alert("reported")["state"] == "closed")
        hand.tap(".case .shut")
        page.wait("document.querySelector('.reports').innerText.includes('已解决')")
        print(hand.told("a visitor's report"))
        assert page.errors == []


def test_what_was_never_heard_is_a_task_until_it_is_done(house: House, chromium: Chromium) -> None:
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        page.go(house.url("/?lang=zh"))
        page.wait("document.querySelector('.need').innerText.includes('尚未接入 1 件')")
        assert "2 号座位" in page.run("document.querySelector('.need').innerText")
        hand = Hand(page)
        hand.tap_until(".need [data-item='never:yanshan'][data-deed=accept]", "Li 已接单")
        house.send("seat-02", occupied=False)
        page.wait("!document.querySelector('.need').innerText.includes('尚未接入')")
        hand.tap(".need [data-deed=done]")
        hand.tap(".need [data-deed=verify]")
        page.wait("!document.querySelector('.need').innerText.includes('接入设备')")
        print(hand.told("a seat that was never heard"))


def test_what_can_be_seen_can_be_pressed(house: House, chromium: Chromium) -> None:
    """While the rest of what staff see is still asked for, a button that is there already works."""
    held = """
    const ask = window.fetch;
    const later = (url, how) => new Promise((told) => { window.go = () => told(ask(url, how)); });
    window.fetch = (url, how) => (`${url}`.includes("/api/v1/staff") ? later(url, how) : ask(url, how));
    """
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=held)
        page.go(house.url("/?lang=zh"))
        page.wait("window.go !== undefined")
        house.send("pile-04", status="Faulted", error="GroundFailure")
        page.wait("document.querySelector('.need button.open')?.checkVisibility()")
        page.run("document.querySelector('.need button.open').click(); 0")
        page.wait("document.querySelector('dialog.case').open")
        page.run("window.go(); 0")
        house.send("pile-04", status="Available")
        assert page.errors == []


def test_repair_with_an_end_is_set_and_taken_back_on_the_stations_page(house: House, chromium: Chromium) -> None:
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        page.go(house.url("/stations/yanshan?lang=zh"))
        page.wait("document.querySelector('.by-hand select') !== null")
        page.run("document.querySelector('.by-hand [name=of]').value = 'resource:pile-04'; 0")
        hand = Hand(page)
        hand.tap(".by-hand form [data-deed=override]")
        page.wait("document.querySelector('.words-now').innerText.includes('4 号充电桩 检修')")
        assert "Li" in page.run("document.querySelector('.words-now').innerText")
        hand.tap(".words-now [data-deed=override]")
        page.wait("document.querySelectorAll('.words-now li').length === 0")
        assert page.errors == []


@pytest.mark.parametrize("theme", ["day", "night"])
def test_axe_finds_nothing_on_what_staff_see(house: House, chromium: Chromium, theme: str) -> None:
    house.send("door-main", "event", type="help")
    with closing(chromium.open(house.url("/login"), 1440, 900)) as page:
        log_in(page, house, "Li")
        for path, opened in (("/", True), ("/", False), ("/stations/yanshan", False), ("/stations/yanshan", True)):
            page.go(house.url(f"{path}?lang=zh&theme={theme}"))
            page.wait("document.querySelector('button.open')?.checkVisibility()")
            if opened:
                page.run("document.querySelector('button.open').click(); 0")
                page.wait("document.querySelector('dialog.case').open")
            assert violations(page) == []


def test_at_200_percent_and_in_forced_colours_everything_can_be_reached(house: House, chromium: Chromium) -> None:
    house.send("door-main", "event", type="help")
    with closing(chromium.open(house.url("/login"), 640, 400, 2)) as page:  # 1280 × 800 at 200 %
        page.call("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
        log_in(page, house, "Li")
        page.go(house.url("/?lang=zh"))
        page.wait("document.querySelector('.need button.open')?.innerText.includes('求助')")
        assert page.run("document.documentElement.scrollWidth") <= 640
        hand = Hand(page)
        hand.tap(".need button.open")
        for deed in ("acknowledge", "comment", "order", "close"):
            assert page.run(f"document.querySelector('.case [data-deed={deed}]')?.checkVisibility()"), deed
        assert page.run("document.querySelector('dialog.case').scrollWidth") <= 640
        colour = "getComputedStyle(document.querySelector('{}')).backgroundColor"
        ground = page.run(colour.format("dialog.case"))
        assert page.run(colour.format(".case h2 .g")) not in ("rgba(0, 0, 0, 0)", ground), "signs stay to be seen"


def press(page: Page, key: str) -> None:
    codes = {"Tab": 9, "Enter": 13, "Escape": 27, "/": 191}
    text = {"Enter": "\r", "/": "/"}.get(key)
    more = {"text": text} if text else {}
    page.call("Input.dispatchKeyEvent", 60, type="keyDown", key=key, windowsVirtualKeyCode=codes[key], **more)
    page.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=codes[key])
