"""WeChat and the apps of WeCom against a server that answers as their documentation says."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from config.schema.alerts import Channel
from gateway.alerts.words import Alert
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.channels import sender_of
from gateway.notify.channels.wechat import QUOTA_PAUSE_S
from gateway.notify.robots import RATE_PAUSE_S
from gateway.notify.tokens import EARLY_MS
from tests.gateway.notify.samples import ALERT, T0
from tests.gateway.notify.stub import Answer, Provider

SECRET = "the-app-s-secret"
LIFE_MS = 7_200_000


def token(name: str = "T1") -> Answer:
    return Answer(200, {"access_token": name, "expires_in": 7200})


def said(code: int, text: str = "", **more: object) -> Answer:
    return Answer(200, {"errcode": code, "errmsg": text, **more})


OK = said(0, "ok")


def message(at: int = T0, name: str = "m1", alert: Alert = ALERT) -> StaffMessage:
    title = "🟠 雁山社区爱心驿站 · 车棚 · 一号桩 · 充电桩故障"
    lines = ("自 11-21 14:02 起（12 分）", "原因：接地故障", "建议：断电后联系厂家检修，在此之前不要使用。")
    return StaffMessage(name, title, lines, "warning", "opened", at, (alert,), (title,), "https://x.example/a/t")


def sender(provider: Provider, folder: Path, **more: object) -> Sender:
    (folder / "secret").write_text(SECRET + "\n")
    options: dict[str, object] = {
        "id": "duty", "kind": "wechat", "url": provider.url, "allow_private": True, "timeout_s": 1, "app_id": "wx1",
        "secret_file": str(folder / "secret"), "template": "tpl", "to": ["o1"],
    }  # fmt: skip
    return sender_of(Channel.model_validate(options | more))


def app(provider: Provider, folder: Path, **more: object) -> Sender:
    options = {"kind": "wecom", "app_id": None, "template": None, "corp_id": "ww1", "agent_id": 7, "to": ["li", "wang"]}
    return sender(provider, folder, **(options | more))


def paths(provider: Provider) -> list[str]:
    return [request.path for request in provider.requests]


def failure(of: Sender, given: StaffMessage) -> SendError:
    with pytest.raises(SendError) as caught:
        of.send(given)
    assert SECRET not in str(caught.value)
    return caught.value


def test_a_message_fills_the_template_as_its_keywords_may(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([token(), OK])
    fields = {"thing1": "where", "thing2": "what", "time3": "title", "phrase4": "severity", "thing5": "last"}
    sender(provider, tmp_path, fields=fields, page="pages/station/station").send(message())
    asked, sent = provider.requests
    assert asked.path == "/cgi-bin/stable_token"
    assert asked.json == {
        "grant_type": "client_credential", "appid": "wx1", "secret": SECRET, "force_refresh": False,
    }  # fmt: skip
    assert sent.path == "/cgi-bin/message/subscribe/send?access_token=T1"
    assert sent.json["data"] == {
        "thing1": {"value": "雁山社区爱心驿站 · 车棚 · 一号桩"},
        "thing2": {"value": "充电桩故障"},
        "time3": {"value": "2027年01月15日 16:00"},
        "phrase4": {"value": "告警"},
        "thing5": {"value": "建议：断电后联系厂家检修，在此之前不要…"},
    }
    assert all(len(field["value"]) <= 20 for field in sent.json["data"].values())
    assert (sent.json["touser"], sent.json["template_id"], sent.json["page"]) == ("o1", "tpl", "pages/station/station")


def test_a_device_message_goes_to_all_at_once(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([token(), OK])
    sender(provider, tmp_path, to=["o1", "o2"], model_id="M", device_sn="S").send(message())
    sent = provider.requests[1]
    assert sent.path == "/cgi-bin/message/device/subscribe/send?access_token=T1"
    assert (sent.json["to_openid_list"], sent.json["sn"], sent.json["modelId"]) == (["o1", "o2"], "S", "M")


@pytest.mark.parametrize("made", [sender, app])
def test_a_token_is_kept_until_shortly_before_its_end(provider: Provider, tmp_path: Path, made: Any) -> None:
    provider.answers.extend([token(), OK, OK, token("T2"), OK])
    channel = made(provider, tmp_path)
    end = T0 + LIFE_MS - EARLY_MS
    for name, at in enumerate((T0, end - 1, end)):
        channel.send(message(at, str(name)))
    assert [path[-2:] for path in paths(provider) if "send" in path] == ["T1", "T1", "T2"]


@pytest.mark.parametrize("made", [sender, app])
@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_token_that_is_no_longer_good_is_renewed_once(
    provider: Provider, tmp_path: Path, made: Any, code: int
) -> None:
    provider.answers.extend([token(), said(code, "access_token expired"), token("T2"), OK])
    made(provider, tmp_path).send(message())
    assert [path[-2:] for path in paths(provider) if "send" in path] == ["T1", "T2"]
    provider.answers.extend([said(code), token("T3"), said(code)])
    error = failure(made(provider, tmp_path), message())
    assert not error.permanent


@pytest.mark.parametrize("made", [sender, app])
@pytest.mark.parametrize(
    "answer",
    [
        said(40013, "invalid appid"), said(40125, "invalid appsecret"), said(40164, "invalid ip, not in whitelist"),
        said(45009, "reach max api daily quota limit"), said(-1, "system error"), Answer(500), Answer(200, []),
        Answer(200, {"access_token": 7}), Answer(reset=True), Answer(200, {"access_token": "ä"}),
    ],
)  # fmt: skip
def test_without_a_token_nothing_is_sent_and_time_may_mend_it(
    provider: Provider, tmp_path: Path, made: Any, answer: Answer
) -> None:
    provider.otherwise = answer
    assert not failure(made(provider, tmp_path), message()).permanent
    assert not any("send" in path for path in paths(provider))


@pytest.mark.parametrize(
    ("code", "permanent", "pause_s"),
    [
        (45009, False, QUOTA_PAUSE_S), (45011, False, RATE_PAUSE_S), (43108, False, RATE_PAUSE_S),
        (-1, False, RATE_PAUSE_S),
        (47003, True, None), (41030, True, None), (45168, True, None), (40037, False, None), (43107, False, None),
    ],
)  # fmt: skip
def test_a_refusal_is_what_its_code_says(
    provider: Provider, tmp_path: Path, code: int, permanent: bool, pause_s: float | None
) -> None:
    provider.answers.extend([token(), said(code, "rid: 4711")])
    error = failure(sender(provider, tmp_path), message())
    assert (error.permanent, error.retry_after_s) == (permanent, pause_s)
    assert str(code) in str(error)


@pytest.mark.parametrize("code", [43101, 40003])
def test_one_who_wants_no_message_costs_nobody_else_his(provider: Provider, tmp_path: Path, code: int) -> None:
    provider.answers.extend([token(), said(code, "user refuse to accept the msg"), OK])
    sender(provider, tmp_path, to=["o1", "o2"]).send(message())
    assert [request.json["touser"] for request in provider.requests[1:]] == ["o1", "o2"]
    provider.answers.extend([token(), said(code), said(code)])
    assert failure(sender(provider, tmp_path, to=["o1", "o2"]), message()).permanent, "another channel may take over"


def test_who_has_a_message_is_not_told_again_when_another_is_tried_again(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([token(), OK, said(-1, "system error"), OK, OK, OK])
    channel = sender(provider, tmp_path, to=["o1", "o2"])
    failure(channel, message())
    channel.send(message())
    assert [request.json["touser"] for request in provider.requests[1:]] == ["o1", "o2", "o2"]
    channel.send(message(name="m2"))
    assert [request.json["touser"] for request in provider.requests[4:]] == ["o1", "o2"]


def test_what_nobody_took_over_several_tries_is_not_delivered(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([token(), said(43101), said(-1, "system error"), said(43101)])
    channel = sender(provider, tmp_path, to=["o1", "o2"])
    assert not failure(channel, message()).permanent
    assert failure(channel, message()).permanent
    assert [request.json["touser"] for request in provider.requests[1:]] == ["o1", "o2", "o2"]


def test_an_app_of_wecom_tells_members(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([Answer(200, {"errcode": 0, "errmsg": "ok", "access_token": "T1", "expires_in": 7200}), OK])
    app(provider, tmp_path).send(message())
    asked, sent = provider.requests
    assert (asked.method, parse_qs(urlsplit(asked.path).query)) == ("GET", {"corpid": ["ww1"], "corpsecret": [SECRET]})
    assert sent.path == "/cgi-bin/message/send?access_token=T1"
    body = sent.json
    assert (body["touser"], body["agentid"], body["msgtype"]) == ("li|wang", 7, "text")
    assert body["text"]["content"].endswith("https://x.example/a/t\n驿站 yizhan")
    assert body["enable_duplicate_check"] == 1


def test_members_whom_an_app_can_not_reach_are_named(
    provider: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers.extend([token(), said(0, "ok", invaliduser="wang")])
    channel = app(provider, tmp_path)
    channel.send(message())
    assert "wang" in caplog.text
    provider.answers.append(said(0, "ok", invaliduser="li|wang"))
    assert not failure(channel, message()).permanent
    provider.answers.append(said(81013, "user & party & tag all invalid"))
    assert not failure(channel, message()).permanent
    provider.answers.append(said(45009, "api freq out of limit"))
    assert failure(channel, message()).retry_after_s == RATE_PAUSE_S


def test_a_long_message_keeps_its_link(provider: Provider, tmp_path: Path) -> None:
    provider.answers.extend([token(), OK])
    long = StaffMessage("m", "题" * 900, ("行" * 900,), "info", "opened", T0, link="https://x.example/a/t")
    app(provider, tmp_path).send(long)
    content = provider.requests[1].json["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.endswith("https://x.example/a/t\n驿站 yizhan")


@pytest.mark.parametrize("missing", ["app_id", "template", "to", "secret_file"])
def test_what_is_missing_is_named(provider: Provider, tmp_path: Path, missing: str) -> None:
    with pytest.raises(ValueError, match=r"alerts\.channels\.duty: needs"):
        sender(provider, tmp_path, **{missing: () if missing == "to" else None})
    assert json.dumps(paths(provider)) == "[]"
