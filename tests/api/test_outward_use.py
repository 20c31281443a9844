"""What nobody uses for a week is told, once a week."""

from pathlib import Path

from api.commands import doctor
from api.outward_use import FILE, WEEK_MS, LastUse, OutwardUse, uses_in
from gateway.base.clock import now_ms
from tests.api.conftest import NOON

NAME = "OCPI partner app"


def test_unused_for_a_week_is_told_once_a_week(tmp_path: Path) -> None:
    use, known = OutwardUse(tmp_path), {NAME: (NOON, None)}
    assert use.look(known, NOON) == {}
    later = {NAME: (NOON + 1000, None)}  # a partner is known since it was first looked at
    assert use.look(later, NOON + WEEK_MS - 1) == {}
    assert use.look(later, NOON + WEEK_MS) == {NAME: NOON}
    assert OutwardUse(tmp_path).look(later, NOON + WEEK_MS + 1) == {}, "nor again after a restart"
    assert use.look(later, NOON + 2 * WEEK_MS) == {NAME: NOON}
    assert oct((tmp_path / FILE).stat().st_mode)[-3:] == "600"


def test_a_use_in_any_process_counts(tmp_path: Path) -> None:
    use, other, known = OutwardUse(tmp_path), OutwardUse(tmp_path), {NAME: (NOON, None)}
    use.look(known, NOON)
    other.used(NAME, NOON + 1000)
    other.look(known, NOON + 2000)
    assert use.look(known, NOON + WEEK_MS) == {}
    assert use.look(known, NOON + WEEK_MS + 1000) == {NAME: NOON + 1000}


def test_what_is_taken_out_is_forgotten(tmp_path: Path) -> None:
    use = OutwardUse(tmp_path)
    use.look({NAME: (NOON, None), "subscription a": (NOON, NOON + 5)}, NOON)
    assert uses_in(tmp_path)["subscription a"] == LastUse(NOON, NOON + 5)
    use.look({}, NOON + WEEK_MS)
    assert uses_in(tmp_path) == {}


def test_doctor_names_it(tmp_path: Path) -> None:
    use, long_ago = OutwardUse(tmp_path), now_ms() - WEEK_MS
    use.look({NAME: (long_ago, None), "subscription a": (long_ago, long_ago + WEEK_MS)}, long_ago)
    (finding,) = doctor.unused(tmp_path)
    assert (finding.mark, finding.what) == ("warn", NAME)
