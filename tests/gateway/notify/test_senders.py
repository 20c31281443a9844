import base64
import hashlib
import hmac
import json
import socket
import threading
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from config.schema.alerts import Channel
from gateway.alerts.words import Alert
from gateway.notify.base import Message, Sender, SendError
from gateway.notify.table import CHANNELS, sender_of
from tests.gateway.notify.samples import ALERT, CLOSED, T0
from tests.gateway.notify.stub import Answer, Provider

OK = {
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"code": 0, "msg": "success", "data": {}},
    "webhook": None,
    "alertmanager": None,
}


def message(alert: Alert = ALERT, link: str | None = "https://x.example/a/t") -> Message:
    return Message(
        "a1:opened:1:duty", "🟠 雁山 <b>", ("自 14:02 起", "原因：E07"), "warning", "opened", T0, (alert,), link
    )


def sender(
    kind: str, provider: Provider, tmp_path: Path, *, secret: str | None = None, path: str = "/x?key=k1", **more: object
) -> Sender:
    options: dict[str, object] = {
        "id": "duty",
        "kind": kind,
        "url": provider.url + path,
        "allow_private": True,
        "timeout_s": 1,
    }
    if secret is not None:
        (tmp_path / "secret").write_text(secret)
        options["secret_file"] = str(tmp_path / "secret")
    return sender_of(Channel.model_validate(options | more))


@pytest.mark.parametrize("kind", OK)
def test_a_taken_message_is_silent_success(kind: str, provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, OK[kind])
    sender(kind, provider, tmp_path).send(message())
    [request] = provider.requests
    assert request.method == "POST"
    assert "14:02" in request.body.decode() or "14:02" in json.dumps(request.json, ensure_ascii=False)


@pytest.mark.parametrize("kind", OK)
@pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
def test_a_bad_status_is_a_failure_that_time_may_mend(
    kind: str, status: int, provider: Provider, tmp_path: Path
) -> None:
    provider.otherwise = Answer(status, OK[kind], {"Retry-After": "17"} if status == 429 else {})
    with pytest.raises(SendError) as caught:
        sender(kind, provider, tmp_path).send(message())
    assert not caught.value.permanent
    assert caught.value.retry_after_s == (17 if status == 429 else None)
    assert "key" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 400, 413, 422])
def test_a_message_that_will_never_be_taken_is_told_apart(status: int, provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(status, headers={"Location": provider.url + "/elsewhere"})
    with pytest.raises(SendError) as caught:
        sender("webhook", provider, tmp_path).send(message())
    assert caught.value.permanent
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("kind", "body", "permanent", "pause"),
    [
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, False, 60),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url"}, True, None),
        ("wecom", {}, False, None),
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match"}, False, None),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast"}, False, 60),
        ("feishu", {"code": 19021, "msg": "sign match fail"}, False, None),
        ("feishu", {"code": 11232, "msg": "frequency limited"}, False, 60),
        ("feishu", {"code": 19001, "msg": "param invalid"}, True, None),
    ],
)
def test_http_200_with_an_error_in_its_body_is_a_failure(kind, body, permanent, pause, provider, tmp_path) -> None:
    provider.otherwise = Answer(200, body)
    with pytest.raises(SendError) as caught:
        sender(kind, provider, tmp_path).send(message())
    assert (caught.value.permanent, caught.value.retry_after_s) == (permanent, pause)


def test_feishus_old_answer_counts_too(provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, {"StatusCode": 0, "StatusMessage": "success"})
    sender("feishu", provider, tmp_path).send(message())


@pytest.mark.parametrize("answer", [Answer(delay_s=1.3), Answer(reset=True), Answer(body="x" * 60, drip=True)])
def test_silence_a_reset_and_a_drip_end_within_the_time_limit(
    answer: Answer, provider: Provider, tmp_path: Path
) -> None:
    provider.otherwise = answer
    with pytest.raises(SendError) as caught:
        sender("webhook", provider, tmp_path).send(message())
    assert not caught.value.permanent


def test_nobody_listening_is_a_failure_that_time_may_mend(provider: Provider, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        provider.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(SendError) as caught:
            sender("webhook", provider, tmp_path).send(message())
    assert not caught.value.permanent


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "192.168.0.1"])
def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    channel = Channel.model_validate({"id": "hook", "kind": "webhook", "url": f"http://{host}:9/x", "timeout_s": 1})
    with pytest.raises(SendError, match="allow_private") as caught:
        sender_of(channel).send(message())
    assert caught.value.permanent


