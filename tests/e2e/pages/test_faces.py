"""What each page says and draws, in a real browser against the stand-in."""

import re
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from tests.e2e.pages.axe import violations
from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.pages.conftest import Server, modules

pytestmark = pytest.mark.browser
READY = "document.querySelectorAll('[data-usable]').length > 2"
SIZES = {"landscape": (1920, 1080), "portrait": (1080, 1920)}


def text(page: Page, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).innerText"))


def usable(page: Page, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).dataset.usable"))


@pytest.mark.parametrize(
    ("scene", "number", "state"),
    [
        ("yanshan", "7", "yes"),
        ("half", "至少\n3", "yes"),
        ("silent", "未知", "unknown"),
        ("full", "0", "no"),
        ("closed", "已关闭", "no"),
    ],
)
def test_the_doorway_words_its_count_by_one_rule(
    chromium: Chromium, day: Server, scene: str, number: str, state: str
) -> None:
    with closing(chromium.open(day.url(f"/screen/{scene}"))) as page:
        page.wait(READY)
        assert text(page, ".hero .arch").startswith(number)
        assert usable(page, ".hero") == state


def test_no_unknown_count_is_ever_shown_as_a_number(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/silent"))) as page:
        page.wait(READY)
        wrong = "[...document.querySelectorAll('[data-usable=unknown] .num')].filter((n) => /\\d/.test(n.textContent))"
        assert page.run(f"{wrong}.length") == 0


@pytest.mark.parametrize("path", ["/screen/half", "/m/half", "/stations/half", "/"])
def test_every_element_that_tells_a_state_names_its_resource_or_kind(
    chromium: Chromium, day: Server, path: str
) -> None:
    with closing(chromium.open(day.url(path))) as page:
        page.wait(READY)
        bare = "[...document.querySelectorAll('[data-usable]')].filter((n) => !n.dataset.resource && !n.dataset.kind)"
        assert page.run(f"{bare}.map((n) => n.outerHTML.slice(0, 120))") == []
        words = page.run("[...new Set([...document.querySelectorAll('[data-usable]')].map((n) => n.dataset.usable))]")
        assert set(words) <= {"yes", "no", "unknown"}


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "scene",
    [
        "yanshan",
        "half",
        "full",
        "closed",
        "seats60",
        "chargers",
        "onlyseats",
        "rooms",
        "mixed",
        "empty",
        "two",
        "forty",
        "forty-and-piles",
        "five-rooms",
        "appliances",
        "seats-and-twelve",
        "repair",
    ],
)
def test_any_set_of_kinds_fits_a_wall_without_scrolling(chromium: Chromium, day: Server, scene: str, size: str) -> None:
    width, height = SIZES[size]
    with closing(chromium.open(day.url(f"/screen/{scene}"), width, height)) as page:
        page.wait(
            "document.querySelector('.wait').hidden || document.querySelector('.wait').innerText.includes('没有')"
        )
        sized = "[...document.querySelectorAll('.wins:not([hidden])')].every((n) => n.style.getPropertyValue('--win'))"
        page.wait(sized)
        outside = """[...document.querySelectorAll('.win, .num, h1, h2, .tile b, .banner')].filter((n) => {
            const box = n.getBoundingClientRect();
            const past = [-box.left, -box.top, box.right - innerWidth, box.bottom - innerHeight];
            return box.width && Math.max(...past) > 1;
        }).map((n) => n.outerHTML.slice(0, 90))"""
        assert page.run(outside) == []
        assert page.errors == []


@pytest.mark.parametrize("path", ["/screen/{}", "/m/{}", "/stations/{}"])
@pytest.mark.parametrize("scene", ["yanshan", "half", "full", "closed"])
@pytest.mark.parametrize("lang", ["en", pytest.param("zh", marks=pytest.mark.slow)])  # English words are longer
def test_no_name_count_or_wait_is_cut(chromium: Chromium, day: Server, path: str, scene: str, lang: str) -> None:
    size = (390, 844) if path.startswith("/m/") else (1920, 1080)
    with closing(chromium.open(day.url(f"{path.format(scene)}?lang={lang}"), *size)) as page:
        page.wait(READY)
        told = ".row h2, .cnt .line, .cnt .word, .next, .next *, .tile .top > b, .tile .sub > b, .near small, .plate *"
        cut = f"""[...document.querySelectorAll('{told}')].filter((n) => {{
            const range = document.createRange();
            range.selectNodeContents(n);
            let frame = n.closest('.name, .cnt, .tile, .near, .arch, .row');
            while (getComputedStyle(frame).display === 'contents') frame = frame.parentElement;
            const [text, box] = [range.getBoundingClientRect(), frame.getBoundingClientRect()];
            return text.width && (text.right > box.right + 1 || n.scrollWidth > n.clientWidth + 1 && n.clientWidth);
        }}).map((n) => n.outerHTML.slice(0, 90))"""
        assert page.run(cut) == []


