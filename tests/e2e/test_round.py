"""A round from its code to the verified order over HTTP, and the same out of the journal by the command line."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.rig import Yizhan, get, resource, yizhan
from tests.patience import until
from tests.ports import free_port

pytestmark = pytest.mark.e2e
TOKEN = "round-7f3a9b21c0d4e5f6"
CONFIG = """
mqtt: {{url: "embedded://127.0.0.1:{mqtt}"}}
store: {{path: {data}, ballast_mib: 0}}
api: {{listen: "127.0.0.1:{http}"}}
alerts: {{clear_delay_s: 1}}
timezone: Asia/Shanghai
stations:
  - id: yanshan
    name: {{zh: 雁山}}
    hours: "24/7"
    checks_token_file: token
    checks: [{{id: oven, of: [microwave], every: day}}, {{id: medicine, of: [box], every: month, expires: true}}]
    areas:
      - id: lounge
        resources: [{{id: microwave, kind: appliance, type: microwave}}, {{id: box, kind: supply, type: medicine}}]
"""


class Venue:
    """A shared venue that lives by people. `name`: of its configuration and of its store."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.http, self.sent = folder, name, free_port(), 0
        (folder / "token").write_text(TOKEN)
        self.config = f"{name}.yaml"
        (folder / self.config).write_text(CONFIG.format(mqtt=free_port(), http=self.http, data=name), "utf-8")
        self.key = self.command("keys", "create", "--role", "operator", "--name", "wang").split()[-1]

    def command(self, *words: str) -> str:
        done = yizhan(self.folder, *words, "--config", self.config)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def up(self) -> Iterator[None]:
        with Yizhan(self.folder, "up", "--config", self.config) as server:
            until(lambda: get(self.http, "/readyz")["status"] == "ready")
            yield
            assert server.stop()[0] == 0

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.http}/api/v1/{path}",
            method="GET" if body is None else "POST",
            data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {token or self.key}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)

    def report(self, check: str, result: str = "ok", **more: Any) -> None:
        self.sent += 1
        name = f"00000000-0000-4000-8000-{self.sent:012}"
        body = {"id": name, "check": check, "result": result, "at": datetime.now(UTC).isoformat(), **more}
        self.ask("stations/yanshan/checks", body, TOKEN)

    def alerts(self) -> dict[str, str]:
        return {alert["kind"]: alert["state"] for alert in self.ask("alerts?station=yanshan")["alerts"]}

    def thing(self, name: str) -> tuple[str, str]:
        shown = resource(get(self.http, "/api/v1/stations/yanshan"), name)
        return shown["usable"], shown["health"]

    def exported(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.command("export", *words).splitlines()]


@pytest.fixture(scope="module")
def round_done(tmp_path_factory: pytest.TempPathFactory) -> Venue:
    """Somebody finds the oven broken, it is ordered, done and verified; then two things are found right."""
    venue = Venue(tmp_path_factory.mktemp("first"), "first")
    with venue.up():
        venue.report("oven", "problem", note="转盘坏了")
        until(lambda: venue.thing("microwave") == ("no", "fault"))
        until(lambda: venue.alerts().get("check_problem") == "open")
        [order] = until(lambda: venue.ask("orders")["orders"])
        assert (order["station"], order["resource"], order["state"]) == ("yanshan", "microwave", "assigned")
        for step, state in (("accept", "accepted"), ("done", "done"), ("verify", "closed")):
            assert venue.ask(f"orders/{order['id']}/{step}", {})["state"] == state
        until(lambda: venue.alerts()["check_problem"] == "closed")
        until(lambda: venue.thing("microwave") == ("yes", "ok"))
        venue.report("oven")
        venue.report("medicine", expires="2099-05-01", count=3)
        until(lambda: venue.thing("box") == ("yes", "ok"))
    return venue


def test_a_problem_ends_with_its_verified_order_and_stays_ended_over_a_restart(round_done: Venue) -> None:
    with round_done.up():
        assert round_done.thing("microwave") == ("yes", "ok")
        assert round_done.alerts()["check_problem"] == "closed"
        told = round_done.ask("stations/yanshan/checks")["checks"]
        assert [(row["check"], row["result"]) for row in told] == [
            ("medicine", "ok"), ("oven", "ok"), ("oven", "problem"),
        ]  # fmt: skip


def test_a_round_is_exported_replayed_and_imported_as_it_was(round_done: Venue) -> None:
    told = round_done.exported()
    assert {row["kind"] for row in told} == {"check"}
    assert [(row["device"], row["data"]["result"]) for row in told] == [
        ("oven", "problem"), ("oven", "verified"), ("oven", "ok"), ("medicine", "ok"),
    ]  # fmt: skip
    (round_done.folder / "raw.jsonl").write_text(round_done.command("export", "--raw"))
    replayed = [round_done.command("replay", "--input", "raw.jsonl") for _ in range(2)]
    assert replayed[0] == replayed[1]
    lines = [json.loads(line) for line in replayed[0].splitlines()]
    states = [row["usable"] for row in lines if row.get("resource") == "microwave" and "usable" in row]
    assert (states[0], states[-1]) == ("no", "yes")
    assert "check_problem" in replayed[0]
    second = Venue(round_done.folder, "second")
    assert second.command("import", "--input", "raw.jsonl") == "4 stored, 0 were there, 0 refused\n"
    assert second.command("import", "--input", "raw.jsonl") == "0 stored, 4 were there, 0 refused\n"
    assert second.exported() == told
    with second.up():
        assert (second.thing("microwave"), second.thing("box")) == (("yes", "ok"), ("yes", "ok"))
        assert len(second.ask("stations/yanshan/checks")["checks"]) == 3
        assert second.ask("stations/yanshan/checks")["checks"][0]["count"] == 3