def test_a_webhook_is_signed_over_its_time_and_body(provider: Provider, tmp_path: Path) -> None:
    sender("webhook", provider, tmp_path, secret="s3cret").send(message())
    [request] = provider.requests
    stamp = request.headers["X-Yizhan-Timestamp"]
    expected = hmac.new(b"s3cret", f"{stamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Yizhan-Signature"] == f"v1={expected}"
    assert stamp == str(T0 // 1000)
    assert request.headers["X-Yizhan-Id"] == request.json["id"]
    assert request.json["alert"]["kind"] == "charger_fault"


def test_dingtalk_signs_in_the_query(provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, OK["dingtalk"])
    sender("dingtalk", provider, tmp_path, secret="SEC1").send(message())
    query = parse_qs(urlsplit(provider.requests[0].path).query)
    text = f"{query['timestamp'][0]}\nSEC1".encode()
    expected = base64.b64encode(hmac.new(b"SEC1", text, hashlib.sha256).digest()).decode()
    assert unquote(query["sign"][0]) == expected
    assert query["key"] == ["k1"]


def test_feishu_signs_in_the_body(provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, OK["feishu"])
    sender("feishu", provider, tmp_path, secret="SEC2").send(message())
    body = provider.requests[0].json
    expected = base64.b64encode(hmac.new(f"{body['timestamp']}\nSEC2".encode(), b"", hashlib.sha256).digest()).decode()
    assert body["sign"] == expected


def test_robots_get_no_tags_and_a_named_link(provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, OK["wecom"])
    sender("wecom", provider, tmp_path).send(message())
    content = provider.requests[0].json["markdown"]["content"]
    assert "<b>" not in content
    assert "](https://x.example/a/t)" in content


@pytest.mark.parametrize(("alert", "ended"), [(ALERT, False), (CLOSED, True)])
def test_alertmanager_learns_of_start_and_end(alert: Alert, ended: bool, provider: Provider, tmp_path: Path) -> None:
    sender("alertmanager", provider, tmp_path, path="").send(message(alert))
    [request] = provider.requests
    assert request.path == "/api/v2/alerts"
    [entry] = request.json
    assert entry["labels"]["alertname"] == "charger_fault"
    assert (entry["endsAt"] <= "2027-01-15T08:00:00.000Z") is ended


def test_apprise_that_is_not_installed_is_said_plainly(tmp_path: Path) -> None:
    channel = Channel.model_validate({"id": "more", "kind": "apprise", "url": "https://ntfy.example/x"})
    with pytest.raises(SendError, match="apprise"):
        sender_of(channel).send(message())


def test_every_kind_of_the_configuration_has_a_sender() -> None:
    assert set(CHANNELS) == set(Channel.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("replies", "permanent"),
    [
        ({}, None),
        ({"RCPT": b"550 no such user"}, True),
        ({"RCPT": b"450 try later"}, False),
        ({"DATA": b"554 spam"}, True),
    ],
)
def test_mail_is_taken_or_told_apart(replies: dict[str, bytes], permanent: bool | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen: list[bytes] = []
        thread = threading.Thread(target=_speak_smtp, args=(server, replies, seen))
        thread.start()
        channel = Channel.model_validate(
            {
                "id": "mail", "kind": "smtp", "host": "127.0.0.1", "port": server.getsockname()[1], "security": "none",
                "sender": "yizhan@example.org", "to": ["duty@example.org"], "allow_private": True, "timeout_s": 2,
            }
        )  # fmt: skip
        try:
            if permanent is None:
                sender_of(channel).send(message())
                assert b"Message-ID: <a1.opened.1.duty@example.org>" in seen
            else:
                with pytest.raises(SendError) as caught:
                    sender_of(channel).send(message())
                assert caught.value.permanent is permanent
        finally:
            thread.join()


def _speak_smtp(server: socket.socket, replies: dict[str, bytes], seen: list[bytes]) -> None:
    line, _ = server.accept()
    with line, line.makefile("rwb") as file:

        def say(text: bytes) -> None:
            file.write(text + b"\r\n")
            file.flush()

        say(b"220 stub")
        in_data = False
        while raw := file.readline():
            text = raw.rstrip(b"\r\n")
            seen.append(text)
            if in_data:
                if text == b".":
                    in_data = False
                    say(b"250 taken")
                continue
            verb = text.split(b" ")[0].upper().decode()
            say(replies.get(verb) or {"DATA": b"354 go on", "QUIT": b"221 bye"}.get(verb, b"250 ok"))
            in_data = verb == "DATA" and "DATA" not in replies
            if verb == "QUIT":
                return
