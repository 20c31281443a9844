"""The tutorial does what it says: its commands run word for word, and show what stands below them."""

import shutil
from pathlib import Path

import pytest

from tests.docs.reading import ROOT
from tests.e2e.tutorial import steps, walk

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not all(map(shutil.which, ("mosquitto_pub", "curl", "bash", "make"))), reason="mosquitto_pub or curl is missing"
    ),
]
OF_THE_CODE = ("Makefile", "pyproject.toml", "requirements.lock", ".venv")


def test_both_languages_tell_to_type_the_same() -> None:
    assert steps("zh") == steps("en")
    assert len(steps("zh")) == 7


def test_its_commands_run_word_for_word_and_show_what_it_says(tmp_path: Path) -> None:
    for name in OF_THE_CODE:
        (tmp_path / name).symlink_to(ROOT / name)
    todo = steps("en")
    done = walk(tmp_path, todo)
    for step, output in zip(todo, done.outputs, strict=False):
        assert step.shown in output, (step.commands, output)
    print(f"\nyour first station: {len(todo)} steps, {done.seconds:.0f} s")
