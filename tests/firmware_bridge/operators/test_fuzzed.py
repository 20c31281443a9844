"""What operators might say, mutated: nothing raises, nothing is kept, and free is only what says so and is not old."""

import json
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.schema.bridge import BusSettings
from firmware_bridge.operators.book import WordBook
from firmware_bridge.operators.bus import OperatorTold
from firmware_bridge.operators.listener import PushRequest
from firmware_bridge.operators.ocpi.handshake import OcpiParty
from firmware_bridge.operators.ocpi.line import Envelope, OcpiAnswer
from firmware_bridge.operators.ocpi.pull import Pull
from firmware_bridge.operators.ocpi.receiver import OcpiReceiver
from firmware_bridge.operators.ocpi.registration import OcpiRegistration, RegistrationFile
from firmware_bridge.operators.tcec.envelope import stamp_of
from firmware_bridge.operators.tcec.receiver import TcecReceiver
from firmware_bridge.operators.web import UNREADABLE, AskError
from gateway.base.times import rfc3339
from tests.firmware_bridge.operators.rig import PARTY

NOW, DAY_MS = 1_795_262_400_000, 86_400_000
ODD: list[Any] = [
    None, True, -1, 0, 1, 3, 255, 1e308, 2**70, "", "1", "AVAILABLE", "available", "UNKNOWN", "E1", "\u0000", "汉" * 50,
    [], {}, [[[[[]]]]], {"a": {"b": {}}}, "2026-11-21T12:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "x" * 300,
]  # fmt: skip


class Fuzz:
    """Makes one message out of another."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def value(self, told: Any) -> Any:
        """The same shape with something odd in it."""
        if self.random.random() < 0.08:
            return self.random.choice(ODD)
        if isinstance(told, dict):
            kept = {name: self.value(inner) for name, inner in told.items() if self.random.random() > 0.04}
            return kept | ({self.random.choice(["x", "status", "evses"]): 7} if self.random.random() < 0.03 else {})
        if isinstance(told, list):
            return [self.value(inner) for inner in told for _ in range(self.random.choice((1, 1, 1, 1, 0, 2)))]
        return told

    def body(self, told: Any) -> bytes:
        data = json.dumps(self.value(told)).encode()
        if self.random.random() < 0.2 and data:
            at = self.random.randrange(len(data))
            data = data[:at] + self.random.randbytes(self.random.randrange(4)) + data[at + self.random.randrange(4) :]
        return data


def checked(book: WordBook, told: OperatorTold, says_free: Callable[[str], bool]) -> None:
    for word in told.words:
        book.take(word, NOW, told.as_of)
    for key, at in told.renewed:
        book.touch(key, at, NOW)
    for reading in book.news(NOW):
        if reading.signals["status"] == "Available":
            assert says_free(reading.device)
    for device, word in book.stale(NOW).items():
        assert word.changed_at is not None
        assert NOW - word.changed_at > DAY_MS
        assert device not in book.live(NOW)


def locations(status: str, age_ms: int) -> list[dict[str, Any]]:
    at = rfc3339(NOW - age_ms)
    evses = [
        {"uid": uid, "status": status, "last_updated": at, "connectors": [{"id": "1", "last_updated": at}]}
        for uid in ("E1", "E2", "other")
    ]
    return [{"id": "L1", "country_code": "CN", "evses": evses, "last_updated": at}]


class _Line:
    """Pages as they would come."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def ask(self, _method: str, _url: str, _token: str) -> OcpiAnswer:
        try:
            envelope = msgspec.json.decode(self.bodies.pop(0), type=Envelope)
        except UNREADABLE:
            raise AskError("no answer of OCPI") from None
        return OcpiAnswer(bytes(envelope.data), None, None, 100)


def ocpi_pages(count: int) -> None:
    fuzz, line = Fuzz("pages"), _Line()
    uids = frozenset({"E1", "E2"})
    for _ in range(count):
        status, age_ms = fuzz.random.choice(["CHARGING", "UNKNOWN", "AVAILABLE"]), fuzz.random.choice([0, 2 * DAY_MS])
        body = fuzz.body({"status_code": 1000, "data": locations(status, age_ms)})
        line.bodies = [body]
        try:
            told = Pull(line, uids).read("https://x/l", "token", lambda: NOW)  # type: ignore[arg-type]
        except AskError:
            continue
        book = WordBook({uid: (uid,) for uid in uids}, DAY_MS)
        checked(book, told, lambda _device, body=body: b'"AVAILABLE"' in body)  # type: ignore[misc]


