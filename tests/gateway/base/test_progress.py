"""Long work tells how far it is: one line on a terminal, a line a minute in a log."""

import io
import logging

import pytest

from gateway.base.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_written_over_and_is_free_at_the_end() -> None:
    moment, out = [0.0], Terminal()
    progress = Progress("restore", "files", out, lambda: moment[0])
    progress.step(1, 400)
    assert out.getvalue() == "", "what takes a moment tells nothing"
    moment[0] = 10
    progress.step(100, 400)
    assert out.getvalue() == "\rrestore: 100 of 400 files, 10/s, 30 s left"
    progress.end()
    assert out.getvalue().endswith("\r")
    assert "\n" not in out.getvalue()


def test_elsewhere_there_is_a_line_of_the_log_each_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    moment, out = [0.0], io.StringIO()
    progress = Progress("import", "rows", out, lambda: moment[0])
    for moment[0] in range(0, 200, 10):
        progress.step(int(moment[0]) * 1000)
    assert [record.message for record in caplog.records] == [
        "import: 60000 rows, 1000/s",
        "import: 120000 rows, 1000/s",
        "import: 180000 rows, 1000/s",
    ]
    assert out.getvalue() == ""


def test_a_process_with_other_work_tells_its_log_even_on_a_terminal(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sys.stderr", Terminal())
    moment = [0.0]
    progress = Progress.in_log("filling the copy", "messages", lambda: moment[0])
    moment[0] = 100
    progress.step(1_000, 900)
    assert [record.message for record in caplog.records] == ["filling the copy: 1000 of 900 messages, 10/s, 0 s left"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("total", "left"), [(2_000, "100 s left"), (20_000, "32 min left"), (200_000, "5.5 h left")])
def test_the_time_left_is_in_words_that_fit(total: int, left: str) -> None:
    moment = [0.0]
    progress = Progress("x", "rows", io.StringIO(), lambda: moment[0])
    moment[0] = 100
    assert progress.text(1_000, total).endswith(left)