def test_windows_stay_in_their_rows_when_the_banner_comes_up(chromium: Chromium, mortal: Callable[..., Server]) -> None:
    server = mortal("--ttl", "60")
    with closing(chromium.open(server.url("/screen/yanshan"))) as page:
        columns = "document.querySelector('.hero .wins').style.getPropertyValue('--columns')"
        page.wait(f"{columns} === '4'")
        server.kill()
        page.wait("!document.querySelector('.banner').hidden")
        assert page.run(f"new Promise((done) => setTimeout(() => done({columns}), 300))") == "4"


@pytest.mark.parametrize(("distance_m", "inches"), [(5, 43), (7, 43), (5, 32)])
def test_the_key_line_is_legible_from_the_distance_that_is_set(
    chromium: Chromium, day: Server, distance_m: float, inches: float
) -> None:
    path = f"/screen/yanshan?distance_m={distance_m}&inches={inches}"
    with closing(chromium.open(day.url(path))) as page:
        page.wait(READY)
        shown_px = page.run("parseFloat(getComputedStyle(document.querySelector('.what h2')).fontSize)")
        mm_per_px = inches * 25.4 / (1920**2 + 1080**2) ** 0.5
        needed_mm = distance_m * 1000 * 0.008727  # 30 arc minutes for Chinese, ISO 9241-3 and more
        assert shown_px * mm_per_px >= needed_mm


@pytest.mark.parametrize(
    "path", ["/screen/half", "/m/half", "/m", "/stations/half", "/", "/login", "/p/x", "/discover", "/screen/nowhere"]
)
@pytest.mark.parametrize("theme", ["day", "night"])
def test_axe_finds_no_violation_of_wcag_22_aa(chromium: Chromium, day: Server, path: str, theme: str) -> None:
    width, height = (390, 844) if path.startswith("/m/") else (1440, 900)
    with closing(chromium.open(day.url(f"{path}?theme={theme}&lang=zh"), width, height)) as page:
        if "nowhere" not in path and path not in ("/login", "/p/x", "/discover"):
            page.wait(READY)
        assert violations(page) == []


def test_pages_ask_nobody_but_their_own_server(chromium: Chromium, day: Server) -> None:
    for path in ("/screen/closed", "/m/half", "/stations/half", "/"):
        with closing(chromium.open(day.url(path))) as page:
            page.wait(READY)
            outside = [url for url in page.requests if not url.startswith((day.url("/"), "data:"))]
            assert outside == []
            assert page.errors == []


def test_languages_follow_the_address(chromium: Chromium, day: Server) -> None:
    for lang, word in (("zh", "空座"), ("zh-TW", "電動車充電"), ("en", "Free seats")):
        with closing(chromium.open(day.url(f"/screen/yanshan?lang={lang}"))) as page:
            page.wait(READY)
            assert word in page.run("document.body.innerText")


