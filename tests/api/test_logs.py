"""What stands in the log: one line an event, a traceback below it, and nothing from outside that looks like either."""

import logging

import pytest

from api import logs

Captured = pytest.CaptureFixture[str]


def test_a_traceback_has_its_lines(capsys: Captured) -> None:
    logs.set_up("text")
    try:
        dict[str, int]()["seat-01"]
    except KeyError:
        logging.getLogger("x").exception("setting aside")
    first, *below = capsys.readouterr().err.splitlines()
    assert first.endswith(" ERROR x: setting aside")
    assert below[0] == "    | Traceback (most recent call last):"
    assert below[-1] == "    | KeyError: 'seat-01'"


def test_no_text_from_outside_can_look_like_a_line_of_ours(capsys: Captured) -> None:
    logs.set_up("text")
    hostile = "name\n2026-11-21T21:02:05.123Z INFO x: all is well\r\x1b[2K\u2028 雁山"
    try:
        raise ValueError(hostile)  # noqa: TRY301
    except ValueError:
        logging.getLogger("x").exception("refused %s", hostile)
    first, *below = capsys.readouterr().err.splitlines()
    assert first.endswith(r"refused name\n2026-11-21T21:02:05.123Z INFO x: all is well\r\x1b[2K\u2028 雁山")
    assert all(line.startswith("    | ") for line in below)
    assert not any("\x1b" in line for line in below)
