import base64
import hashlib
import hmac
import json
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from config.schema.alerts import Channel
from gateway.alerts.places import Places
from gateway.alerts.words import Alert
from gateway.notify.base import Sender, SendError, StaffMessage
from gateway.notify.channels import CHANNELS, sender_of
from gateway.notify.channels.smtp import hello_of
from gateway.notify.http import retry_after_s
from gateway.notify.texts import alert_message
from tests.gateway.notify.samples import ALERT, CLOSED, T0, delivery
from tests.gateway.notify.stub import Answer, Provider

ANSWERS = json.loads((Path(__file__).parents[2] / "vectors" / "notify" / "answers.json").read_text("utf-8"))
OK = {
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "feishu": {"code": 0, "msg": "success", "data": {}},
    "webhook": None,
    "alertmanager": None,
}


def message(alert: Alert = ALERT, link: str | None = "https://x.example/a/t") -> StaffMessage:
    return StaffMessage(
        "a1:opened:1:duty",
        "🟠 雁山 <b>",
        ("自 14:02 起", "原因：E07"),
        "warning",
        "opened",
        T0,
        (alert,),
        ("🟠 雁山 <b>",),
        link,
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
@pytest.mark.parametrize("status", [404, 408, 421, 425, 429, 500, 502, 503, 504])
def test_a_bad_status_is_a_failure_that_time_may_mend(
    kind: str, status: int, provider: Provider, tmp_path: Path
) -> None:
    provider.otherwise = Answer(status, OK[kind], {"Retry-After": "17"} if status == 429 else {})
    with pytest.raises(SendError) as caught:
        sender(kind, provider, tmp_path).send(message())
    assert not caught.value.permanent
    assert caught.value.retry_after_s == (17 if status == 429 else None)
    assert "key" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 308, 400, 413, 422])
def test_a_message_that_will_never_be_taken_is_told_apart(status: int, provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(status, headers={"Location": provider.url + "/elsewhere"})
    with pytest.raises(SendError) as caught:
        sender("webhook", provider, tmp_path).send(message())
    assert caught.value.permanent
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_redirect_for_now_is_not_followed_and_tried_again_later(
    status: int, provider: Provider, tmp_path: Path
) -> None:
    provider.otherwise = Answer(status, headers={"Location": "https://login.example/portal?key=k1"})
    with pytest.raises(
        SendError, match=r"a redirect to login[.]example, which is not followed: correct the url"
    ) as caught:
        sender("webhook", provider, tmp_path).send(message())
    assert not caught.value.permanent
    assert "k1" not in str(caught.value)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("said", ANSWERS, ids=lambda said: f"{said['provider']} {said['status']} {said['body']}")
def test_a_provider_is_judged_by_its_own_words(said: dict[str, Any], provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(said["status"], said["body"])
    channel = sender(said["provider"], provider, tmp_path)
    if said["verdict"] == "taken":
        channel.send(message())
        return
    with pytest.raises(SendError) as caught:
        channel.send(message())
    verdict = "never" if caught.value.permanent else "pause" if caught.value.retry_after_s == 60 else "later"
    assert verdict == said["verdict"]
    str(caught.value).encode()


RETRY_AFTER = {
    "7": 7, " 7 ": 7, "0": 0, "3601": 3600, "99999999999999999999": 3600, "18446744073709551615": 3600,
    "9" * 5000: 3600,
    "-1": None, "1.5": None, "1e9": None, "soon": None, "": None, "²": None, "٣": None, "nan": None, "inf": None,
    "Fri, 15 Jan 2027 08:01:00 GMT": 60, "Fri, 15 Jan 2027 08:01:00": 60, "Fri, 15 Jan 1990 08:00:00 GMT": 0,
    "Fri, 31 Dec 9999 23:59:59 GMT": 3600, "Mon, 01 Jan 0001 00:00:00 GMT": 0, "Mon, 99 Foo 99999 99:99:99 GMT": None,
    "Fri, 15 Jan 2027 08:01:00 +9999": None,
}  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), RETRY_AFTER.items())
def test_retry_after_of_any_form_is_a_bounded_wait_or_none(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, T0) == seconds


@pytest.mark.parametrize(
    "url", ["http://h.example:99999/", "http://a..b/", "http://h.example/a b", "http://[::1/", "ftp://h/"]
)
def test_an_address_that_is_none_is_said_at_once_and_for_ever(url: str) -> None:
    channel = Channel.model_validate(
        {"id": "hook", "kind": "webhook", "url": url, "allow_private": True, "timeout_s": 1}
    )
    with pytest.raises(SendError) as caught:
        sender_of(channel).send(message())
    assert caught.value.permanent or "Name or service not known" in str(caught.value)


def test_headers_that_drip_are_cut_off_at_the_time_limit(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip_headers, args=(server,))
        thread.start()
        channel = Channel.model_validate(
            {
                "id": "hook", "kind": "webhook", "url": f"http://127.0.0.1:{server.getsockname()[1]}/",
                "allow_private": True, "timeout_s": 1,
            }
        )  # fmt: skip
        with pytest.raises(SendError) as caught:
            sender_of(channel).send(message())
        thread.join()
    assert not caught.value.permanent


def _drip_headers(server: socket.socket) -> None:
    """200 at once, then header after header for as long as anybody listens."""
    line, _ = server.accept()
    with line:
        try:
            line.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                line.sendall(b"X: y")
                threading.Event().wait(0.05)
        except OSError:
            return


