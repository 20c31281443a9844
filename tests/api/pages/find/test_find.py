"""/m without a station: all that have what is needed, the most useful first, whole without script."""

import json
import re
from dataclasses import replace

import pytest
from fastapi import FastAPI

from api.geo import point_of
from api.live_view import Entry
from api.pages import PagePlace, places_of, router
from api.wire_documents import read
from config.schema import Settings
from gateway.base.times import from_rfc3339
from gateway.live.station_document import encoded
from tests.api.pages.test_router import NASTY, Client
from tests.e2e.pages.scenes import TTL_MS, Scene, Thing, document, of, row

NOW = from_rfc3339("2026-11-21T06:32:08Z")
HERE = (22.765, 112.964)
KM = 1 / 111.2  # degrees of latitude


def scene(name: str, seats: str, km: float = 0, piles: str = "", **more: object) -> Scene:
    things = (row("seat", None, "seat", seats), row("charger", "ebike", "pile", piles))
    return replace(of(name, things), zh=f"{name}驿站", lat=HERE[0] + km * KM, lon=HERE[1], **more)  # type: ignore[arg-type]


def asked(query: str, *scenes: Scene, lang: str = "zh", toilets: str = "") -> str:
    places = {
        place.id: PagePlace(
            place.id, {"zh": place.zh, "en": place.en}, region=place.region, lat=place.lat, lon=place.lon,
            words=f"{place.id}\n{place.zh}".lower(), toilets=frozenset(toilets.split()),
        )
        for place in scenes
    }  # fmt: skip
    bodies = [json.dumps(document(place, NOW, TTL_MS, True)).encode() for place in scenes]
    standings = [Entry(encoded(read(body), NOW), 0) for body in bodies]
    app = FastAPI()
    app.routes.extend(router(places, now_ms=lambda: NOW, standings=lambda: standings).routes)
    answer = Client(app).get(f"/m?lang={lang}&{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def names(text: str) -> list[str]:
    return re.findall(r'class="spot" data-station="(\w+)"', text)


def test_who_serves_soonest_comes_first_and_full_and_closed_ones_are_listed_too() -> None:
    scenes = (
        scene("closed", "cc", 0.1, open="no", open_until_ms=3_600_000),
        scene("full", "nn", 0.2),
        scene("silent", "uu", 0.3),
        scene("far", "yy", 1.5),
        scene("near", "ny", 0.5),
    )
    assert names(asked(f"need=seat&near={HERE[0]},{HERE[1]}", *scenes)) == ["near", "silent", "far", "full", "closed"]


def test_a_full_one_that_is_free_in_a_moment_comes_before_a_long_walk() -> None:
    soon = replace(scene("soon", "nn", 0.1), forecast={"seat": (5, 1, 10)})
    text = asked(f"need=seat&near={HERE[0]},{HERE[1]}", scene("far", "y", 2), soon)
    assert names(text) == ["soon", "far"]


def test_what_is_needed_is_counted_first_and_who_has_none_is_left_out() -> None:
    text = asked("need=charger:ebike", scene("seats", "yy"), scene("piles", "yy", piles="yyn"))
    assert names(text) == ["piles"]
    assert re.search(r'data-kind="charger" data-type="ebike" data-usable="yes"', text)
    assert "电动车充电 2" in text
    assert 'aria-current="true"><i class="k" data-k="ebike"' in text


def test_walking_minutes_follow_the_way_and_not_the_line() -> None:
    text = asked(f"near={HERE[0]},{HERE[1]}", scene("near", "y", 0.75))
    assert "步行约 13 分钟，750 米" in text


def test_by_name_and_region_it_is_whole_without_a_position() -> None:
    scenes = (scene("bei", "y", region=("广东", "北区")), scene("nan", "y", region=("广东", "南区")))
    assert names(asked("q=BEI", *scenes)) == ["bei"]
    assert names(asked("region=南区", *scenes)) == ["nan"]
    assert "没有找到" in asked("q=xyz", *scenes)
    assert "<option>北区</option><option>南区</option>" in asked("", *scenes)
    assert names(asked("near=nonsense", *scenes)) == ["bei", "nan"]


def test_a_toilet_is_found_by_its_name() -> None:
    wc = Scene(
        "x", areas=(("a", "后院", "Yard", (Thing("wc-1", "room", None, "y"), Thing("hall", "room", None, "n"))),)
    )
    text = asked("need=toilet", wc, scene("none", "y"), toilets="wc-1")
    assert 'data-kind="toilet" data-usable="yes"' in text
    assert "卫生间 1" in text


def test_the_configuration_says_what_is_called_a_toilet() -> None:
    def place(resources: str, area: str = "厅") -> PagePlace:
        station = {"id": "x", "areas": [{"id": "a", "name": {"zh": area}, "resources": json.loads(resources)}]}
        return places_of(Settings.model_validate({"stations": [station]}))["x"]

    assert place('[{"id": "r", "kind": "room", "name": {"zh": "男卫生间"}}]').toilets == {"r"}
    assert place('[{"id": "r", "kind": "room"}]', area="洗手间").toilets == {"r"}
    assert place('[{"id": "r", "kind": "room", "features": ["toilet"]}]').toilets == {"r"}
    assert place('[{"id": "s", "kind": "seat"}]', area="洗手间").toilets == frozenset()
    assert "男卫生间" in place('[{"id": "r", "kind": "room", "name": {"zh": "男卫生间"}}]').words


def test_many_are_told_on_pages() -> None:
    scenes = [scene(f"s{i}", "y") for i in range(45)]
    assert len(names(asked("", *scenes))) == 20
    assert names(asked("page=3", *scenes)) == ["s40", "s41", "s42", "s43", "s44"]
    assert 'href="/m?lang=zh&amp;page=2"' in asked("", *scenes)


def test_each_is_told_as_of_its_time_and_with_its_end() -> None:
    text = asked("", scene("x", "yy"))
    assert "14:32 时的情况" in text
    assert 'data-past="14:32 时空座 2"' in text
    assert re.search(r'data-until="\d{13}"', text)
    assert re.search(r"<style>:root\{--holds:\d+s\}</style>", text)


def test_nothing_of_the_address_or_the_names_breaks_out() -> None:
    text = asked("q=%22%3E%3Cx-y%3E&need=%3Cx-y%3E&region=%3Cx-y%3E&from=%3Cx-y%3E", scene("x", "y"))
    assert "<x-y>" not in text
    assert "<img src=x" not in asked("", replace(scene("x", "y"), zh=NASTY, en=NASTY, region=(NASTY,)))


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "91,0", "0,181", "nan,0", "inf,inf"])
def test_what_is_no_place_on_earth_is_no_position(text: str) -> None:
    assert point_of(text) is None
