"""企业微信 (WeCom): not OpenID Connect; a code becomes a member's id by the app's access token.

Sources: developer.work.weixin.qq.com, documents 98152 (企业微信 Web 登录), 91022 (构造网页授权链接), 91023 and 98176
(获取访问用户身份), 91039 (获取access_token). It knows no PKCE and no nonce: the state alone binds a code to a browser,
and a code is good once and for five minutes.
"""

from typing import Any, Final
from urllib.parse import urlencode

from api.oidc.asking import CodeRefusedError, LogInRefusedError, ProviderDownError, ask, secret_of
from api.oidc.pending import PendingLogIn
from api.people import Identity
from config.schema import LoginProvider
from gateway.model import Millis
from gateway.notify.base import SendError
from gateway.notify.http import Answer
from gateway.notify.tokens import AccessToken

API: Final = "https://qyapi.weixin.qq.com"
WEB: Final = "https://login.work.weixin.qq.com/wwlogin/sso/login"
INSIDE: Final = "https://open.weixin.qq.com/connect/oauth2/authorize"
BAD_CODE: Final = frozenset({40029, 42003})  # wrong or used, over
LONGEST: Final = 200


class WecomProvider:
    """One app of one company. Any thread."""

    def __init__(self, provider: LoginProvider) -> None:
        self.provider = provider
        self._api = (provider.issuer or API).rstrip("/") + "/cgi-bin"
        self._token = AccessToken("wecom", self._fetch)

    def begin(self, back: str, pending: PendingLogIn, _now: Millis, agent: str) -> str:
        """Where to send somebody: a code to scan, or inside 企业微信 itself its own consent."""
        shared = {"appid": self.provider.corp_id, "agentid": self.provider.agent_id, "redirect_uri": back}
        if "wxwork" in agent.lower():
            query = {**shared, "response_type": "code", "scope": "snsapi_base", "state": pending.state}
            return f"{INSIDE}?{urlencode(query)}#wechat_redirect"
        return f"{WEB}?{urlencode({'login_type': 'CorpApp', **shared, 'state': pending.state})}"

    def finish(self, _back: str, _pending: PendingLogIn, code: str, now: Millis) -> Identity:
        """Who the code is. ProviderDownError, LogInRefusedError."""
        try:
            told = self._token.call(now, lambda token: self._asked("auth/getuserinfo", now, token, code)).json()
        except SendError as error:
            raise ProviderDownError(str(error)) from error
        return Identity(self.provider.id, member_of(told, self.provider.id))

    def try_out(self, now: Millis) -> None:
        """Whether the app is let in. ProviderDownError, SendError."""
        self._token.call(now, lambda _token: Answer("", 200))

    def _asked(self, path: str, now: Millis, token: str, code: str) -> Answer:
        return ask(self.provider, f"{self._api}/{path}?{urlencode({'access_token': token, 'code': code})}", now)

    def _fetch(self, now: Millis, _anew: bool) -> Answer:
        query = urlencode({"corpid": self.provider.corp_id, "corpsecret": secret_of(self.provider) or ""})
        return ask(self.provider, f"{self._api}/gettoken?{query}", now)


def member_of(told: dict[str, Any], name: str) -> str:
    """The member's id in the answer of `auth/getuserinfo`. ProviderDownError, LogInRefusedError."""
    code, member = told.get("errcode"), told.get("userid") or told.get("UserId")
    if code in BAD_CODE:
        raise CodeRefusedError(f"企业微信 does not take the code (errcode {code})")
    if code != 0:
        raise ProviderDownError(f"{name}: errcode {str(code)[:20]}: {str(told.get('errmsg'))[:LONGEST]}")
    if not isinstance(member, str) or not member or len(member) > LONGEST:
        raise LogInRefusedError("who scanned is no member of the company")
    return member