MARKUP = (
    '[点此](http://evil.example/x) ![i](http://e/i.png) <@all> <at user_id="all"> @all '
    "**急** `c` # 题 _it_ ~~x~~ seat_01"
)


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu"])
def test_words_of_others_are_no_markup_in_any_robot(kind: str, provider: Provider, tmp_path: Path) -> None:
    provider.otherwise = Answer(200, OK[kind])
    said = StaffMessage(
        "m1", MARKUP, (MARKUP, MARKUP), "warning", "opened", T0, (ALERT,), (MARKUP,), "https://x.example/a/t"
    )
    sender(kind, provider, tmp_path).send(said)
    body = provider.requests[0].body.decode()
    for forbidden in ("](http://", "http://evil", "<at", "<@", "@all", "**急", "`c`", "# 题", "_it_", "~~"):
        assert forbidden not in body
    assert "点此" in body
    assert "seat_01" in body
    assert "https://x.example/a/t" in body
    assert body.count("](") == (0 if kind == "feishu" else 1)


@pytest.mark.parametrize(("kind", "most"), [("wecom", 4096), ("dingtalk", 5000), ("feishu", 20_000)])
@pytest.mark.parametrize("sign", ["a", "长", "🔴"])
def test_the_longest_message_fits_the_provider_and_keeps_its_link(
    kind: str, most: int, sign: str, provider: Provider, tmp_path: Path
) -> None:
    provider.otherwise = Answer(200, OK[kind])
    for extra in range(4):
        said = StaffMessage(
            "m1", "x" * extra, (sign * 300,) * 100, "warning", "opened", T0, (ALERT,), ("t",), "https://x.example/a/t"
        )
        sender(kind, provider, tmp_path).send(said)
        request = provider.requests[-1]
        body = request.json
        texts = (
            [body["markdown"]["text" if kind == "dingtalk" else "content"]]
            if kind != "feishu"
            else [request.body.decode()]
        )
        assert len(texts[0].encode()) <= most
        assert kind == "feishu" or len(texts[0].encode()) > most - 8
        assert "�" not in texts[0]
        assert "https://x.example/a/t" in texts[0]
        assert "驿站 yizhan" in texts[0]


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


def test_an_address_that_an_editor_saved_with_a_mark_and_spaces_is_that_address(
    provider: Provider, tmp_path: Path
) -> None:
    (tmp_path / "url").write_bytes(b"\xef\xbb\xbf" + provider.url.encode() + b"/x \r\n")
    channel = {"id": "duty", "kind": "webhook", "url_file": str(tmp_path / "url"), "allow_private": True}
    sender_of(Channel.model_validate(channel)).send(message())
    assert [request.path for request in provider.requests] == ["/x"]


@pytest.mark.parametrize("kind", ["webhook", "alertmanager"])
def test_a_name_and_password_in_the_address_log_in(kind: str, provider: Provider, tmp_path: Path) -> None:
    plain, provider.url = provider.url, provider.url.replace("http://", "http://duty:ge%40heim@")
    sender(kind, provider, tmp_path).send(message())
    assert provider.requests[0].headers["Authorization"] == "Basic " + base64.b64encode(b"duty:ge@heim").decode()
    provider.url = plain
    sender(kind, provider, tmp_path).send(message())
    assert "Authorization" not in provider.requests[1].headers


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
    stamp = request.headers["webhook-timestamp"]
    assert stamp == str(T0 // 1000)
    assert request.headers["webhook-id"] == request.json["id"]
    signed = f"{request.json['id']}.{stamp}.".encode() + request.body
    expected = base64.b64encode(hmac.digest(b"s3cret", signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
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
        ({"MAIL": b"421 too many connections"}, False),
        ({"MAIL": b"552 mailbox full"}, True),
        ({"RCPT": b"504 5.5.2 <box>: Helo command rejected: need fully-qualified hostname"}, False),
        ({"EHLO": b"502 what", "HELO": b"504 5.5.2 need fully-qualified hostname"}, False),
        ({"MAIL": b"530 5.7.0 Must issue a STARTTLS command first"}, False),
        ({"MAIL": b"521 no mail here"}, True),
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


@pytest.mark.parametrize(
    ("name", "address", "hello"),
    [
        ("box.example.org", "192.0.2.7", "box.example.org"),
        ("box", "192.0.2.7", "[192.0.2.7]"),
        ("localhost", "127.0.0.1", "[127.0.0.1]"),
        ("192.0.2.7", "192.0.2.7", "[192.0.2.7]"),
        ("wo_box.example.org", "192.0.2.7", "[192.0.2.7]"),
        ("驿站.example.org", "192.0.2.7", "[192.0.2.7]"),
        ("box.example.org\r\nMAIL FROM:<x>", "192.0.2.7", "[192.0.2.7]"),
        ("box", "fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_a_mail_server_is_greeted_by_a_full_name_or_our_address(name: str, address: str, hello: str) -> None:
    assert hello_of(name, address) == hello


def test_a_name_to_greet_with_can_be_configured_and_a_subject_has_no_line_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen: list[bytes] = []
        thread = threading.Thread(target=_speak_smtp, args=(server, {}, seen))
        thread.start()
        channel = Channel.model_validate(
            {
                "id": "mail", "kind": "smtp", "host": "127.0.0.1", "port": server.getsockname()[1], "security": "none",
                "sender": "驿站 <yizhan@example.org>\n", "to": ["duty@example.org\n"], "allow_private": True,
                "timeout_s": 2, "hello": "box.example.org",
            }
        )  # fmt: skip
        places = Places(stations={"yanshan": {"zh": "雁山\n驿站\r\nBcc: x@evil.example"}})
        sender_of(channel).send(alert_message(delivery(), places, "zh", T0, None))
        thread.join()
    head = seen[: seen.index(b"")]
    assert b"ehlo box.example.org" in head
    assert b"Message-ID: <d1@example.org>" in head
    assert not any(line.lower().startswith(b"bcc") for line in head)


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
