"""The monthly report in a real browser: read without a script, on a phone, and printed on A4."""

import base64
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import Chromium
from tests.e2e.pages.printed import DAYS, WIDTHS, House, living

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a month is lived first


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with living(tmp_path_factory.mktemp("month")) as made:
        yield made


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_reads_without_a_script_and_fits_its_width(house: House, chromium: Chromium, lang: str, size: str) -> None:
    with house.report(chromium, lang, size) as page:
        assert page.run("document.scripts.length") == 0
        assert page.errors == []
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run("document.querySelectorAll('.daily tbody tr').length") == DAYS
        outside = "[...document.querySelectorAll('svg')].flatMap((s) => [...s.querySelectorAll('text')].filter((t) => {"
        outside += "const a = s.getBoundingClientRect(), b = t.getBoundingClientRect();"
        outside += "return b.left < a.left - 1 || b.right > a.right + 1; })).map((t) => t.textContent)"
        assert page.run(outside) == []


@pytest.mark.parametrize(("lang", "size"), [("zh", "desk"), ("zh-hant", "phone"), ("en", "phone")])
def test_axe_finds_no_violation_of_wcag_22_aa_in_it(house: House, chromium: Chromium, lang: str, size: str) -> None:
    with house.report(chromium, lang, size) as page:
        assert violations(page) == []


def numbers_of(pdf: bytes, folder: Path) -> list[str]:
    """The last line of each side, as pdftotext reads it."""
    (folder / "month.pdf").write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-layout", str(folder / "month.pdf"), "-"], capture_output=True, text=True, check=True, timeout=60
    )
    return [side.strip().splitlines()[-1].replace(" ", "") for side in done.stdout.split("\f") if side.strip()]


@pytest.mark.parametrize(
    ("path", "size"),
    [("/compare?lang=en", "desk"), ("/compare?lang=zh", "phone"), ("/m/yanshan/busy?lang=zh", "phone")],
)
def test_axe_finds_none_in_what_compares_and_in_busy_hours(
    house: House, chromium: Chromium, path: str, size: str
) -> None:
    with closing(chromium.open("about:blank", *WIDTHS[size])) as page:
        page.call("Network.setExtraHTTPHeaders", headers=house.key_of_all)
        page.go(house.url + path)
        page.wait("document.querySelector('svg') !== null")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert violations(page) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_small_station_prints_on_two_numbered_sides_of_a4(
    house: House, chromium: Chromium, lang: str, tmp_path: Path
) -> None:
    with house.report(chromium, lang) as page:
        pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True, timeout_s=90)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
    assert numbers_of(pdf, tmp_path) == ["1/2", "2/2"]
    width, height = (float(size) for size in re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
    assert (width, height) == pytest.approx((595.28, 841.89), abs=1)  # A4 in points
