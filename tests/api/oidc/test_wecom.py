"""Log-in by 企业微信: the shapes of its documents 91039, 91023 and 98176, and what each comes to."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.oidc import wecom
from api.oidc.asking import CodeRefusedError, LogInRefusedError, ProviderDownError
from api.oidc.pending import PendingLogIn
from api.oidc.wecom import WecomProvider
from config.schema import LoginProvider
from gateway.model import Millis
from gateway.notify.http import Answer
from tests.api.conftest import NOON

PENDING = PendingLogIn.new("wecom", "/", NOON)
BACK = "https://box.example.org/login/wecom/back"
TOKEN = {"errcode": 0, "errmsg": "ok", "access_token": "accesstoken000001", "expires_in": 7200}
MEMBER = {"errcode": 0, "errmsg": "ok", "userid": "LiMei", "user_ticket": "USER_TICKET"}
FORMER_MEMBER = {"errcode": 0, "errmsg": "ok", "UserId": "LiMei", "DeviceId": "DEVICEID"}
OUTSIDER = {"errcode": 0, "errmsg": "ok", "openid": "oXPA2wVHh0uxGpDnYmsW6gkZE49E", "external_userid": "wmEAlECwAA"}


class Recorded:
    """Answers in turn to each address; `asked` is every one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: dict[str, Any]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr(wecom, "ask", self._ask)

    def _ask(self, _provider: LoginProvider, url: str, _now: Millis) -> Answer:
        self.asked.append(url)
        return Answer("qyapi.weixin.qq.com", 200, json.dumps(self._answers.pop(0)).encode())


def provider(**more: Any) -> WecomProvider:
    told = {"id": "wecom", "kind": "wecom", "name": "企业微信", "corp_id": "ww0123", "agent_id": 1000002, **more}
    return WecomProvider(LoginProvider.model_validate(told))


@pytest.mark.parametrize("answer", [MEMBER, FORMER_MEMBER])
def test_a_member_is_known_by_the_id_in_the_company(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    recorded = Recorded(monkeypatch, TOKEN, answer)
    identity = provider().finish(BACK, PENDING, "CODE", NOON)
    assert (identity.provider, identity.user, identity.groups) == ("wecom", "LiMei", ())
    first, second = (urlsplit(url) for url in recorded.asked)
    assert (first.netloc, first.path, second.path) == (
        "qyapi.weixin.qq.com", "/cgi-bin/gettoken", "/cgi-bin/auth/getuserinfo",
    )  # fmt: skip
    assert parse_qs(second.query) == {"access_token": ["accesstoken000001"], "code": ["CODE"]}


def test_the_access_token_is_kept_and_asked_for_anew_when_it_is_no_good(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = {"errcode": 42001, "errmsg": "access_token expired"}
    recorded = Recorded(monkeypatch, TOKEN, MEMBER, MEMBER, stale, TOKEN, MEMBER)
    configured = provider()
    for _ in range(3):
        assert configured.finish(BACK, PENDING, "CODE", NOON).user == "LiMei"
    assert [urlsplit(url).path.rpartition("/")[2] for url in recorded.asked] == [
        "gettoken", "getuserinfo", "getuserinfo", "getuserinfo", "gettoken", "getuserinfo",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "error", "why"),
    [
        ((TOKEN, OUTSIDER), LogInRefusedError, "no member of the company"),
        ((TOKEN, {"errcode": 40029, "errmsg": "invalid code, hint: [1]"}), CodeRefusedError, "does not take the code"),
        ((TOKEN, {"errcode": 60020, "errmsg": "not allow to access from your ip"}), ProviderDownError, "60020"),
        ((TOKEN, {}), ProviderDownError, "errcode None"),
        ((TOKEN, {"errcode": 0, "userid": ""}), LogInRefusedError, "no member"),
        ((TOKEN, {"errcode": 0, "userid": ["LiMei"]}), LogInRefusedError, "no member"),
        (({"errcode": 40001, "errmsg": "invalid credential"},), ProviderDownError, "no access token: errcode 40001"),
    ],
)  # fmt: skip
def test_every_other_answer_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[dict[str, Any], ...], error: type[Exception], why: str
) -> None:
    Recorded(monkeypatch, *answers)
    with pytest.raises(error, match=why):
        provider().finish(BACK, PENDING, "CODE", NOON)


def test_a_browser_scans_a_code_and_the_app_asks_for_consent() -> None:
    configured = provider()
    web = urlsplit(configured.begin(BACK, PENDING, NOON, "Mozilla/5.0 (Windows NT 10.0) Chrome/128.0"))
    assert f"{web.scheme}://{web.netloc}{web.path}" == "https://login.work.weixin.qq.com/wwlogin/sso/login"
    assert parse_qs(web.query) == {
        "login_type": ["CorpApp"], "appid": ["ww0123"], "agentid": ["1000002"], "redirect_uri": [BACK],
        "state": [PENDING.state],
    }  # fmt: skip
    inside = urlsplit(
        configured.begin(BACK, PENDING, NOON, "Mozilla/5.0 (Linux; Android 13) wxwork/4.1.22 MicroMessenger/7")
    )
    assert inside.netloc == "open.weixin.qq.com"
    assert inside.fragment == "wechat_redirect"
    query = parse_qs(inside.query)
    assert (query["response_type"], query["scope"], query["state"]) == (["code"], ["snsapi_base"], [PENDING.state])
    assert PENDING.state.isalnum(), "as it asks for"


def test_an_installation_of_ones_own_is_asked_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(monkeypatch, TOKEN, MEMBER)
    provider(issuer="https://wecom.example.org/").finish(BACK, PENDING, "CODE", NOON)
    assert recorded.asked[0].startswith("https://wecom.example.org/cgi-bin/gettoken?")
