"""A real bus against a made-up operator who is strict about OCPI 2.2.1."""

import json
import ssl
import stat
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, get_args

import pytest

from firmware_bridge.emulator.operators.ocpi import VirtualOcpiOperator
from firmware_bridge.emulator.operators.web import WebFault
from firmware_bridge.emulator.operators.world import OperatedPlugs
from gateway.base.clock import now_ms
from gateway.base.times import rfc3339
from tests.firmware_bridge.ocpp.certificates import openssl
from tests.firmware_bridge.ocpp.rig import SpoolSink
from tests.firmware_bridge.operators.rig import OCPI_TOKEN, asking, ocpi_settings, status
from tests.patience import until
from tests.ports import free_port

DAY_MS = 86_400_000


@pytest.fixture
def operator() -> Iterator[VirtualOcpiOperator]:
    plugs = OperatedPlugs([f"E{number}" for number in range(1, 12)], now_ms(), speed=0)
    made = VirtualOcpiOperator(plugs, now_ms, OCPI_TOKEN)
    made.start()
    yield made
    made.end()


def place(folder: Path) -> Path:
    made = folder / "kept"
    made.mkdir(exist_ok=True)
    return made


def settings_of(folder: Path, operator: VirtualOcpiOperator, *uids: str, **more: Any) -> dict[str, Any]:
    return ocpi_settings(folder, operator.versions_url, uids, **more)


def asked(operator: VirtualOcpiOperator, method: str, path: str) -> list[str]:
    return [request.target for request in operator.web.asked if request.method == method and path in request.target]


