"""Ten thousand requests that schemathesis makes of our OpenAPI document, as a stranger and as staff.

Wants the program `st` of schemathesis 4 on PATH (`pip install schemathesis`, best in an environment of its own).
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, config, get, mosquitto, publish, yizhan
from tests.patience import until
from tests.ports import free_port

ST = shutil.which("st")
EXAMPLES = 10_000  # of both runs together, at least
FOR_EACH = 180  # made up for each operation, beside those that its parameters' bounds give
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance", "ignored_auth")  # fmt: skip
SLOW = ("/api/v1/stream", "/api/v1/discover", "/login")  # as long as was asked for; wrong keys wait 4 s each

pytestmark = [
    pytest.mark.soak,
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(ST is None or MOSQUITTO is None, reason="needs mosquitto, and st of schemathesis on PATH"),
]


def test_every_answer_is_one_that_the_openapi_document_names(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        http = free_port()
        place = config(tmp_path, f"mqtt://127.0.0.1:{broker}", http)
        key = yizhan(tmp_path, "keys", "create", "--config", place, "--role", "admin", "--name", "soak")
        token = key.stdout.split()[-1]
        with Yizhan(tmp_path, "up", "--config", place) as product:
            until(lambda: get(http, "/readyz"))
            publish(broker, "yz/yanshan/seat-01/state", '{"occupied":true}')
            publish(broker, "yz/yanshan/pile-01/state", '{"status":"Charging","power_w":180,"energy_wh":100}')
            made = sum(asked(http, tmp_path, more) for more in ([], ["-H", f"Authorization: Bearer {token}"]))
            assert get(http, "/readyz")
            assert product.child.poll() is None
            assert "Traceback" not in product.errors
        assert made >= EXAMPLES


def asked(http: int, folder: Path, more: list[str]) -> int:
    """How many requests schemathesis made; AssertionError with its report where it found something."""
    assert ST is not None
    words = [ST, "run", f"http://127.0.0.1:{http}/openapi.json", "--checks", ",".join(CHECKS),
             *(word for path in SLOW for word in ("--exclude-path", path)), "--max-examples", str(FOR_EACH),
             "--seed", "1", "--workers", "1", "--suppress-health-check", "all", "--continue-on-failure",
             "--warnings", "off"]  # fmt: skip
    done = subprocess.run([*words, *more], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-20_000:]
    return int(re.findall(r"(\d[\d,]*) generated", done.stdout)[-1].replace(",", ""))
