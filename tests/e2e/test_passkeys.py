"""Passkeys with the real product, in Chromium with its virtual authenticator."""

import shutil
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
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed"),
]
CONFIG = """\
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: data, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}", public_url: "http://localhost:{http}"}}
gateway: {{metrics_listen: "127.0.0.1:0"}}
stations:
  - {{id: yanshan, region: [广东, 江门], areas: [{{id: hall, resources: [{{id: seat-01, kind: seat}}]}}]}}
"""
PHONE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
WHO = "fetch('/api/v1/session').then((answer) => answer.ok ? answer.json().then((told) => told.name) : null)"


@dataclass
class Place:
    folder: Path
    http: int

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.http}{path}"

    def key(self, name: str, role: str = "operator") -> str:
        words = ("keys", "create", "--config", "yizhan.yaml", "--role", role, "--name", name)
        return yizhan(self.folder, *words).stdout.split()[-1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, http = tmp_path_factory.mktemp("house"), free_port()
    (folder / "yizhan.yaml").write_text(CONFIG.format(mqtt=free_port(), http=http))
    with Yizhan(folder, "up", "--config", "yizhan.yaml"):
        until(lambda: get(http, "/readyz")["status"] == "ready")
        yield Place(folder, http)


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    with closing(chromium.open("about:blank", 390, 844)) as page:
        page.call("Network.setExtraHTTPHeaders", headers={"accept-language": "zh"})
        page.call("WebAuthn.enable")
        yield page


def device(page: Page, **other: object) -> str:
    """A phone or key at hand; its id in the browser."""
    return str(page.call("WebAuthn.addVirtualAuthenticator", options=PHONE | other)["authenticatorId"])


def log_in_by_key(page: Page, place: Place, key: str, host: str = "localhost") -> None:
    page.go(place.url("/login?next=/account", host))
    page.wait("document.documentElement.dataset.runs === 'yes'")
    page.run(f"document.querySelector('[name=key]').value = '{key}'; document.querySelector('button.main').click()")
    page.wait("location.pathname === '/account' && document.readyState === 'complete'")


def add(page: Page) -> None:
    there = page.run("document.querySelectorAll('[data-passkey]').length")
    page.wait("document.querySelector('.add-passkey')?.hidden === false")
    page.run("document.querySelector('.add-passkey').click()")
    page.wait(f"document.querySelectorAll('[data-passkey]').length === {there + 1}")


def log_out(page: Page) -> None:
    page.run("document.querySelector('form[action=\"/logout\"]').submit()")
    page.wait("location.pathname === '/'")


def log_in_by_passkey(page: Page, place: Place) -> None:
    page.go(place.url("/login?next=/account"))
    page.wait("document.querySelector('.by-passkey')?.hidden === false")
    page.run("document.querySelector('.by-passkey').click()")


def test_a_caretaker_makes_one_and_comes_in_by_it_until_it_is_removed(place: Place, page: Page) -> None:
    phone = device(page)
    log_in_by_key(page, place, place.key("Li"))
    add(page)
    assert page.run("document.querySelector('[data-passkey] b').innerText") == "Chrome · Linux"
    log_out(page)
    assert page.run(WHO) is None
    log_in_by_passkey(page, place)
    page.wait("location.pathname === '/account' && document.querySelector('[data-session]') !== null")
    assert page.run(WHO) == "Li"
    assert "通行密钥" in page.run("document.querySelector('[data-session]').innerText")
    (credential,) = page.call("WebAuthn.getCredentials", authenticatorId=phone)["credentials"]
    assert (credential["rpId"], credential["isResidentCredential"]) == ("localhost", True)
    page.run("document.querySelector('form:has([name=remove])').submit()")
    page.wait("document.querySelector('.passkeys') && document.querySelectorAll('[data-passkey]').length === 0")
    log_out(page)
    page.go(place.url("/login"))
    page.wait("document.documentElement.dataset.runs === 'yes'")
    assert page.run("document.querySelector('.by-passkey').hidden"), "there is none left"
    told = (place.folder / "data/access.jsonl").read_text("utf-8")
    for word in ("passkey_added", "passkey_removed"):
        assert told.count(f'"{word}"') == 1


def test_an_administrator_without_a_fingerprint_or_pin_is_not_let_in(place: Place, page: Page) -> None:
    phone = device(page)
    log_in_by_key(page, place, place.key("Boss", "admin"))
    add(page)
    log_out(page)
    page.call("WebAuthn.setUserVerified", authenticatorId=phone, isUserVerified=False)
    log_in_by_passkey(page, place)
    page.wait("document.querySelector('form .result').innerText.includes('没有登录')")
    assert page.run(WHO) is None
    page.call("WebAuthn.setUserVerified", authenticatorId=phone, isUserVerified=True)
    log_in_by_passkey(page, place)
    page.wait("location.pathname === '/account'")
    assert page.run(WHO) == "Boss"


def test_a_device_holds_one_of_each_and_several_devices_are_several(place: Place, page: Page) -> None:
    phone = device(page)
    log_in_by_key(page, place, place.key("Zhao"))
    add(page)
    page.run("document.querySelector('.add-passkey').click()")
    page.wait("document.querySelector('.passkeys .result').innerText.includes('这台设备上已经有了')")
    page.call("WebAuthn.removeVirtualAuthenticator", authenticatorId=phone)
    device(page, transport="usb")
    add(page)


def test_another_address_says_where_there_are_passkeys(place: Place, page: Page) -> None:
    log_in_by_key(page, place, place.key("Wang"), "127.0.0.1")
    told = page.run("document.querySelector('.obstacle').innerText")
    assert told == f"请在 {place.url('/account')} 打开本页。"


def test_after_a_log_in_no_address_leads_to_another_host(place: Place, page: Page) -> None:
    key = place.key("Next")
    page.go(place.url("/login?next=/.//elsewhere.invalid/account"))
    page.wait("document.documentElement.dataset.runs === 'yes'")
    page.run(f"document.querySelector('[name=key]').value = '{key}'; document.querySelector('button.main').click()")
    page.wait("!location.pathname.startsWith('/login') && document.readyState === 'complete'")
    assert page.run("location.host") == f"localhost:{place.http}"