def test_it_registers_reads_every_page_and_tells_each_status(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    for name, word in (("E2", "Charging"), ("E9", "Faulted"), ("E10", "UNKNOWN"), ("E11", "A NEW WORD")):
        operator.plugs.set(name, word, now_ms())
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", "E2", "E9", "E10", "E11")):
        until(lambda: status(sink, "pile-E11"), "the last page")
    assert [sink.signals(f"pile-{uid}") for uid in ("E1", "E2", "E9", "E10", "E11")] == [
        {"status": "Available", "error": ""},
        {"status": "Charging", "error": ""},
        {"status": "Faulted", "error": "OUTOFORDER"},
        {"status": "Unknown", "error": ""},
        {"status": "Unknown", "error": ""},
    ]
    assert sink.online == {"pile-E1", "pile-E2", "pile-E9", "pile-E10", "pile-E11"}
    assert operator.partner is not None
    assert operator.partner["roles"][0] | {"business_details": None} == {
        "role": "NSP", "party_id": "YZN", "country_code": "CN", "business_details": None,
    }  # fmt: skip


def test_pages_are_counted_where_no_next_one_is_named(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    operator.names_next = False
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E11")):
        until(lambda: status(sink, "pile-E11") == "Available", "the last page")


def test_after_the_first_time_only_changes_are_asked_for(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E5", "E6")):
        until(lambda: status(sink, "pile-E5") == "Available", "the first word")
        operator.plugs.set("E5", "Charging", now_ms() + 1)
        until(lambda: status(sink, "pile-E5") == "Charging", "the change")
    first, *others = asked(operator, "GET", "2.2.1/locations")
    assert "date_from" not in first
    assert "date_from" in others[-1]


def test_what_he_pushes_is_on_disk_before_he_is_answered(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", "E2", poll_s=3600)):
        until(lambda: status(sink, "pile-E1") == "Available", "the first word")
        operator.plugs.set("E1", "Charging", now_ms())
        assert operator.push("E1") == 200
        assert status(sink, "pile-E1") == "Charging"
        evse = operator.evse("E2") | {"status": "RESERVED", "last_updated": rfc3339(now_ms())}
        assert operator.call("PUT", f"{operator.receiver}/CN/OPR/L1/E2", evse)[1]["status_code"] == 1000
        assert status(sink, "pile-E2") == "Reserved"
        operator.plugs.set("E2", "Faulted", now_ms() + 5)
        location = operator.locations()[0]
        assert operator.call("PUT", f"{operator.receiver}/CN/OPR/L1", location)[0] == 200
        elsewhere = str(operator.receiver).replace("2.2.1", "receiver")  # a hub that builds the address itself
        assert operator.call("PUT", f"{elsewhere}/CN/OPR/L1", location)[0] == 200
        assert status(sink, "pile-E2") == "Faulted"


def test_an_older_word_does_not_undo_a_newer_one(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", poll_s=3600)):
        until(lambda: status(sink, "pile-E1") == "Available", "the first word")
        now = now_ms()
        assert operator.push("E1", status="CHARGING", last_updated=rfc3339(now)) == 200
        assert operator.push("E1", status="AVAILABLE", last_updated=rfc3339(now - 5_000)) == 200
    assert status(sink, "pile-E1") == "Charging"


def test_an_old_word_is_never_shown(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, caplog: pytest.LogCaptureFixture
) -> None:
    operator.plugs.set("E1", "Available", now_ms() - 2 * DAY_MS)
    operator.plugs.set("E2", "Available", now_ms() - DAY_MS // 2)
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", "E2")):
        until(lambda: status(sink, "pile-E2") == "Available", "the one that is not old")
        until(lambda: len(asked(operator, "GET", "date_from")) > 2, "more questions")
        assert operator.push("E1") == 200
    assert sink.held("pile-E1") == []
    assert sink.online == {"pile-E2"}
    assert caplog.text.count("last word on pile-E1 is older than stale_s") == 1


def test_a_time_ahead_of_ours_does_not_hold_up_what_comes_after(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", poll_s=3600)):
        until(lambda: status(sink, "pile-E1") == "Available", "the first word")
        assert operator.push("E1", status="CHARGING", last_updated="2099-01-01T00:00:00Z") == 200
        assert operator.push("E1", status="AVAILABLE", last_updated=rfc3339(now_ms())) == 200
    assert status(sink, "pile-E1") == "Available"


def test_the_registration_outlives_a_restart_in_a_file_of_its_own(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    settings = settings_of(tmp_path, operator, "E1")
    for _ in range(2):
        operator.web.asked = []
        with asking(place(tmp_path), sink, settings):
            until(lambda: asked(operator, "GET", "locations"), "a question")
            until(lambda: status(sink, "pile-E1") == "Available", "a word")
    assert asked(operator, "POST", "credentials") == asked(operator, "PUT", "credentials") == []
    kept = place(tmp_path) / "ocpi-op.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert OCPI_TOKEN not in kept.read_text()


def test_another_address_of_ours_is_told_him(tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
    first = operator.partner
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: operator.partner != first and asked(operator, "PUT", "credentials"), "another address")
        operator.plugs.set("E1", "Charging", now_ms())
        until(lambda: status(sink, "pile-E1") == "Charging", "he is asked with the new token")
        assert operator.push("E1") == 200


def test_he_may_change_his_token_and_end_it(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, caplog: pytest.LogCaptureFixture
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        assert operator.partner is not None
        before = operator.partner["token"]
        credentials = operator.partner["url"].replace("versions", "2.2.1/credentials")
        operator.token = "another-token"
        mine = {"token": operator.token, "url": operator.versions_url, "roles": []}
        code, told = operator.call("PUT", credentials, mine)
        assert code == 200
        operator.partner = told["data"]
        operator.plugs.set("E1", "Charging", now_ms())
        until(lambda: status(sink, "pile-E1") == "Charging", "he is asked with his new token")
        assert operator.push("E1") == 200
        assert operator.call("GET", credentials, token=before)[0] == 401
        assert operator.call("POST", credentials, mine)[0] == 405
        assert operator.call("DELETE", credentials)[0] == 200
        assert operator.push("E1") == 401
        until(lambda: "has ended the registration" in caplog.text, "it is told")


def test_a_handshake_in_which_he_can_not_ask_us_back_is_begun_again(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks, asked = operator.call, list[str]()

    def broken_once(method: str, url: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        asked.append(url)
        if len(asked) == 1:
            raise ConnectionResetError
        return asks(method, url, body, token)

    monkeypatch.setattr(operator, "call", broken_once)
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
    assert len(asked) == 3


def test_a_new_token_in_the_file_registers_anew(tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        operator.token, operator.invitation = None, "another-invitation"
        (tmp_path / "token").write_text(operator.invitation)
        operator.plugs.set("E1", "Charging", now_ms())
        until(lambda: status(sink, "pile-E1") == "Charging", "registered anew")
    assert operator.token is not None


def test_an_operator_who_has_forgotten_us_is_registered_with_again(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        operator.token = None
        operator.plugs.set("E1", "Charging", now_ms())
        until(lambda: status(sink, "pile-E1") == "Charging", "registered again")


def test_without_an_address_of_ours_the_token_is_used_as_it_is(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator
) -> None:
    operator.token = OCPI_TOKEN
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", listen=None)):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
    assert asked(operator, "POST", "credentials") == []


def test_an_evse_that_he_takes_off_is_gone_and_one_he_never_had_is_named(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("firmware_bridge.operators.ocpi.pull.WHOLE_MS", 0)
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", "E2", "E77")):
        until(lambda: sink.online == {"pile-E1", "pile-E2"}, "both")
        until(lambda: "no connector for pile-E77" in caplog.text, "it is told")
        operator.removed.add("E2")
        until(lambda: sink.online == {"pile-E1"}, "it is gone")
    assert caplog.text.count("knows nothing of pile-E2 any more") == 1


def test_he_pushes_over_tls_and_who_speaks_none_is_turned_away(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, caplog: pytest.LogCaptureFixture
) -> None:
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out pem -days 2"
    openssl(tmp_path, *made.split(), "-subj", "/CN=box", "-addext", "subjectAltName=IP:127.0.0.1")
    operator.trusts = ssl.create_default_context(cafile=str(tmp_path / "pem"))
    listen, files = (
        f"https://127.0.0.1:{free_port()}/ocpi",
        {"cert_file": tmp_path / "pem", "key_file": tmp_path / "key"},
    )
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", listen=listen, poll_s=3600, **files)):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        operator.plugs.set("E1", "Charging", now_ms())
        assert operator.push("E1") == 200
        assert status(sink, "pile-E1") == "Charging"
        with pytest.raises((OSError, HTTPException)):
            operator.call("GET", listen.replace("https", "http") + "/versions")
        until(lambda: "its TLS can't be understood" in caplog.text, "it is told")
        assert operator.push("E1") == 200


@pytest.mark.parametrize("fault", [fault for fault in get_args(WebFault) if fault])
def test_a_hostile_operator_costs_his_bus_alone_and_only_as_long_as_he_is_one(
    tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator, fault: Any, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("firmware_bridge.operators.web.ANSWER_S", 2.0)
    monkeypatch.setattr("firmware_bridge.operators.bus.LONGEST_PAUSE_S", 0.1)
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1")):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        operator.web.fault = fault
        until(lambda: "trying again" in caplog.text, "it is told")
        operator.plugs.set("E1", "Charging", now_ms())
        operator.web.fault = ""
        until(lambda: status(sink, "pile-E1") == "Charging", "he answers again")
    assert "a fault of this program" not in caplog.text


def test_strangers_are_refused_and_cost_nothing(tmp_path: Path, sink: SpoolSink, operator: VirtualOcpiOperator) -> None:
    with asking(place(tmp_path), sink, settings_of(tmp_path, operator, "E1", poll_s=3600)):
        until(lambda: status(sink, "pile-E1") == "Available", "a word")
        assert operator.receiver is not None
        here = f"{operator.receiver}/CN/OPR/L1/E1"
        told = {"status": "CHARGING", "last_updated": rfc3339(now_ms())}
        assert operator.call("PATCH", here, told, token="guessed")[0] == 401
        assert operator.call("PATCH", here, told, token=OCPI_TOKEN)[0] == 401
        assert operator.call("PATCH", here.replace("/ocpi/", "/elsewhere/"), told)[0] == 404
        assert operator.call("PATCH", here, "no object")[0] == 400
        assert operator.call("GET", here)[0] == 404
        assert operator.call("PATCH", here, {"status": 7})[0] == 400
        deep = json.loads("[" * 400 + "]" * 400)
        assert operator.call("PATCH", here, {"status": "CHARGING", "x": deep})[0] in (200, 400)
    assert "Reserved" not in {reading.signals.get("status") for reading in sink.held("pile-E1")}
