"""Pages come compressed, but not to a page of another site that asks behind its reader's back."""

import pytest

from tests.api.conftest import House

ELSEWHERE = "https://elsewhere.example/"


@pytest.mark.parametrize(
    ("headers", "packed"),
    [
        ({}, True),
        ({"referer": "{own}/"}, True),
        ({"referer": ELSEWHERE}, False),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors", "referer": ELSEWHERE}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "referer": ELSEWHERE}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, False),
        ({"referer": "nonsense"}, False),
    ],
)
def test_what_another_site_fetches_is_not_compressed(house: House, headers: dict[str, str], packed: bool) -> None:
    told = {name: value.format(own=house.url) for name, value in headers.items()}
    page = house.get("/", headers={"accept-encoding": "gzip", **told})
    assert (page.status_code, page.headers.get("content-encoding") == "gzip") == (200, packed)
    assert page.text.startswith("<!doctype html>")
