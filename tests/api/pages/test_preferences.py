"""Language and light, chosen once for all pages: by links that work without script and lead nowhere else."""

import re

import pytest
from starlette.requests import Request

from api.pages.language import english_first, name_in
from api.pages.preferences import choice, dressed, preferences, switches


def asked(query: str = "", cookie: str = "", language: str = "") -> Request:
    headers = [(b"cookie", cookie.encode()), (b"accept-language", language.encode())]
    return Request({"type": "http", "method": "GET", "path": "/m", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("query", "cookie", "language", "lang", "look"),
    [
        ("", "", "en", "en", "auto"),
        ("", "yizhan_lang=zh-Hant; yizhan_look=night", "en", "zh-Hant", "night"),
        ("lang=en&theme=day", "yizhan_lang=zh-Hant; yizhan_look=night", "", "en", "day"),
        ("", "yizhan_lang=xx; yizhan_look=bright", "", "zh-Hans", "auto"),
    ],
)
def test_the_address_counts_before_the_choice_and_the_choice_before_the_browser(
    query: str, cookie: str, language: str, lang: str, look: str
) -> None:
    chosen = preferences(asked(query, cookie, language))
    assert (chosen.lang, chosen.look) == (lang, look)


def test_every_page_offers_the_other_languages_and_the_other_light() -> None:
    request = asked('need=seat&q="><b>&lang=en')
    html = switches(request, preferences(request))
    assert re.findall(r'data-set="([\w-]+)"', html) == ["zh-Hans", "zh-Hant", "night", "day"]
    assert "need=seat" in html
    assert "lang=en" not in html, "it would outrank the choice"
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("path", "query", "target", "cookie"),
    [
        ("/m/yanshan", "say=en", "/m/yanshan", "yizhan_lang=en"),
        ("/m", "need=seat&look=night&lang=zh", "/m?need=seat", "yizhan_look=night"),
        ("//evil.example/x", "look=auto", "/evil.example/x", "yizhan_look=auto"),
        ("/c/token", "say=zh-Hant", "/c/token", "yizhan_lang=zh-Hant"),
    ],
)
def test_a_choice_is_kept_and_leads_back_to_the_same_page(path: str, query: str, target: str, cookie: str) -> None:
    headers = choice(path, query, secure=False)
    assert headers is not None
    assert dict(headers)[b"location"] == target.encode()
    kept = dict(headers)[b"set-cookie"].decode()
    assert kept.startswith(f"{cookie}; Path=/; ")
    assert "Secure" not in kept
    assert "; Secure" in dict(choice(path, query, secure=True) or ())[b"set-cookie"].decode()


@pytest.mark.parametrize("query", ["", "say=xx", "look=1%0d%0aset-cookie:a", "q=say%3Den", "&" * 200 + "say=en"])
def test_any_other_query_chooses_nothing(query: str) -> None:
    assert choice("/m", query, secure=False) is None


def test_a_page_of_anybody_is_dressed_with_the_switches_and_the_light() -> None:
    page = (
        '<!doctype html>\n<html lang="zh-Hans">\n<head></head>\n<body>\n<h1>认领<span lang="en">Mine</span></h1></body>'
    )
    chinese, english = dressed(asked(), page), dressed(asked(cookie="yizhan_lang=en; yizhan_look=night"), page)
    assert '<nav class="prefs"' in chinese
    assert "认领<span" in chinese
    assert '<html data-theme="night" data-look="night" lang="en">' in english
    assert '<h1>Mine <span lang="zh-Hans">认领</span></h1>' in english


def test_a_bilingual_page_tells_english_first_to_who_reads_english() -> None:
    text = '<h1>登录<span lang="en">Log in</span></h1><p>要 <code>key</code> <span lang="en">Needs a key</span></p>'
    turned = english_first(text)
    assert '<h1>Log in <span lang="zh-Hans">登录</span></h1>' in turned
    assert "Needs a key" in turned


@pytest.mark.parametrize(
    ("lang", "name"), [("zh-Hans", "燕山驿站"), ("zh-Hant", "燕山驛站"), ("en", "Yanshan"), ("unheard of", "燕山驿站")]
)
def test_a_name_is_told_in_the_language_of_the_reader(lang: str, name: str) -> None:
    assert name_in(lang, {"zh": "燕山驿站", "zh-hant": "燕山驛站", "en": "Yanshan"}) == name


def test_a_name_that_lacks_a_language_is_told_in_the_nearest() -> None:
    assert name_in("zh-Hant", {"zh": "驿站", "en": "Station"}) == "驿站"
    assert name_in("en", {"zh": "驿站"}) == "驿站"
    assert name_in("zh-Hans", {"fr": "Relais"}) == ""