def ocpi_pushes(count: int, folder: Path) -> None:
    fuzz, file = Fuzz("pushes"), RegistrationFile(folder / "kept")
    file.keep(OcpiRegistration("x", "us", NOW, "ours", "theirs"))
    us = OcpiParty(BusSettings(id="op", port="https://x/ocpi/versions", protocol="ocpi"), lambda: "https://us/ocpi")
    receiver = OcpiReceiver(us, file, frozenset({"E1", "E2"}))
    place = ("2.2.1", "locations", "CN", "OPR", "L1", "E1", "1")
    for _ in range(count):
        depth = fuzz.random.choice((5, 6, 7))
        (location,) = locations(fuzz.random.choice(["CHARGING", "AVAILABLE"]), fuzz.random.choice([0, 2 * DAY_MS]))
        told = {5: location, 6: location["evses"][0], 7: location["evses"][0]["connectors"][0]}[depth]
        body, path = fuzz.body(told), place[:depth]
        if fuzz.random.random() < 0.1:
            parts = (*place, "", "..", "\x00", "x" * 500)
            path = tuple(fuzz.random.choice(parts) for _ in range(fuzz.random.randrange(9)))
        token = "ours" if fuzz.random.random() < 0.95 else "guessed"
        method = fuzz.random.choice(("PUT", "PATCH", "PATCH", "GET"))
        pushed = receiver.answer(PushRequest(method, path, f"Token {token}", body), NOW)
        msgspec.json.decode(pushed.answer.body)
        assert token == "ours" or (pushed.answer.status, pushed.told) == (401, OperatorTold())
        book = WordBook({uid: (uid,) for uid in ("E1", "E2")}, DAY_MS)
        checked(book, pushed.told, lambda _device, body=body: b'"AVAILABLE"' in body)  # type: ignore[misc]


def tcec_pushes(count: int) -> None:
    fuzz, receiver = Fuzz("tcec"), TcecReceiver(lambda: PARTY, frozenset({"E1", "E2"}))
    asked = {"OperatorID": "MA5", "OperatorSecret": PARTY.operator_secret}
    question = PARTY.keys.question("MA5", asked, stamp_of(NOW), "0001")
    answer = receiver.answer(PushRequest("POST", ("query_token",), None, question), NOW).answer
    token = msgspec.json.decode(PARTY.keys.answered(answer.body))["AccessToken"]
    for _ in range(count):
        status, park = fuzz.random.choice((0, 1, 2, 3, 4, 255)), fuzz.random.choice((0, 10, 50))
        told = {
            "ConnectorStatusInfo": {
                "ConnectorID": fuzz.random.choice(("E1", "x")),
                "Status": status,
                "ParkStatus": park,
            }
        }
        changed = fuzz.value(told)
        body = PARTY.keys.question("MA5", changed, stamp_of(NOW), "0001")
        if fuzz.random.random() < 0.2:
            body = fuzz.body(msgspec.json.decode(body))
        name = fuzz.random.choice(("notification_stationStatus",) * 9 + ("query_token",))
        pushed = receiver.answer(PushRequest("POST", (name,), f"Bearer {token}", body), NOW)
        msgspec.json.decode(pushed.answer.body)
        book = WordBook({uid: (uid,) for uid in ("E1", "E2")}, DAY_MS)
        clear = json.dumps(changed)
        checked(book, pushed.told, lambda _device, clear=clear: '"Status": 1' in clear or '"1"' in clear)  # type: ignore[misc]


def all_of_them(count: int, folder: Path) -> None:
    ocpi_pages(count)
    ocpi_pushes(count, folder)
    tcec_pushes(count)


def test_mutated_words_of_operators_neither_raise_nor_free_anything(tmp_path: Path) -> None:
    all_of_them(1_000, tmp_path)


@pytest.mark.soak
def test_a_million_mutated_messages_leave_nothing_behind(tmp_path: Path) -> None:
    all_of_them(5_000, tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    all_of_them(333_334, tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16_384  # KiB
