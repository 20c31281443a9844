"""`yizhan up` where nothing is configured: a house, an address, a code, and an administrator."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.e2e.rig import MOSQUITTO, Yizhan, free_port, get, mosquitto, yizhan
from tests.patience import until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt install mosquitto"),
]
ADDRESS = re.compile(r"set it up at (http://127\.0\.0\.1:\d+)/setup#([A-Z0-9]{4}-[A-Z0-9]{4}) ")


def test_an_empty_folder_becomes_a_house_with_an_administrator(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        http = free_port()
        words = ("up", "--http", f"127.0.0.1:{http}", "--mqtt", f"mqtt://127.0.0.1:{broker}")
        with Yizhan(tmp_path, *words) as up:
            until(lambda: get(http, "/readyz")["status"] == "ready")
            match = ADDRESS.search(up.errors)
            assert match, up.errors
            base, code = match.groups()
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
            entered = browser.open(f"{base}/setup/enter", urllib.parse.urlencode({"code": code}).encode(), timeout=60)
            assert entered.url == f"{base}/setup"
            assert browser.open(f"{base}/api/v1/setup/keys", timeout=60).status == 200
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"{base}/api/v1/setup/keys", timeout=60)
            assert up.stop()[0] == 0
        made = yizhan(tmp_path, "keys", "create", "--config", "house", "--role", "admin", "--name", "Wang")
        assert made.returncode == 0, made.stderr
        with Yizhan(tmp_path, "up") as up:  # the house is there, and administered
            until(lambda: get(http, "/readyz")["status"] == "ready")
            assert ADDRESS.search(up.errors) is None


def test_what_an_empty_house_says_is_not_said_of_a_configuration(tmp_path: Path) -> None:
    done = yizhan(tmp_path, "up", "--config", "x.yaml", "--http", "127.0.0.1:0")
    assert done.returncode == 2
    assert "leave --config out" in done.stderr
