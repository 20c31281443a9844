"""Half a million inputs that atheris finds by watching which branches they take; the flood is in `tests/e2e/faults`."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not made for this Python"),
]


def test_no_input_breaks_the_core(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.fuzz_pipeline", "-runs=500000", "-max_len=400", "-rss_limit_mb=700",
         f"-artifact_prefix={tmp_path}/"],
        check=False, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 500000 runs" in done.stderr
