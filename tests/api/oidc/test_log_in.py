"""Log-in by a provider over HTTP: there and back, who is let in as whom, and what every other way comes to."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.auth import COOKIE
from api.oidc.issuer import ANEW_MS, KNOWN_MS
from api.people import Identity
from config.schema import Settings
from tests.api.conftest import CONFIG, NOON, House, serving
from tests.api.oidc.stand_in import CLIENT, SECRET, STRANGE, StandIn, standing_in

STAFF: list[dict[str, Any]] = [
    {"id": "limei", "name": "李梅", "role": "operator", "stations": ["yanshan"],
     "logins": [{"provider": "union", "user": "u-1"}]},
    {"id": "boss", "name": "Boss", "role": "admin", "logins": [{"provider": "union", "user": "u-boss"}]},
    {"id": "guards", "name": "值班员", "role": "viewer", "regions": ["江门/鹤山"],
     "logins": [{"provider": "union", "group": "guards"}]},
    {"id": "nowhere", "name": "Gone", "role": "viewer", "regions": ["上海"],
     "logins": [{"provider": "union", "user": "u-gone"}]},
]  # fmt: skip


def configured(house: House, stand_in: StandIn, secret: Path, staff: list[dict[str, Any]] = STAFF, **more: Any) -> None:
    """The house with this provider and these people, as after a reload."""
    union = {
        "id": "union", "name": "工会账号", "issuer": stand_in.url, "client_id": CLIENT, "secret_file": secret,
        "allow_private": True, **more,
    }  # fmt: skip
    running = house.app.context.running
    settings = Settings.model_validate(
        {**CONFIG, "store": {"path": running.settings().store.path}, "staff": staff, "oidc": [union],
         "api": {"public_url": house.url}},
        context={"base": secret.parent, "check_files": True},
    )  # fmt: skip
    object.__setattr__(running, "running", settings)
    house.app.prepare(settings)()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from serving(tmp_path_factory.mktemp("store"))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET + "\n")
    return tmp_path / "secret"


@pytest.fixture
def union(served: House, secret: Path) -> Iterator[StandIn]:
    served.clock.now = NOON
    served.app.context.attempts._tries.clear()
    with standing_in(StandIn(now_s=NOON // 1000)) as stand_in:
        configured(served, stand_in, secret)
        yield stand_in


@pytest.fixture
def browser(served: House) -> Iterator[httpx.Client]:
    with closing(httpx.Client(verify=False, base_url=served.url, timeout=60)) as client:
        yield client


def there(browser: httpx.Client, union: StandIn, query: str = "") -> str:
    """The state that has to come back."""
    answer = browser.get(f"/login/union{query}")
    assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, "/authorize")
    asked = union.authorize(answer.headers["location"])
    assert asked["redirect_uri"] == f"{browser.base_url}/login/union/back".replace("//login", "/login")
    return asked["state"]


def come_back(browser: httpx.Client, union: StandIn, query: str = "", **more: str) -> httpx.Response:
    return browser.get("/login/union/back", params={"code": "good", "state": there(browser, union, query)} | more)


def who(browser: httpx.Client) -> dict[str, Any] | None:
    answer = browser.get("/api/v1/session")
    return answer.json() if answer.status_code == 200 else None


def said(browser: httpx.Client, answer: httpx.Response) -> str:
    """What the page says to which a failed log-in leads."""
    assert answer.status_code == 303, answer.text
    assert COOKIE not in browser.cookies
    return browser.get(answer.headers["location"]).text


def lines(house: House) -> list[tuple[str, str, str]]:
    return [(line.who, line.what, line.target) for line in house.app.context.keyring.book.lines(3)]


def test_somebody_who_is_known_comes_in_with_role_and_reach(
    browser: httpx.Client, union: StandIn, served: House
) -> None:
    answer = come_back(browser, union, "?next=/wishes")
    assert answer.status_code == 200
    assert 'content="0;url=/wishes"' in answer.text
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert who(browser) == {
        "name": "李梅", "role": "operator", "stations": ["yanshan"], "regions": [], "expires": None,
    }  # fmt: skip
    assert lines(served)[0] == ("李梅", "logged_in", "@limei")
    (session,) = browser.get("/api/v1/sessions").json()["sessions"]
    assert (session["who"], session["how"]) == ("李梅", "union")
    assert browser.get("/account").status_code == 200
    assert "yizhan_login" not in browser.cookies
    names = [colleague["name"] for colleague in browser.get("/api/v1/staff").json()["staff"]]
    assert "李梅" in names
    browser.post("/logout")
    assert who(browser) is None


def test_what_is_asked_for_is_bound_to_this_browser_and_this_time(browser: httpx.Client, union: StandIn) -> None:
    location = browser.get("/login/union").headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert query["tenant"] == "1"
    assert (query["response_type"], query["scope"]) == ("code", "openid email profile")
    assert (query["code_challenge_method"], len(query["code_challenge"])) == ("S256", 43)
    other = parse_qs(urlsplit(browser.get("/login/union").headers["location"]).query)
    assert all(other[name][0] != query[name] for name in ("state", "nonce", "code_challenge"))
    cookie = browser.get("/login/union").headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/login", "Max-Age=600"} <= set(cookie.split("; "))


def test_a_stranger_is_told_who_he_is_there_and_audited(browser: httpx.Client, union: StandIn, served: House) -> None:
    union.claims = {"sub": "<b>u-9</b>"}
    text = said(browser, come_back(browser, union))
    assert "工会账号说您是 &lt;b&gt;u-9&lt;/b&gt;，这里没有登记" in text
    assert who(browser) is None
    assert lines(served)[0] == ("<b>u-9</b>", "log_in_failed", "union")


def test_nobody_becomes_an_admin_by_a_group_or_a_claim_of_his_own(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    union.claims = {"sub": "u-9", "groups": ["admins", "admin"], "role": "admin"}
    said(browser, come_back(browser, union))
    admins = [{"id": "admins", "name": "A", "role": "admin", "logins": [{"provider": "union", "group": "admins"}]}]
    configured(served, union, secret, admins)  # as `yizhan check` would refuse it
    said(browser, come_back(browser, union))
    assert who(browser) is None


def test_somebody_of_a_group_comes_in_under_its_name_with_his_own(
    browser: httpx.Client, union: StandIn, served: House
) -> None:
    union.claims = {"sub": "u-7", "groups": ["guards", "others"]}
    assert come_back(browser, union).status_code == 200
    person = who(browser)
    assert person
    assert (person["name"], person["role"], person["regions"]) == ("值班员 (u-7)", "viewer", ["广东/江门/鹤山"])
    assert lines(served)[0] == ("值班员 (u-7)", "logged_in", "@guards")


def test_who_is_of_a_group_neither_sees_nor_ends_the_sessions_of_others_of_it(
    browser: httpx.Client, union: StandIn, served: House
) -> None:
    union.claims = {"sub": "u-7", "groups": ["guards"]}
    come_back(browser, union)
    (others,) = [session for session in browser.get("/api/v1/sessions").json()["sessions"] if session["own"]]
    with closing(httpx.Client(verify=False, base_url=served.url, timeout=60)) as second:
        union.claims = {"sub": "u-8", "groups": ["guards"]}
        come_back(second, union)
        assert [session["who"] for session in second.get("/api/v1/sessions").json()["sessions"]] == ["值班员 (u-8)"]
        assert "u-7" not in second.get("/account").text
        assert second.delete(f"/api/v1/sessions/{others['id']}").status_code == 404
        assert second.delete("/api/v1/sessions").json() == {"ended": 0}
        assert who(browser), "u-7 is in as before"
        union.claims = {"sub": "u-7", "groups": ["guards"]}
        come_back(second, union)
        count = len(second.get("/api/v1/sessions").json()["sessions"])
        assert second.delete("/api/v1/sessions").json() == {"ended": count - 1}
    assert who(browser) is None


def test_who_is_named_is_not_taken_for_one_of_a_group(browser: httpx.Client, union: StandIn) -> None:
    union.claims = {"groups": ["guards"]}
    come_back(browser, union)
    assert (who(browser) or {})["name"] == "李梅"


def test_a_region_that_is_not_there_reaches_nothing(browser: httpx.Client, union: StandIn) -> None:
    union.claims = {"sub": "u-gone"}
    come_back(browser, union)
    assert (who(browser) or {})["regions"] == ["/"]
    assert browser.get("/api/v1/stations/yanshan/override").status_code == 404


def test_who_is_taken_out_or_gets_another_role_is_that_at_once(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    come_back(browser, union)
    configured(served, union, secret, [{**STAFF[0], "role": "viewer"}])
    assert (who(browser) or {})["role"] == "viewer"
    configured(served, union, secret, STAFF[1:])
    assert who(browser) is None
    configured(served, union, secret)
    assert who(browser)


def test_a_session_ends_where_the_entry_gets_the_log_in_of_another(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    come_back(browser, union)
    assert who(browser)
    of_another = [{"provider": "union", "user": "u-another"}]
    configured(served, union, secret, [{**STAFF[0], "role": "admin", "logins": of_another}])
    assert who(browser) is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"nonce": "another"}, "不可信"), ({"aud": "another"}, "不可信"), ({"iss": "https://evil.example"}, "不可信"),
        ({"exp": NOON // 1000 - 61}, "不可信"),
    ],
)  # fmt: skip
def test_a_token_that_is_not_ours_lets_nobody_in_and_is_audited(
    browser: httpx.Client, union: StandIn, served: House, wrong: dict[str, Any], why: str
) -> None:
    union.claims = wrong
    assert why in said(browser, come_back(browser, union))
    assert who(browser) is None
    assert lines(served)[0] == ("unknown", "log_in_failed", "union")


def test_a_token_that_another_key_signed_lets_nobody_in(browser: httpx.Client, union: StandIn) -> None:
    union.sign_with = STRANGE
    assert "不可信" in said(browser, come_back(browser, union))


def test_keys_may_change_and_are_asked_for_once_in_a_while_only(
    browser: httpx.Client, union: StandIn, served: House
) -> None:
    come_back(browser, union)
    come_back(browser, union)
    assert union.asked.count("/keys") == 1, "they are kept"
    union.keys, union.algorithm = ["next"], "RS256"
    assert "不可信" in said(fresh(browser), come_back(browser, union)), "asked for a moment ago"
    served.clock.now += ANEW_MS
    union.now_s = served.clock.now // 1000
    assert come_back(browser, union).status_code == 200
    assert union.asked.count("/keys") == 2
    served.clock.now += KNOWN_MS
    union.now_s = served.clock.now // 1000
    come_back(browser, union)
    assert (union.asked.count("/keys"), union.asked.count("/.well-known/openid-configuration")) == (3, 2)


def fresh(browser: httpx.Client) -> httpx.Client:
    browser.cookies.clear()
    return browser


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"state": "0" * 32}, "用时太久"), ({"state": "é"}, "用时太久"), ({"code": ""}, "取消"),
        ({"code": "", "error": "access_denied"}, "取消"), ({"code": "made-up"}, "不认这次登录"),
        ({"iss": "https://evil.example"}, "不可信"),
    ],
)  # fmt: skip
def test_what_comes_back_wrong_lets_nobody_in(
    browser: httpx.Client, union: StandIn, more: dict[str, str], text: str
) -> None:
    assert text in said(browser, come_back(browser, union, **more))
    assert who(browser) is None


def test_another_browser_cannot_finish_a_log_in_nor_the_same_after_ten_minutes(
    browser: httpx.Client, union: StandIn, served: House
) -> None:
    state = there(browser, union)
    with closing(httpx.Client(verify=False, base_url=served.url, timeout=60)) as other:
        assert "用时太久" in said(other, other.get("/login/union/back", params={"code": "good", "state": state}))
    served.clock.now += 600_000
    assert "用时太久" in said(browser, browser.get("/login/union/back", params={"code": "good", "state": state}))
    assert "/token" not in union.asked


def test_a_provider_that_is_down_is_told_and_keys_go_on(browser: httpx.Client, union: StandIn, served: House) -> None:
    token = served.app.context.keyring.create("Li", "viewer", NOON)
    union.status = 503
    text = said(browser, browser.get("/login/union"))
    assert "工会账号现在没有回答。请稍后再试，或用密钥登录。" in text
    assert "does not answer at the moment" in text
    assert browser.post("/login", data={"key": token}).status_code == 303
    assert who(browser)


def test_a_provider_that_goes_down_in_between_is_told(browser: httpx.Client, union: StandIn) -> None:
    state = there(browser, union)
    union.status = 500
    assert "没有回答" in said(browser, browser.get("/login/union/back", params={"code": "good", "state": state}))
    union.status = 200
    assert come_back(browser, union).status_code == 200


def test_a_provider_that_calls_itself_otherwise_is_not_believed(browser: httpx.Client, union: StandIn) -> None:
    union.issuer = "https://id.example.org"
    assert "没有回答" in said(browser, browser.get("/login/union"))


def test_plain_http_is_for_private_networks_alone(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    configured(served, union, secret, allow_private=False)
    assert "没有回答" in said(browser, browser.get("/login/union"))
    assert union.asked == []


def test_a_secret_goes_as_the_provider_wants_it(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    union.methods = ["client_secret_post"]
    assert come_back(browser, union).status_code == 200
    secret.write_text("wrong")
    assert "没有回答" in said(fresh(browser), come_back(browser, union))
    secret.unlink()
    assert "没有回答" in said(fresh(browser), come_back(browser, union))


def test_what_the_token_lacks_is_asked_for_and_believed_of_the_same_person_alone(
    browser: httpx.Client, union: StandIn, served: House, secret: Path
) -> None:
    by_mail = [{**STAFF[0], "logins": [{"provider": "union", "user": "li@example.org"}]}]
    union.userinfo = {"sub": "u-1", "email": "li@example.org", "email_verified": True}
    configured(served, union, secret, by_mail, claim="email")
    assert come_back(browser, union).status_code == 200
    assert (who(browser) or {})["name"] == "李梅"
    union.userinfo |= {"sub": "u-2"}
    assert "不可信" in said(fresh(browser), come_back(browser, union))


def test_the_page_has_a_button_for_each_provider_and_keeps_where_one_wanted_to(
    browser: httpx.Client, union: StandIn
) -> None:
    assert 'href="/login/union?next=%2Fwishes">工会账号</a>' in browser.get("/login?next=/wishes").text
    assert browser.get("/login/nobody").status_code == 404
    assert 'role="alert">工会' not in browser.get("/login?told=eyJ3aHkiOiJkb3duIn0=.00").text


def test_failures_are_slowed_for_their_address_and_told(
    browser: httpx.Client, union: StandIn, served: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(served.app.context.attempts, "_sleep", sleep)
    for _ in range(5):
        said(browser, come_back(browser, union, code="made-up"))
    assert waits == [0.25, 0.5]
    assert ("unknown", "log_in_failed", "login") in lines(served)
    assert come_back(browser, union).status_code == 200, "a right one is not held up"


def test_a_house_without_providers_has_no_button_and_no_way(house: House) -> None:
    assert "log-in-ways" not in house.get("/login").text
    assert house.get("/login/union").status_code == 404
    assert house.get("/login/union/back").status_code == 404


@pytest.mark.usefixtures("union")
def test_a_person_of_the_configuration_administers_a_house(served: House) -> None:
    from api.routes.setup_door import wants_code

    keyring = served.app.context.keyring
    assert not wants_code(keyring, NOON)
    keyring.configure(served.app.context.settings.model_copy(update={"staff": ()}))
    assert wants_code(keyring, NOON)
    assert keyring.good("@boss", NOON) is None


def test_providers_and_people_are_live_after_a_reload(tmp_path: Path) -> None:
    path = tmp_path / "yizhan.yaml"
    plain = "store: {path: data, ballast_mib: 0}\napi: {public_url: 'http://127.0.0.1:1'}\n"
    people = "staff: [{id: boss, name: Boss, role: admin, logins: [{provider: union, user: u-1}]}]\n"
    union = "oidc: [{id: union, name: 工会账号, issuer: 'https://id.example.org', client_id: yizhan}]\n"
    path.write_text(plain)
    for house in serving(tmp_path / "data", files=path):
        context = house.app.context
        assert "工会账号" not in house.get("/login").text
        path.write_text(plain + people + union)
        done = context.running.reload("Li", "people")
        house.app.prepare(context.settings)()  # as each product does with whatever changed
        assert (done.mistakes, done.needs_restart, done.changed) == ((), (), True)
        assert "工会账号" in house.get("/login").text
        assert context.keyring.person(Identity("union", "u-1")) is not None
        path.write_text(plain)
        context.running.reload("Li", "nobody")
        house.app.prepare(context.settings)()
        assert context.keyring.person(Identity("union", "u-1")) is None
        assert house.get("/login/union").status_code == 404
