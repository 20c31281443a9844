"""The station's page shows operators the piles that are connected, and its buttons reach them."""

import pytest

from tests.e2e.pages.chromium import CHROMIUM, Chromium
from tests.firmware_bridge.ocpp.rig import dial
from tests.firmware_bridge.ocpp.test_product import Answering, House, house, reachable
from tests.patience import until

__all__ = ["house"]
pytestmark = [
    pytest.mark.broker,
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def test_an_operator_unlocks_and_takes_out_of_service_on_the_page(house: House) -> None:
    key = house.run("keys", "create", "--role", "operator", "--name", "li").split()[-1]
    until(lambda: reachable(house.piles), "the bridge listening")
    base = f"http://127.0.0.1:{house.http}"
    with dial(house.address) as pile, Chromium() as browser:
        pile.call("BootNotification", {"chargePointVendor": "VendorX", "chargePointModel": "M1"})
        for connector in (1, 2):
            pile.call("StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": "Available"})
        answering = Answering(pile)
        answering.answers["UnlockConnector"] = {"status": "Unlocked"}
        page = browser.open(f"{base}/login", 1280, 900)
        page.run(f"fetch('/login', {{method: 'POST', body: new URLSearchParams({{key: '{key}'}})}}).then(() => 1)")
        page.go(f"{base}/stations/s1")
        page.wait("document.querySelectorAll('.piles button').length === 7")
        assert "CP001 · VendorX · M1" in page.run("document.querySelector('.piles').innerText")
        page.run("document.querySelector('.piles [data-device=pile-2] [data-deed=unlock]').click()")
        until(lambda: ("UnlockConnector", {"connectorId": 2}) in answering.asked, "it is unlocked")
        page.wait("document.querySelector('main ~ .notice').innerText.length > 0")
        page.run("document.querySelector('.piles [data-device=pile-1] [data-deed=out_of_service]').click()")
        until(lambda: house.resource("pile-1")["health"] == "maintenance", "it is out of service")
