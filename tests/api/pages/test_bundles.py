"""Modules joined to one script: each part keeps its names, and what can't be joined is refused by name."""

import re
from pathlib import Path

import pytest

from api.pages.assets import Assets
from api.pages.bundles import BundleError, script, style

SCRIPTS = Path(__file__).parents[3] / "api" / "pages" / "static" / "js"


def joined(**files: str) -> str:
    return script("page", lambda name: files[name.removeprefix("js/").removesuffix(".js").replace("-", "_")])


def test_a_module_stands_once_and_before_those_that_need_it() -> None:
    text = joined(
        page='import { a } from "./left.js";\nimport { b as c } from "./right-one.js";\nrun(a, c);',
        left='import { b } from "./right-one.js";\nexport const a = b + 1;',
        right_one="const hidden = 1;\nexport const b = hidden;\nexport async function f() {}\nexport class G {}",
    )
    order = [text.index(f"const module_{name} = ") for name in ("right_one", "left", "page")]
    assert order == sorted(order)
    assert text.count("const module_right_one = ") == 1
    assert "const { b: c } = module_right_one;" in text
    assert "return { b, f, G };" in text


def test_style_sheets_follow_each_other_in_the_order_of_the_address() -> None:
    files = {"css/tokens.css": "a{}", "css/desk.css": "b{}"}
    assert style("tokens+desk", files.__getitem__) == "a{}\nb{}"


@pytest.mark.parametrize(
    "line",
    [
        "export default 1;",
        "export { a };",
        "export let a = 1;",
        'import * as a from "./other.js";',
        'import "./other.js";',
        'import a from "./other.js";',
        'const a = import("./other.js");',
    ],
)
def test_a_form_that_cannot_be_joined_is_refused_by_name(line: str) -> None:
    with pytest.raises(BundleError, match=r"js/page\.js"):
        joined(page=line, other="")


def test_what_few_people_ask_for_may_come_later_by_an_address_that_holds_in_a_bundle() -> None:
    assert 'import("../js/other.js")' in joined(page='export async function f() { await import("../js/other.js"); }')


def test_modules_in_a_circle_are_refused() -> None:
    with pytest.raises(BundleError, match="page → other → page"):
        joined(page='import { a } from "./other.js";', other='import { b } from "./page.js";\nexport const a = 1;')


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets()


@pytest.mark.parametrize("name", sorted(path.stem for path in SCRIPTS.glob("*.js")))
def test_every_module_of_ours_can_be_joined(assets: Assets, name: str) -> None:
    bundle = assets.find(f"page/{name}.js")
    assert bundle is not None
    text = bundle.body.decode()
    begun, ended = r"^const module_\w+ = ", r"^return \{ .* \};\n\}\)\(\);$"
    assert len(re.findall(begun, text, re.MULTILINE)) == len(re.findall(ended, text, re.MULTILINE))


def test_rows_of_words_lose_their_gaps_and_nothing_else_does() -> None:
    rows = '  "a.b": ["甲, 乙", "x: [y]", "it\'s"],\n  key: ["", "", ""],\n'
    other = 'const list = ["a", "b", "c"];\nconst said = { key: ["a", "b"], "k": ["a", "b", "c"] };'
    text = joined(page=f"export const W = {{\n{rows}}};\n{other}".replace("\n  ", "\n"))
    assert '\n"a.b":["甲, 乙","x: [y]","it\'s"],\nkey:["","",""],\n' in text
    assert other in text
