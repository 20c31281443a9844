"""Passkeys over HTTP: made by who is logged in, logged in by whoever has them, and every wrong answer refused."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth import COOKIE, Key, Keyring
from api.passkeys.book import KEPT_OF_ONE, NAME, PasskeyBook, PasskeyFileError, TooManyPasskeysError
from api.passkeys.ceremony import LIFE_S, RelyingParty
from api.sessions import LogIn
from config.schema.staff import StaffLogin, StaffMember
from tests.api.conftest import NOON, House, serving
from tests.api.passkeys.authenticator import Authenticator, text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from serving(tmp_path_factory.mktemp("store"))


@pytest.fixture
def keyring(served: House) -> Keyring:
    served.clock.now = NOON
    served.app.context.attempts._tries.clear()
    served.app.context.keyring.passkeys.path.unlink(missing_ok=True)
    return served.app.context.keyring


def base(house: House) -> str:
    return house.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def browser(served: House) -> Iterator[httpx.Client]:
    with closing(httpx.Client(verify=False, base_url=base(served), timeout=60)) as client:
        yield client


def logged_in(browser: httpx.Client, keyring: Keyring, role: Any = "operator", name: str = "Li") -> str:
    """The id of the key."""
    token = keyring.create(name, role, NOON)
    assert browser.post("/login", data={"key": token}).status_code == 303
    return token.split("_")[1]


def made(browser: httpx.Client, authenticator: Authenticator, name: str = "", **wrong: Any) -> httpx.Response:
    options = browser.post("/account/passkeys/options").json()
    return browser.post("/account/passkeys", json={"credential": authenticator.make(options, **wrong), "name": name})


def come_in(browser: httpx.Client, authenticator: Authenticator, **wrong: Any) -> httpx.Response:
    options = browser.post("/login/passkey/options").json()
    return browser.post("/login/passkey", json={"credential": authenticator.log_in(options, **wrong)})


def who(browser: httpx.Client) -> str | None:
    answer = browser.get("/api/v1/session")
    return answer.json()["name"] if answer.status_code == 200 else None


@pytest.fixture
def phone(browser: httpx.Client, keyring: Keyring) -> Authenticator:
    """Li's, made and logged out."""
    logged_in(browser, keyring)
    authenticator = Authenticator(str(browser.base_url).rstrip("/"))
    assert made(browser, authenticator, "Li 的手机").status_code == 201
    browser.post("/logout")
    browser.cookies.clear()
    return authenticator


def test_who_has_made_one_comes_in_by_it(browser: httpx.Client, phone: Authenticator, keyring: Keyring) -> None:
    answer = come_in(browser, phone)
    assert (answer.status_code, answer.json()) == (200, {"name": "Li"})
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    assert who(browser) == "Li"
    (session,) = browser.get("/api/v1/sessions").json()["sessions"]
    assert session["how"] == "passkey"
    (kept,) = keyring.passkeys.all()
    assert (kept.name, kept.sign_count, kept.used) == ("Li 的手机", 1, NOON)
    told = [(line.who, line.what, line.detail) for line in keyring.book.lines(4)]
    assert told[0] == ("Li", "logged_in", "passkey Li 的手机, 127.0.0.1")
    assert ("Li", "passkey_added", "Li 的手机, 127.0.0.1") in told


def test_options_tell_a_stranger_of_nobody(browser: httpx.Client, phone: Authenticator) -> None:
    options = browser.post("/login/passkey/options").json()
    assert (options["rpId"], options.get("allowCredentials", [])) == ("localhost", [])
    assert browser.post("/login/passkey/options").json()["challenge"] != options["challenge"]
    assert phone.handle is not None


