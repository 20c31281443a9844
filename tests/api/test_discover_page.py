"""The staff page that finds devices: ours alone, and what devices say never becomes markup."""

import re

from api.pages import POLICY
from api.pages.assets import STATIC
from tests.api.conftest import House


def test_the_page_loads_only_what_we_serve_under_the_strict_policy(house: House) -> None:
    page = house.get("/discover")
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == POLICY
    assert "发现设备" in page.text
    wanted = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert {house.get(path).status_code for path in wanted} == {200}


def test_what_devices_say_is_only_ever_text() -> None:
    script = (STATIC / "js/discover.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script)


def test_strangers_are_asked_for_a_key_and_no_one_listens_for_an_hour(house: House) -> None:
    assert house.get("/api/v1/discover").status_code == 401
    operation = house.get("/openapi.json").json()["paths"]["/api/v1/discover"]["get"]
    assert operation["x-role"] == "operator"
    (seconds,) = [parameter["schema"] for parameter in operation["parameters"] if parameter["name"] == "seconds"]
    assert (seconds["minimum"], seconds["maximum"]) == (1, 60)


def test_a_key_for_one_station_does_not_hear_the_others(house: House) -> None:
    key = house.app.context.keyring.create("partner", "operator", house.clock.now, stations=["yanshan"])
    assert house.get("/api/v1/discover", headers={"Authorization": f"Bearer {key}"}).status_code == 403
