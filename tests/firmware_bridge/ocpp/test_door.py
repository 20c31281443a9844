"""Who may dial: names, passwords, subprotocols. Certificates are in test_tls."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from firmware_bridge.ocpp.handshake import Admitted, DoorRules, Greeting, Refusal, judge
from tests.firmware_bridge.ocpp.rig import central, dial
from tests.patience import until


def rules(**more: Any) -> DoorRules:
    passwords: dict[str, Callable[[], str]] = {"CP001": lambda: "a long password"}
    return DoorRules(**({"base": "/ocpp", "charge_points": frozenset(("CP001", "CP002")), "passwords": passwords,
                         "subprotocols": ("ocpp2.0.1", "ocpp1.6")} | more))  # fmt: skip


def basic(user: str, password: bytes) -> str:
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()


def greeting(path: str = "/ocpp/CP001", header: str | None = None, **more: Any) -> Greeting:
    return Greeting(**({"path": path, "authorization": header, "subprotocols": ["ocpp1.6"], "secure": False} | more))


GOOD = basic("CP001", b"a long password")


def test_the_right_password_opens() -> None:
    assert judge(greeting(header=GOOD), rules()) == Admitted("CP001", "ocpp1.6", 1)
    assert judge(greeting(header=GOOD, secure=True), rules()) == Admitted("CP001", "ocpp1.6", 2)
    assert judge(greeting("/ocpp/CP%3001", GOOD), rules()) == Admitted("CP001", "ocpp1.6", 1)


def test_of_several_subprotocols_the_newest_is_spoken() -> None:
    judged = judge(greeting(header=GOOD, subprotocols=["ocpp1.6", "ocpp2.0.1"]), rules())
    assert judged == Admitted("CP001", "ocpp2.0.1", 1)


def test_a_key_in_hex_may_come_as_its_bytes() -> None:
    door = rules(passwords={"CP001": lambda: "00ff10aa" * 4})
    for form in (bytes.fromhex("00ff10aa" * 4), b"00ff10aa" * 4):
        assert isinstance(judge(greeting(header=basic("CP001", form)), door), Admitted)


REFUSED = {
    "another path": (greeting("/CP001", GOOD), 404, "piles dial /ocpp/"),
    "no name": (greeting("/ocpp/", GOOD), 404, "piles dial /ocpp/"),
    "a path in the name": (greeting("/ocpp/..%2fCP001", GOOD), 404, "piles dial /ocpp/"),
    "a wildcard": (greeting("/ocpp/+", GOOD), 404, "piles dial /ocpp/"),
    "a stranger": (greeting("/ocpp/CP009", GOOD), 404, "CP009 is not configured"),
    "no subprotocol": (greeting(header=GOOD, subprotocols=[]), 400, "offers the subprotocol none"),
    "an old subprotocol": (greeting(header=GOOD, subprotocols=["ocpp1.5"]), 400, "set the pile to OCPP-J"),
    "no password": (greeting(), 401, "sends no password"),
    "another password": (greeting(header=basic("CP001", b"a long passwore")), 401, "not that of its password_file"),
    "an empty password": (greeting(header=basic("CP001", b"")), 401, "not that of its password_file"),
    "another user": (greeting(header=basic("CP002", b"a long password")), 401, "user name"),
    "no base64": (greeting(header="Basic ###"), 401, "sends no password"),
    "a bearer": (greeting(header="Bearer abc"), 401, "sends no password"),
    "a pile without password_file": (greeting("/ocpp/CP002", basic("CP002", b"x")), 401, "allow_unauthenticated"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_helps(case: str) -> None:
    asked, status, text = REFUSED[case]
    verdict = judge(asked, rules())
    assert isinstance(verdict, Refusal)
    assert verdict.status == status
    assert text in verdict.reason
    assert "a long password" not in verdict.reason


def test_without_a_password_only_who_is_allowed_to_comes_in() -> None:
    assert judge(greeting("/ocpp/CP002"), rules(may_be_unauthenticated=True)) == Admitted("CP002", "ocpp1.6", 0)
    assert isinstance(judge(greeting("/ocpp/CP001"), rules(may_be_unauthenticated=True)), Refusal)


def test_a_certificate_opens_in_its_own_name_only() -> None:
    door = rules(certificates=True)
    own = {"subject": ((("commonName", "CP001"),),)}
    assert judge(greeting(secure=True, certificate=own), door) == Admitted("CP001", "ocpp1.6", 3)
    other = judge(greeting("/ocpp/CP002", secure=True, certificate=own), door)
    assert isinstance(other, Refusal)
    assert "is that of CP001" in other.reason
    assert isinstance(judge(greeting(header=GOOD, secure=True, certificate=None), door), Refusal)


def test_who_is_refused_reads_why(tmp_path: Path) -> None:
    with central(tmp_path) as (_, sink, address):
        with pytest.raises(InvalidStatus) as refused, dial(address, "CP999"):
            pass
        assert refused.value.response.status_code == 404
        assert b"CP999 is not configured" in refused.value.response.body
        assert not sink.online


def test_a_missing_password_file_lets_nobody_in(tmp_path: Path) -> None:
    password = tmp_path / "cp001"
    password.write_text("secret-of-the-pile\n")
    devices = [{"device": "pile-1", "charge_point": "CP001", "password_file": password}]
    header = {"Authorization": basic("CP001", b"secret-of-the-pile")}
    with central(tmp_path, devices) as (_, _, address):
        with dial(address, additional_headers=header) as pile:
            assert pile.call("Heartbeat", {})
        password.unlink()
        with pytest.raises(InvalidStatus) as refused, dial(address, additional_headers=header):
            pass
        assert b"secret-of" not in refused.value.response.body


def test_of_two_connections_of_one_pile_the_newer_is_the_pile(tmp_path: Path) -> None:
    with central(tmp_path) as (_, sink, address), dial(address) as older:
        older.call("Heartbeat", {})
        with dial(address) as newer:
            newer.call("Heartbeat", {})
            with pytest.raises(ConnectionClosed):
                older.call("Heartbeat", {})
            assert newer.call("Heartbeat", {})
            assert sink.online == {"pile-1", "pile-2"}
        until(lambda: not sink.online, "the newer one is gone, too")