@pytest.mark.parametrize(
    ("wrong", "change"),
    [
        ({"origin": "http://localhost:1"}, {}), ({"origin": "https://evil.example"}, {}),
        ({"type": "webauthn.create"}, {}),
        ({"challenge": text(b"x" * 32)}, {}), ({}, {"rp_id": "evil.example"}), ({}, {"handle": text(b"boss")}),
        ({}, {"id": b"another"}), ({}, {"key": Authenticator("x").key}), ({"crossOrigin": True, "origin": "x"}, {}),
    ],
)  # fmt: skip
def test_a_wrong_answer_lets_nobody_in(
    browser: httpx.Client, phone: Authenticator, wrong: dict[str, Any], change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(phone, name, value)
    assert come_in(browser, phone, **wrong).status_code == 401
    assert who(browser) is None


@pytest.mark.parametrize("credential", [{}, {"id": 5}, {"id": "x", "response": 7}, {"id": None, "response": {}}])
def test_nonsense_lets_nobody_in(browser: httpx.Client, phone: Authenticator, credential: dict[str, Any]) -> None:
    browser.post("/login/passkey/options")
    for sent in (credential, credential | {"id": text(phone.id)}):
        assert browser.post("/login/passkey", json={"credential": sent}).status_code == 401
    assert browser.post("/login/passkey", json={"credential": "x"}).status_code == 422


@pytest.mark.parametrize("counts", [0, None])
def test_an_answer_is_good_once_and_a_copied_authenticator_is_found(
    browser: httpx.Client, keyring: Keyring, counts: int | None, served: House
) -> None:
    logged_in(browser, keyring)
    phone = Authenticator(base(served), count=counts)
    assert made(browser, phone).status_code == 201
    options = browser.post("/login/passkey/options").json()
    cookie = {cookie.name: str(cookie.value) for cookie in browser.cookies.jar if cookie.path == "/login"}
    answer = phone.log_in(options)
    served.clock.now += 1
    assert browser.post("/login/passkey", json={"credential": answer}).status_code == 200
    with closing(httpx.Client(verify=False, base_url=base(served), cookies=cookie, timeout=60)) as thief:
        assert thief.post("/login/passkey", json={"credential": answer}).status_code == 401
    if counts is not None:
        phone.count = 0  # the copy, which counts on from before
        served.clock.now += 1
        assert come_in(browser, phone).status_code == 401
    else:
        served.clock.now += 1
        assert come_in(browser, phone).status_code == 200


def test_a_challenge_is_for_one_purpose_one_person_and_five_minutes(
    browser: httpx.Client, phone: Authenticator, keyring: Keyring, served: House
) -> None:
    options = browser.post("/login/passkey/options").json()
    served.clock.now += LIFE_S * 1000
    assert browser.post("/login/passkey", json={"credential": phone.log_in(options)}).status_code == 401
    served.clock.now = NOON
    assert browser.post("/login/passkey", json={"credential": phone.log_in(options)}).status_code == 200
    logged_in(browser, keyring, name="Li")
    asked = browser.post("/account/passkeys/options").json()
    credential = Authenticator(base(served)).make(asked)
    logged_in(browser, keyring, name="Wang")
    refused = browser.post("/account/passkeys", json={"credential": credential})
    assert (refused.status_code, "somebody else" in refused.text) == (422, True)


def test_an_admins_passkey_looks_who_it_is(browser: httpx.Client, keyring: Keyring, served: House) -> None:
    logged_in(browser, keyring, "admin", "Boss")
    options = browser.post("/account/passkeys/options").json()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    careless, careful = (Authenticator(base(served), verifies=verifies) for verifies in (False, True))
    assert made(browser, careless).status_code == 422
    assert made(browser, careful).status_code == 201
    careful.verifies = False
    assert come_in(browser, careful).status_code == 401
    careful.verifies = True
    assert come_in(browser, careful).status_code == 200


def test_an_operators_need_not(browser: httpx.Client, keyring: Keyring, served: House) -> None:
    logged_in(browser, keyring)
    assert made(browser, phone := Authenticator(base(served), verifies=False)).status_code == 201
    assert come_in(browser, phone).status_code == 200


def test_it_is_as_good_as_the_key_behind_it(browser: httpx.Client, keyring: Keyring, served: House) -> None:
    key = logged_in(browser, keyring)
    phone = Authenticator(base(served))
    assert made(browser, phone).status_code == 201
    keyring.revoke(key)
    assert come_in(browser, phone).status_code == 401


def test_it_is_not_of_whoever_comes_after_in_the_same_entry(
    browser: httpx.Client, keyring: Keyring, served: House
) -> None:
    def staffed(user: str) -> Key:
        logins = (StaffLogin(provider="union", user=user),)
        duty = StaffMember(id="duty", name="Duty", role="operator", logins=logins)
        keyring.configure(served.app.context.settings.model_copy(update={"staff": (duty,)}))
        (person,) = [key for key in keyring.staff() if key.id == "@duty"]
        return person

    cookie = keyring.open_session(staffed("u-1"), LogIn("Duty", "union"), NOON, NOON + 3_600_000)
    browser.cookies.set(COOKIE, cookie, domain="localhost.local")
    phone = Authenticator(base(served))
    try:
        assert made(browser, phone).status_code == 201
        browser.cookies.clear()
        assert come_in(browser, phone).status_code == 200
        staffed("u-2")
        assert who(browser) is None
        assert come_in(browser, phone).status_code == 401
    finally:
        keyring.configure(served.app.context.settings)


def test_several_are_listed_renamed_and_removed(browser: httpx.Client, phone: Authenticator, keyring: Keyring) -> None:
    come_in(browser, phone)
    assert made(browser, Authenticator(phone.origin)).status_code == 201
    page = browser.get("/account", headers={"accept-language": "zh"}).text
    assert page.count("data-passkey=") == 2
    assert "Li 的手机" in page
    first, second = keyring.passkeys.all()
    answer = browser.post("/account", data={"rename": second.id, "name": "<办公室>"})
    assert answer.status_code == 303
    assert "&lt;办公室&gt;" in browser.get("/account").text
    assert browser.post("/account", data={"remove": first.id}).status_code == 303
    assert [passkey.name for passkey in keyring.passkeys.all()] == ["<办公室>"]
    told = [(line.what, line.target) for line in keyring.book.lines(2)]
    assert told == [("passkey_removed", first.id), ("passkey_renamed", second.id)]
    browser.post("/logout")
    assert come_in(browser, phone).status_code == 401


def test_anothers_is_removed_by_an_admin_of_all_stations_alone(
    browser: httpx.Client, phone: Authenticator, keyring: Keyring
) -> None:
    (passkey,) = keyring.passkeys.all()
    logged_in(browser, keyring, name="Wang")
    browser.post("/account", data={"remove": passkey.id})
    browser.post("/account", data={"rename": passkey.id, "name": "mine"})
    assert keyring.passkeys.all() == (passkey,)
    logged_in(browser, keyring, "admin", "Boss")
    assert "Li · Li 的手机" in browser.get("/account?all=1").text
    browser.post("/account?all=1", data={"remove": passkey.id})
    assert keyring.passkeys.all() == ()
    assert phone.count == 0


def test_a_key_in_a_header_a_group_and_the_code_make_none(
    browser: httpx.Client, keyring: Keyring, served: House
) -> None:
    bearer = {"authorization": f"Bearer {keyring.create('Li', 'operator', NOON)}"}
    assert browser.post("/account/passkeys/options", headers=bearer).status_code == 403
    assert browser.post("/account/passkeys/options").status_code == 401
    logged_in(browser, keyring, "admin", "setup")
    assert browser.post("/account/passkeys/options").status_code == 403
    assert "一次性口令不能添加" in browser.get("/account", headers={"accept-language": "zh"}).text


def test_other_sites_can_ask_for_nothing(browser: httpx.Client, phone: Authenticator) -> None:
    for path in ("/login/passkey/options", "/login/passkey"):
        answer = browser.post(path, json={"credential": {}}, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
    come_in(browser, phone)
    foreign = {"origin": "https://evil.example"}
    assert browser.post("/account/passkeys/options", headers=foreign).status_code == 403


def test_the_page_says_where_there_are_none(served: House, keyring: Keyring) -> None:
    with closing(httpx.Client(verify=False, base_url=served.url, timeout=60)) as by_number:
        logged_in(by_number, keyring)
        assert "纯数字地址不行" in by_number.get("/account", headers={"accept-language": "zh"}).text
        assert by_number.post("/account/passkeys/options").status_code == 409
        assert 'data-can="no"' in by_number.get("/login").text


def test_the_page_for_logging_in_offers_it_once_there_is_one(
    browser: httpx.Client, phone: Authenticator, keyring: Keyring
) -> None:
    assert 'data-can="yes"' in browser.get("/login").text
    keyring.passkeys.path.unlink()
    assert 'data-can="no"' in browser.get("/login").text
    assert phone.count == 0


@pytest.mark.parametrize(
    ("address", "obstacle"),
    [
        ("https://box.example.org", None), ("http://localhost:8080", None), ("http://box.example.org", "insecure"),
        ("https://192.0.2.1", "address"), ("https://[2001:db8::1]", "address"), ("http://127.0.0.1:8080", "address"),
    ],
)  # fmt: skip
def test_passkeys_need_https_and_a_name_or_this_machine(address: str, obstacle: str | None) -> None:
    assert RelyingParty.at(address).obstacle() == obstacle


def test_failures_are_slowed_for_their_address_and_told(
    browser: httpx.Client, phone: Authenticator, keyring: Keyring, served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(served.app.context.attempts, "_sleep", sleep)
    for _ in range(5):
        assert come_in(browser, phone, origin="https://evil.example").status_code == 401
    assert waits == [0.25, 0.5]
    assert (keyring.book.lines(1)[0].what, keyring.book.lines(1)[0].detail) == ("log_in_failed", "5 times, 127.0.0.1")
    assert come_in(browser, phone).status_code == 200


def test_the_book_is_private_bounded_and_shared(tmp_path: Path) -> None:
    here, there = PasskeyBook(tmp_path), PasskeyBook(tmp_path)
    for number in range(KEPT_OF_ONE):
        here.add("k", "n", f"c{number}", "p", 0, NOON)
    with pytest.raises(TooManyPasskeysError, match="too many"):
        there.add("k", "n", "another", "p", 0, NOON)
    there.add("other", "n", "another", "p", 0, NOON)
    with pytest.raises(TooManyPasskeysError, match="already"):
        here.add("third", "n", "another", "p", 0, NOON)
    assert len(here.all()) == KEPT_OF_ONE + 1
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


WRONG_TYPE = {"id": "a", "key": "k", "name": "n", "credential": "c", "public_key": "p", "sign_count": "0", "created": 1}


@pytest.mark.parametrize(
    "told",
    [
        "", "[]", '{"version": 2, "passkeys": []}', '{"version": 1}', '{"version": 1, "passkeys": [{"id": 1}]}', "\0",
        json.dumps({"version": 1, "passkeys": [WRONG_TYPE]}),
    ],
)  # fmt: skip
def test_a_damaged_book_is_named_and_lets_nobody_in(tmp_path: Path, told: str) -> None:
    (tmp_path / NAME).write_text(told)
    with pytest.raises(PasskeyFileError, match=NAME):
        PasskeyBook(tmp_path).all()


def test_while_the_book_is_damaged_keys_go_on(browser: httpx.Client, phone: Authenticator, keyring: Keyring) -> None:
    options = browser.post("/login/passkey/options").json()
    keyring.passkeys.path.write_text("damaged")
    answer = browser.post("/login/passkey", json={"credential": phone.log_in(options)})
    assert (answer.status_code, NAME in answer.text) == (503, True)
    logged_in(browser, keyring)
    assert who(browser) == "Li"
    assert browser.get("/account").status_code == 503
