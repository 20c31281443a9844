"""The page on which staff find devices, in a real browser: listen, look, copy."""

import contextlib
from pathlib import Path

import pytest

from tests.e2e.pages.chromium import CHROMIUM, Chromium
from tests.e2e.rig import MOSQUITTO, Yizhan, config, free_port, get, mosquitto, publish, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(not (MOSQUITTO and CHROMIUM), reason="mosquitto or chromium is not installed"),
]
LINE = "- {id: seat-window, kind: seat, power: battery, source: {dialect: zigbee2mqtt, topic: zigbee2mqtt/seat-window}}"
LISTEN = """
document.querySelector('option').value = 1;
document.querySelector('select').value = 1;
document.querySelector('form button').click()"""
# As on the address of a box in the house: browsers give their clipboard to https and localhost alone.
PLAIN_HTTP = "Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})"
PRESS = "document.querySelector('.found li:last-child .line button').click()"
MARKUP = "<img src=x onerror='window.hurt = 1'>"


def test_staff_listen_and_copy_a_line_with_one_click(tmp_path: Path, chromium: Chromium) -> None:
    with mosquitto(tmp_path) as mqtt:
        http = free_port()
        path = config(tmp_path, f"mqtt://127.0.0.1:{mqtt}", http)
        key = yizhan(tmp_path, "keys", "create", "--config", path, "--role", "operator", "--name", "a").stdout.split()[
            -1
        ]
        publish(mqtt, "zigbee2mqtt/seat-window", '{"occupancy": true, "battery": 90}', "-r")
        publish(mqtt, f"zigbee2mqtt/{MARKUP}", '{"contact": true}', "-r")
        with Yizhan(tmp_path, "up", "--config", path), contextlib.ExitStack() as opened:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            page = chromium.open(f"http://127.0.0.1:{http}/discover", 1280, 900, prepare=PLAIN_HTTP)
            opened.callback(page.close)
            page.run(LISTEN)
            page.wait("document.querySelector('.result.bad')?.textContent.includes('登录')")
            page.errors.clear()  # the browser tells of the 401
            page.run(
                f"fetch('/login', {{method: 'POST', body: new URLSearchParams({{key: '{key}'}}), redirect: 'manual'}})"
            )
            page.run(LISTEN)
            page.wait("document.querySelectorAll('.found li').length === 2")
            page.run("document.addEventListener('copy', () => { window.copied = String(getSelection()) })")
            page.call("Runtime.evaluate", expression=PRESS, userGesture=True)
            page.wait("document.querySelector('.line button.done') !== null")
            assert page.run("window.copied") == LINE
            assert MARKUP in page.run("document.querySelector('.found').innerText")
            assert page.run("window.hurt") is None
            page.size(360, 780, mobile=True)
            assert page.run("document.documentElement.scrollWidth") <= 360
            assert page.errors == []