def test_times_are_in_the_zone_of_the_station(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/yanshan"))) as page:
        page.wait(READY)
        page.call("Emulation.setTimezoneOverride", timezoneId="America/New_York")
        page.wait("document.querySelector('.clock .hm').textContent.startsWith('14:3')")


def test_a_change_is_on_the_screen_without_a_reload(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/onlyseats"))) as page:
        page.wait(READY)
        assert text(page, ".hero .num") == "3"
        httpx.post(day.url("/set/onlyseats/seat-03/y"), timeout=60)
        page.wait("document.querySelector('.hero .num').textContent === '4'")
        assert usable(page, "[data-resource=seat-03]") == "yes"
        httpx.post(day.url("/set/onlyseats/seat-03/n"), timeout=60)


def test_staff_acknowledge_from_the_overview(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/login"))) as page:
        page.run("document.cookie = 'yizhan_session=staff'; 0")
        page.go(day.url("/"))
        page.wait("document.querySelectorAll('.need button.main').length > 2")
        before = page.run("document.querySelectorAll('.need [data-state=open]').length")
        page.run("document.querySelector('.need button.main').click(); 0")
        page.wait(f"document.querySelectorAll('.need [data-state=open]').length === {before - 1}")
        assert "王姐" in page.run("document.querySelector('.need').innerText")
        page.wait("document.querySelector('a[href=\"/discover\"]').checkVisibility()")


def test_staff_find_what_is_left_out_on_the_stations_page(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/nowhere"))) as page:
        page.run("document.cookie = 'yizhan_session=staff; path=/'; 0")
        page.go(day.url("/stations/half?lang=zh"))
        page.wait("document.querySelectorAll('.left-out li').length === 2")
        assert page.run("document.querySelector('.left-out h2').innerText").startswith("没有采用的内容")
        assert page.run("document.querySelector('.left-out li').innerText") == "pile-01 power_w\n× 9"
        page.go(day.url("/stations/full"))
        page.wait("document.documentElement.dataset.contact === 'live'")
        assert page.run("document.querySelector('.left-out').hidden")


def test_the_day_is_a_table_that_excel_opens_right(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/stations/half?lang=zh"), 1440, 900)) as page:
        page.wait("document.querySelectorAll('.ln').length > 0 && document.querySelector('.ln .tr i') !== null")
        page.run("URL.createObjectURL = (blob) => { globalThis.saved = blob; return '#'; }; 0")
        page.wait(
            "document.querySelector('.export').click(), globalThis.saved?.size > 0"
            " && saved.text().then((text) => { globalThis.table = text; }),"
            " globalThis.table?.trim().split('\\n').length > 1"
        )
        mark = page.run("saved.arrayBuffer().then((all) => [...new Uint8Array(all.slice(0, 3))])")
        heads, *rows = page.run("table").splitlines()
    assert mark == [0xEF, 0xBB, 0xBF]
    assert heads.removeprefix("\ufeff") == "站点,位置,开始（当地时间）,结束（当地时间）,可用,使用状态,数据依据"
    assert rows
    for row in rows:
        place, begin, usable = (row.split(",")[n] for n in (1, 2, 4))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", begin)
        assert usable in ("是", "否", "未知")
        assert "-" not in place


def test_strangers_are_offered_no_staff_function(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/"))) as page:
        page.wait(READY)
        assert page.run("document.querySelectorAll('.need button').length") == 0
        assert not page.run("document.querySelector('a[href=\"/discover\"]').checkVisibility()")
        assert not [url for url in page.requests if "/api/v1/alerts" in url]


def test_the_overview_is_searched_by_keyboard(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/"))) as page:
        page.wait("document.querySelectorAll('.st').length === 59")
        key = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}})); 0"
        page.run(key.format("/"))
        assert page.run("document.activeElement.type") == "search"
        page.call("Input.insertText", text="s0007")
        assert page.run("document.querySelectorAll('.st:not(.out)').length") == 1
        assert page.run("document.querySelectorAll('.found li').length") == 1
        assert page.run("document.activeElement.getAttribute('aria-activedescendant')") == "found-0"
        page.run(key.format("Enter"))
        page.wait("location.pathname === '/stations/s0007'")


def test_a_visitor_reports_a_problem_from_the_phone(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/m/yanshan?lang=zh"), 390, 844)) as page:
        page.wait(READY)
        page.run("document.querySelector('button.report').click(); 0")
        page.run("document.querySelector('.sheet-report form').requestSubmit(); 0")
        page.wait("document.querySelector('.sheet-report .result').innerText.includes('已收到')")


def test_a_programme_ends_by_the_clock_of_the_page(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/screen/brief"))) as page:
        page.wait(READY)
        assert "少儿舞蹈" in text(page, "[data-resource=dance]")
        page.wait("!document.querySelector('[data-resource=dance]').innerText.includes('少儿舞蹈')")


def test_tiles_lie_under_the_marks_only_where_configured(chromium: Chromium, day: Server) -> None:
    with closing(chromium.open(day.url("/"))) as page:
        page.wait("document.querySelectorAll('#map .mark').length === 59")
        assert page.run("document.querySelectorAll('#map .tile').length") == 0
        build = page.run("document.documentElement.dataset.build")
        script = f"""import('/static/{build}/js/projection.js').then(({{viewOf, tilesUnder}}) => {{
            const places = [{{lat: 22.5, lon: 113.9}}, {{lat: 22.9, lon: 114.3}}];
            const view = viewOf(places, 400, 300), tiles = tilesUnder(view, "/t/{{z}}/{{x}}/{{y}}");
            const under = places.map((p) => view.at(p)).every(([x, y]) =>
                tiles.some((t) => t.x <= x && x < t.x + t.size && t.y <= y && y < t.y + t.size));
            return [under, tiles.length < 40, tiles.some((t) => t.href.startsWith("/t/10/835/")), view.pixelsPerKm];
        }})"""
        under, few, named, pixels_per_km = page.run(script)
        assert under
        assert few
        assert named, "113.9 east is in column 835 at zoom 10"
        assert 3 < pixels_per_km < 8


@pytest.mark.parametrize(
    ("colour", "kept"),
    [
        ("url(#hatched)", True), ("url('#hatched')", True), ("rgb(10 20 30)", True), ("#fff6ea", True),
        ("url(http://192.0.2.1/a.svg#p)", False), ("url( '/api/v1/stations' )", False), ("URL(//192.0.2.1/a)", False),
        ("u\\\\72l(http:a)", False), ("image-set('a.png' 1x)", False), ("url(data:image/svg+xml,a#b)", False),
    ],
)  # fmt: skip
def test_a_floor_plan_takes_colours_from_itself_alone(chromium: Chromium, day: Server, colour: str, kept: bool) -> None:
    shape = f'<svg xmlns=\\"http://www.w3.org/2000/svg\\"><rect fill=\\"{colour}\\"/></svg>'
    with modules(chromium, day, "plan") as page:
        page.run(f'void (window.fetch = async () => new Response("{shape}"))')
        assert (
            page.run("plan.planOf({id: 'a'}).then((drawn) => drawn.node.querySelector('rect').hasAttribute('fill'))")
            is kept
        )


def share(page: Page, selector: str) -> float:
    """How much of the wall these things take, from the first to the last."""
    script = f"""(() => {{
        const every = [...document.querySelectorAll({selector!r})].map((n) => n.getBoundingClientRect());
        const boxes = every.filter((box) => box.width);
        const [left, top] = [Math.min(...boxes.map((b) => b.left)), Math.min(...boxes.map((b) => b.top))];
        const [right, bottom] = [Math.max(...boxes.map((b) => b.right)), Math.max(...boxes.map((b) => b.bottom))];
        return (right - left) * (bottom - top) / innerWidth / innerHeight;
    }})()"""
    return float(page.run(script))


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("scene", "things", "least"),
    [
        ("two", ".arch, .wins .win", 0.38),
        ("forty", ".arch, .wins .win", 0.45),
        ("five-rooms", ".tile", 0.45),
        ("appliances", ".tile", 0.45),
    ],
)
def test_few_things_and_many_use_the_room_of_a_wall(
    chromium: Chromium, day: Server, scene: str, things: str, least: float, size: str
) -> None:
    with closing(chromium.open(day.url(f"/screen/{scene}"), *SIZES[size])) as page:
        page.wait(READY)
        page.wait("[...document.querySelectorAll('.wins')].every((n) => n.style.getPropertyValue('--win'))")
        assert share(page, things) >= least


@pytest.mark.parametrize("scene", ["forty", "forty-and-piles"])
def test_forty_windows_have_numbers(chromium: Chromium, day: Server, scene: str) -> None:
    with closing(chromium.open(day.url(f"/screen/{scene}"))) as page:
        page.wait("document.querySelector('.hero .wins')?.style.getPropertyValue('--win')")
        assert not page.run("document.querySelector('.hero .wins').classList.contains('mute')")


@pytest.mark.parametrize("size", SIZES)
def test_what_may_save_a_life_is_never_turned_away(chromium: Chromium, day: Server, size: str) -> None:
    for scene in ("seats-and-twelve", "appliances", "yanshan"):
        with closing(chromium.open(day.url(f"/screen/{scene}"), *SIZES[size])) as page:
            page.wait(READY)
            assert page.run("document.querySelector('[data-resource=aed]').checkVisibility()")
            assert text(page, ".foot .mark") == "", "all of it stands at once"


@pytest.mark.parametrize("path", ["/screen/faults", "/m/faults"])
def test_the_mark_of_a_fault_is_not_over_the_number(chromium: Chromium, day: Server, path: str) -> None:
    with closing(chromium.open(day.url(path), *((390, 844) if "/m/" in path else (1920, 1080)))) as page:
        page.wait("document.documentElement.dataset.contact === 'live'")
        over = """[...document.querySelectorAll('.win[data-because=fault]')].filter((n) => {
            const mark = getComputedStyle(n, '::after'), range = document.createRange();
            range.selectNodeContents(n.querySelector('span'));
            const [box, number] = [n.getBoundingClientRect(), range.getBoundingClientRect()];
            const ink = number.top + (number.height - parseFloat(getComputedStyle(n).fontSize) * 0.74) / 2;
            return number.width && box.top + parseFloat(mark.top) + parseFloat(mark.height) > ink + 1;
        }).length"""
        assert page.run("document.querySelectorAll('.win[data-because=fault]').length") > 3
        assert page.run(over) == 0


@pytest.mark.parametrize("path", ["/screen/repair", "/m/repair"])
def test_a_station_in_maintenance_reads_as_that(chromium: Chromium, day: Server, path: str) -> None:
    with closing(chromium.open(day.url(f"{path}?lang=zh"))) as page:
        page.wait("document.documentElement.dataset.contact === 'live'")
        assert text(page, ".hero .arch").startswith("检修")
        assert "检修" in text(page, ".door b")
        assert page.run("[...document.querySelectorAll('.num')].filter((n) => /^0/.test(n.textContent)).length") == 0
