"""The real product and a provider of OpenID Connect that others wrote (oidc-provider from npm), in a real browser.

The provider is at `localhost` and we at 127.0.0.1: two sites, as a browser sees it.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.pages.chromium import Chromium, Page
from tests.e2e.rig import Yizhan, get, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("npm") and shutil.which("chromium")), reason="npm or chromium is missing"),
]
PROGRAMS = Path(__file__).parents[1] / "api/oidc/programs"
SECRET = "s:e%cret of the union"
CONFIG = """\
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}", public_url: "http://127.0.0.1:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
stations:
  - {{id: yanshan, region: [广东, 江门], areas: [{{id: hall, resources: [{{id: seat-01, kind: seat}}]}}]}}
oidc:
  - id: union
    name: 工会账号
    issuer: {issuer}
    client_id: yizhan
    secret_file: secret
    claim: email
    scopes: [openid, email, groups]
    allow_private: true
staff:
  - {{id: limei, name: 李梅, role: operator, stations: [yanshan],
     logins: [{{provider: union, user: limei@example.org}}]}}
  - {{id: guards, name: 值班员, role: viewer, logins: [{{provider: union, group: guards}}]}}
"""


@dataclass
class Place:
    folder: Path
    http: int
    provider: "subprocess.Popen[str]"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http}{path}"

    def lines(self) -> list[dict[str, str]]:
        rows = (self.folder / "data/access.jsonl").read_text("utf-8").splitlines()
        return [json.loads(row) for row in rows]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not (PROGRAMS / "node_modules/.installed").exists():
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--fetch-retries=1"], cwd=PROGRAMS, check=True)
        (PROGRAMS / "node_modules/.installed").touch()
    folder, http = tmp_path_factory.mktemp("house"), free_port()
    told = {"client": "yizhan", "secret": SECRET, "back": f"http://127.0.0.1:{http}/login/union/back"}
    words = ["node", str(PROGRAMS / "provider.mjs"), json.dumps(told | {"method": "client_secret_basic"})]
    provider = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert provider.stdout is not None
    try:
        issuer = provider.stdout.readline().strip()
        (folder / "secret").write_text(SECRET + "\n")
        (folder / "yizhan.yaml").write_text(CONFIG.format(mqtt=free_port(), http=http, issuer=issuer))
        with Yizhan(folder, "up", "--config", "yizhan.yaml"):
            until(lambda: get(http, "/readyz")["status"] == "ready")
            yield Place(folder, http, provider)
    finally:
        provider.kill()
        provider.wait()
        provider.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as browser:
        yield browser


def go_by_provider(page: Page, place: Place, name: str, home: str = "/account") -> None:
    """From our page by the button, through its pages as somebody called so, until we are back."""
    page.go(place.url(f"/login?next={home}"))
    page.run("document.querySelector('a.way').click()")
    page.wait("document.querySelector('input[name=login]') !== null")
    page.run(
        f"document.querySelector('input[name=login]').value = '{name}';"
        "document.querySelector('input[name=password]').value = 'any'; document.querySelector('form').submit()"
    )
    page.wait("document.querySelector('input[name=prompt][value=consent]') !== null")
    page.run("document.querySelector('form').submit()")
    page.wait(f"location.host === '127.0.0.1:{place.http}' && document.readyState === 'complete'")


def test_somebody_logs_in_and_works_and_sees_the_session(place: Place, browser: Chromium) -> None:
    with closing(browser.open("about:blank", 1280, 800)) as page:
        page.call("Network.setExtraHTTPHeaders", headers={"accept-language": "zh"})
        go_by_provider(page, place, "limei")
        page.wait("document.querySelector('[data-session]') !== null")
        assert page.run("document.querySelector('h2').innerText") == "李梅"
        assert "值守 · yanshan" in page.run("document.querySelector('main').innerText")
        assert page.run("document.querySelector('[data-session] span').innerText") == "union"
        who = page.run("fetch('/api/v1/session').then((answer) => answer.json())")
        assert (who["name"], who["role"]) == ("李梅", "operator")
        page.run("document.querySelector('form[action=\"/logout\"]').submit()")
        page.wait("location.pathname === '/'")
        assert page.run("fetch('/api/v1/session').then((answer) => answer.status)") == 401
        ours = [error for error in page.errors if place.url("") in error and "/api/v1/session" not in error]
        assert ours == []
    assert [(line["who"], line["what"], line["target"]) for line in place.lines()][-2:] == [
        ("李梅", "logged_in", "@limei"), ("李梅", "logged_out", "@limei"),
    ]  # fmt: skip


def test_one_of_a_group_comes_in_and_a_stranger_is_told(place: Place, browser: Chromium) -> None:
    with closing(browser.open("about:blank", 390, 844)) as page:
        go_by_provider(page, place, "guard")
        assert page.run("document.querySelector('h2').innerText") == "值班员 (guard@example.org)"
    with closing(browser.open("about:blank", 390, 844)) as page:
        go_by_provider(page, place, "nobody")
        page.wait("location.pathname === '/login'")
        assert "工会账号说您是 nobody@example.org，这里没有登记" in page.run(
            "document.querySelector('.told').innerText"
        )
        assert page.run("fetch('/api/v1/session').then((answer) => answer.status)") == 401
    with closing(browser.open("about:blank", 390, 844)) as page:
        go_by_provider(page, place, "unverified")
        page.wait("location.pathname === '/login'")
        assert "不可信" in page.run("document.querySelector('.told').innerText")
    refused = [line["who"] for line in place.lines() if line["what"] == "log_in_failed"]
    assert refused == ["nobody@example.org", "unknown"]


def test_doctor_says_how_the_provider_is(place: Place) -> None:
    told = yizhan(place.folder, "doctor", "--config", "yizhan.yaml", "--lang", "en").stdout
    back = place.url("/login/union/back")
    assert f"✓ log-in: union answers, with 1 keys; register {back} there" in told
    chinese = yizhan(place.folder, "doctor", "--config", "yizhan.yaml", "--lang", "zh").stdout
    assert f"登录方式：union 有回答，公钥 1 把；请在那里登记 {back}" in chinese


def test_a_provider_that_ends_takes_nothing_else_along(place: Place, browser: Chromium) -> None:
    key = yizhan(
        place.folder, "keys", "create", "--config", "yizhan.yaml", "--role", "viewer", "--name", "Li"
    ).stdout.split()[-1]  # fmt: skip
    place.provider.kill()
    place.provider.wait()
    with closing(browser.open(place.url("/login"), 390, 844)) as page:
        page.run(f"document.querySelector('[name=key]').value = '{key}'; document.querySelector('button.main').click()")
        page.wait("location.pathname === '/'")
        assert page.run("fetch('/api/v1/session').then((answer) => answer.status)") == 200
    assert "✗ log-in: union" in yizhan(place.folder, "doctor", "--config", "yizhan.yaml", "--lang", "en").stdout
