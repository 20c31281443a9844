"""What stands in a phone page before any script: words, times and states, escaped, and told as of their time."""

import gzip
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI

from api.pages import PagePlace, router
from gateway.base.times import from_rfc3339
from tests.api.pages.test_router import NASTY, Client
from tests.e2e.pages.scenes import TTL_MS, Scene, Thing, document, of, row, scenes

NOW = from_rfc3339("2026-11-21T06:32:08Z")


def page(scene: Scene, lang: str = "zh", change: dict[str, Any] | None = None, **place: Any) -> tuple[str, str]:
    """The page of this scene, and its policy."""
    body = json.dumps(document(scene, NOW, TTL_MS, True) | (change or {})).encode()
    app = FastAPI()
    places = {scene.id: PagePlace(scene.id, {"zh": scene.zh, "en": scene.en}, **place)}
    app.routes.extend(router(places, now_ms=lambda: NOW, documents=lambda _station: body).routes)
    answer = Client(app).get(f"/m/{scene.id}?lang={lang}")
    assert answer.status_code == 200
    return answer.text, answer.headers["content-security-policy"]


def states(text: str) -> dict[str, str]:
    return dict(re.findall(r'data-resource="([^"]+)" data-usable="(\w+)"', text))


def test_every_place_stands_in_its_word_with_the_time_at_which_it_was_so() -> None:
    text, _ = page(scenes()["half"])
    assert "14:32 时的情况" in text
    shown = states(text)
    assert shown["seat-01"] == "yes"
    assert shown["seat-02"] == "no"
    assert shown["seat-03"] == "unknown"
    assert 'aria-label="1 号 空闲"' in text
    assert 'aria-label="3 号 未知, 无消息"' in text
    assert 'data-past="14:32 时至少有 3">3</b>' in text
    assert "14:08 起无消息" in text, "the car piles are silent: no number"


@pytest.mark.parametrize(
    ("states_", "said"),
    [
        ("yyn", 'data-form="exact"><div class="arch"><b class="num" data-digits="1" data-past="14:32 时有 2">2</b>'),
        ("nnn", ">0</b>"),
        ("uuu", '<div class="plate"><b>未知</b>'),
        ("yuu", '<span class="least">至少</span>'),
        ("mmm", '<div class="plate"><b>检修</b><span>暂停使用</span>'),
    ],
)
def test_a_count_is_worded_by_the_rule_of_all_pages(states_: str, said: str) -> None:
    assert said in page(of("x", (row("seat", None, "seat", states_),)))[0]


def test_what_is_told_ends_with_its_document_without_script() -> None:
    text, policy = page(scenes()["yanshan"])
    style = re.search(r"<style>:root\{--holds:(\d+)s\}</style>", text)
    assert style is not None
    assert 0 < int(style[1]) <= TTL_MS / 1000
    assert policy.count("'sha256-") == 2
    assert '<noscript><meta http-equiv="refresh"' in text


def test_nothing_holds_where_nothing_is_live() -> None:
    assert "--holds:0s" in page(scenes()["silent"], change={"valid_until": None})[0]


def test_a_station_whose_gateway_is_away_says_so_beside_the_time() -> None:
    text, _ = page(scenes()["yanshan"], change={"watched": False})
    assert "本站网关失联，没有新消息" in text
    assert "gateway away, no news comes" in page(scenes()["yanshan"], "en", {"watched": False})[0]
    assert "失联" not in page(scenes()["yanshan"])[0]


def test_names_cannot_break_out_of_what_the_server_writes() -> None:
    things = (Thing("a&b", "appliance", "water", "y", name={"zh": NASTY}), Thing("x-1", "room", None, "y"))
    scene = Scene("x", zh=NASTY, en=NASTY, areas=(("a", NASTY, NASTY, things),))
    text, _ = page(scene, address=NASTY, names={"x-1": {"zh": NASTY}})
    assert "<img src=x" not in text
    assert text.count("&lt;img src=x") >= 3


def test_it_speaks_the_readers_language() -> None:
    text, _ = page(scenes()["half"], "en")
    assert "As it was at 14:32" in text
    assert "at least" in text
    assert '<html lang="en"' in text


def test_a_detector_that_warns_is_the_first_thing_on_the_page() -> None:
    text, _ = page(scenes()["smoke"])
    assert re.search(r'<aside class="danger" role="alert"><div data-instrument="smoke" data-alarm="yes">', text)
    assert 'role="alert" hidden>' in page(scenes()["yanshan"])[0]


def test_the_first_state_with_its_style_fits_the_first_round_trips() -> None:

    for name in ("yanshan", "half", "seats60"):
        assert len(gzip.compress(page(scenes()[name])[0].encode(), 9)) < 14_000
