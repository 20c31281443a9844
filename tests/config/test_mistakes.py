"""Each broken configuration in mistakes/ gives exactly the lines in the .expected file beside it.

`<every kind>` stands for the names of all there are, so that a new one changes none of these files.
"""

import re
from pathlib import Path

import pytest

from config.kinds import NAMES
from config.load import ConfigErrors, load
from config.modules import names_in
from firmware_bridge.configured import check as check_buses

FOLDER = Path(__file__).parent / "mistakes"
EVERY = {
    "<every kind>": NAMES,
    "<every protocol>": names_in("firmware_bridge/protocols"),
    "<every dialect>": names_in("gateway/dialects"),
    "<every channel>": names_in("gateway/notify/channels"),
}
CASES = sorted(path for path in FOLDER.iterdir() if path.suffix == ".yaml" or path.is_dir())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_every_mistake_is_told_at_once_with_place_and_mend(path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(path, {}, also=[check_buses])
    assert str(caught.value).replace(f"{FOLDER}/", "") + "\n" == expected(path)


def expected(path: Path) -> str:
    text = path.with_suffix(".expected").read_text("utf-8")
    for word, names in EVERY.items():
        text = text.replace(word, ", ".join(names))
    return text


def test_no_mistake_shows_a_secret() -> None:
    told = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.expected"))
    assert "geheim" not in told
    assert "secret@" not in told
    assert "b.example" not in told


def test_every_mend_is_written_out() -> None:
    """A message that lacks its f shows the name of a variable in braces."""
    told = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.expected"))
    assert re.findall(r"\{[a-z_]+(?:\[[^\]]*\])?\}", told.replace("/p/{token}", "")) == []


def test_a_path_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path / "none.yaml", {})
    assert str(caught.value) == (
        f"{tmp_path}/none.yaml:1: can't be read (No such file or directory); correct the path or the rights"
    )
