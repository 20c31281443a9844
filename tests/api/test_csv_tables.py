"""Every table that the API gives: a spreadsheet in China opens it right, and finds no formula in it."""

import csv
import io
import re
from collections.abc import Iterator

import pytest

from api.csv_cells import MARK
from api.csv_tables import Spreadsheet
from api.csv_words import HEADINGS, VALUES, YES_NO
from gateway.base.local_time import DAY_MS
from tests.api.month import START, Client, live, settings_in

DAYS = 3
WINDOW = f"from={START}&to={START + DAYS * DAY_MS}"
QUERIES = {"/api/v1/stations/{station}/history": "resource=seat-01&", "/api/v1/utilization": "region=江门&"}
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"-?\d+(\.\d+)?%?")
UTC = re.compile(r"\d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    path = tmp_path_factory.mktemp("month")
    live(path, DAYS)
    return Client(path, START + DAYS * DAY_MS)


def tables(client: Client) -> Iterator[str]:
    """The address of each route that says that it can answer a table."""
    for path, item in client.get("/openapi.json").json()["paths"].items():
        content = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "text/csv" in content and not path.startswith("/feeds/"):
            yield path.replace("{station}", "yanshan") + f"?{QUERIES.get(path, '')}{WINDOW}&format=csv"


def read(client: Client, url: str) -> list[list[str]]:
    answer = client.get(url, headers=client.key())
    assert answer.status_code == 200, url
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith(MARK), url
    assert text.count(MARK) == 1
    return list(csv.reader(io.StringIO(text.removeprefix(MARK))))


def test_every_table_is_marked_as_utf_8_and_has_no_formula_in_any_language(client: Client) -> None:
    asked = list(tables(client))
    assert len(asked) >= 7
    for url in asked:
        for lang in ("", "&lang=zh", "&lang=zh-hant", "&lang=en"):
            for row in read(client, url + lang):
                assert all(NUMBER.fullmatch(text) or not FORMULA.match(text) for text in row), url


def test_for_people_every_heading_is_in_the_language_that_was_asked_for(client: Client) -> None:
    for url in tables(client):
        heads = read(client, url)[0]
        for lang in ("zh", "zh-hant"):
            named = read(client, f"{url}&lang={lang}")[0]
            assert len(named) == len(heads)
            assert all(re.search(r"[\u4e00-\u9fff]", name) for name in named), (url, named)
        english = read(client, f"{url}&lang=en")[0]
        assert all(
            name != head and not re.search(r"[\u4e00-\u9fff_]", name) for name, head in zip(english, heads, strict=True)
        )


def test_times_are_those_of_the_house(client: Client) -> None:
    for url in tables(client):
        for lang in ("", "&lang=zh"):
            for row in read(client, url + lang):
                assert not any(UTC.search(text) for text in row), (url, row)
    first = read(client, f"/api/v1/stations/yanshan/utilization?{WINDOW}&format=csv")[1]
    assert first[:2] == ["2026-11-01T00:00:00+08:00", "2026-11-02T00:00:00+08:00"]
    first = read(client, f"/api/v1/stations/yanshan/utilization?{WINDOW}&format=csv&lang=zh")[1]
    assert first[:2] == ["2026-11-01 00:00:00", "2026-11-02 00:00:00"]


def test_for_people_things_have_their_names_shares_are_per_cent_and_words_are_translated(client: Client) -> None:
    url = f"/api/v1/stations/yanshan/sessions?{WINDOW}&format=csv"
    assert {row[0] for row in read(client, f"{url}&lang=zh")[1:]} == {"院子 1 号充电桩", "院子 2 号充电桩"}
    assert {row[0] for row in read(client, f"{url}&lang=en")[1:]} == {"Yard Charger 1", "Yard Charger 2"}
    assert {row[3] for row in read(client, f"{url}&lang=zh")[1:]} <= {"是", "否"}
    use = f"/api/v1/utilization?region=江门&by=station&{WINDOW}&format=csv"
    assert [row[0] for row in read(client, f"{use}&lang=zh-hant")[1:]] == ["雁山社区爱心驿站", "沙坪驿站"]
    assert re.fullmatch(r"\d+\.\d%", read(client, f"{use}&lang=zh")[1][1])
    week = f"/api/v1/stations/yanshan/utilization?by=hour_of_week&{WINDOW}&format=csv&lang="
    assert {read(client, week + lang)[1][0] for lang in ("zh", "zh-hant", "en")} <= {
        "周一 00:00",
        "週一 00:00",
        "Mon 00:00",
    }
    past = f"/api/v1/stations/yanshan/history?resource=seat-01&{WINDOW}&format=csv&lang=zh"
    assert {word for row in read(client, past)[1:] for word in row[2:]} <= {
        "是",
        "否",
        "未知",
        "空闲",
        "占用",
        "实时",
        "过时",
        "尚未接入",
    }


def test_a_table_without_rows_says_so_to_people_and_is_empty_for_programs() -> None:
    assert Spreadsheet(None, "en").written([]).decode("utf-8-sig") == "No data\r\n"
    assert Spreadsheet(None).written([]).decode("utf-8-sig") == ""
    assert Spreadsheet(None, "zh-Hans").written([], ("from",)).decode("utf-8-sig") == "开始（当地时间）\r\n"


def test_a_language_that_we_do_not_speak_is_chinese(client: Client) -> None:
    assert read(client, f"/api/v1/stations/yanshan/utilization?{WINDOW}&format=csv&lang=fr")[0][0] == "开始（当地时间）"


def test_links_for_people_ask_for_their_language(client: Client) -> None:
    for url in ("/stations/yanshan/report?month=2026-11&lang=en", "/promises?month=2026-11&lang=en"):
        (link,) = re.findall(r'href="([^"]*format=csv[^"]*)"', client.get(url, headers=client.key()).text)
        assert "lang=en" in link


def test_every_heading_and_word_is_there_in_three_languages() -> None:
    for rows in (HEADINGS, YES_NO, *VALUES.values()):
        assert all(len(texts) == 3 and all(texts) for texts in rows.values())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "＝1"])
def test_a_name_that_begins_a_formula_is_guarded_for_people_too(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    sheet = Spreadsheet.of(settings_in(tmp_path_factory.mktemp("none")), "zh", "yanshan")
    (_, row) = csv.reader(io.StringIO(sheet.written([{"resource": text}]).decode("utf-8-sig")))
    assert row == [f"'{text}"]
