"""An API on a machine of its own, which has the replica alone, serves what an API beside the journals serves."""

import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.routes.alerts import ACCESS
from gateway.base.sharing import shard_of
from tests.api.past_routes import PAST
from tests.e2e.elsewhere import STATIONS, Answer, Api, District, district
from tests.e2e.rig import MOSQUITTO, resource
from tests.patience import until
from tests.postgres import servers

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]
SECOND = [name for name in STATIONS if shard_of(name, 2) == 2]
FIRST = [name for name in STATIONS if name not in SECOND]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    for made in servers():
        with district(tmp_path_factory.mktemp("district"), made) as house:
            for station in STATIONS:
                live(house, station)
            until(lambda: house.here.alerts().keys() >= set(STATIONS), "alerts beside the journals")
            until(lambda: whole(house.there), "whole mirrors elsewhere")
            until(lambda: house.there.alerts() == house.here.alerts(), "the same alerts elsewhere")
            yield house


def whole(api: Api) -> bool:
    """Whether it has all of the past; 503 while it has none."""
    answer = api.ask("/api/v1/alerts")
    return answer.status == 200 and "lacks" not in answer.json


def live(house: District, station: str) -> None:
    """A pile that charged and broke, a seat, people who came in."""
    for seq, (status, meter) in enumerate([("Available", 1_000), ("Charging", 1_500), ("Faulted", 2_500)], 1):
        house.say(station, "pile", boot="a", seq=seq, status=status, energy_total_wh=meter)
        house.say(station, "seat", boot="a", seq=seq, occupied=seq % 2 == 1)
        house.say(station, "gate", boot="a", seq=seq, **{"in": 3 * seq, "out": 2 * seq})


def asked(house: District, station: str) -> dict[str, str]:
    """Route → the path by which it is asked; every one that reads what a gateway stored."""
    now = datetime.now(UTC)
    words = {
        "station": station, "alert": house.here.alerts()[station], "check": str(uuid.uuid4()),
        "day": f"{now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "now": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "month": f"{now.replace(day=1) - timedelta(days=1):%Y-%m}",  # this one goes on while one asks
    }  # fmt: skip
    return {route: path.format(**words) for route, path in PAST.items()}


def without_own(route: str, answer: Answer) -> tuple[int, Any]:
    """Without what is each API's own: the trail of log-ins and keys, and its address in a page."""
    if route == "/api/v1/audit":
        return answer.status, [line for line in answer.json["audit"] if line["what"] not in ACCESS]
    return answer.status, re.sub(rb"127\.0\.0\.1:\d+", b"here", answer.body)


def test_every_route_of_the_past_answers_to_the_byte_as_beside_the_journals(running: District) -> None:
    for station in (FIRST[0], SECOND[0]):
        for route, path in asked(running, station).items():

            def alike(route: str = route, path: str = path) -> bool:
                here, there = (without_own(route, api.ask(path)) for api in (running.here, running.there))
                assert here[0] in (200, 404, 410), (path, here)
                return here == there

            until(alike, f"{path} being the same")
    assert not list((running.folder / "office/elsewhere").glob("gateway*"))
    assert "energy_wh" in json.dumps(running.there.get(asked(running, FIRST[0])["/api/v1/utilization"]))


@pytest.mark.parametrize("station", [FIRST[0], SECOND[0]])
def test_what_staff_do_there_lands_on_the_right_shard_once(running: District, station: str) -> None:
    alert = running.there.alerts()[station]
    done = running.there.ask(f"/api/v1/alerts/{alert}/acknowledge", "POST", {"text": "on my way"})
    assert (done.status, done.json["state"]) == (200, "acknowledged"), done
    done = running.there.ask("/api/v1/orders", "POST", {"alert": alert, "assignee": "Li", "title": "look at it"})
    assert (done.status, done.json["station"]) == (201, station), done
    soon = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    by_hand = {"status": "closed", "until": soon, "resource": "seat"}
    assert running.there.ask(f"/api/v1/stations/{station}/override", "PUT", by_hand).status in (200, 202)
    until(lambda: access(running, station) == "closed", "what is set by hand holding")
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    check = {"id": str(uuid.uuid4()), "check": "tidy", "result": "ok", "at": at}
    for _ in range(2):
        assert running.there.ask(f"/api/v1/stations/{station}/checks", "POST", check).status in (200, 201, 202)
    said = {"kind": "dirty"}
    assert running.there.ask(f"/api/v1/stations/{station}/reports", "POST", said).status in (200, 201, 202)
    until(lambda: trail(running.there, station) == trail(running.here, station), "the same trail")
    told = trail(running.there, station)
    assert len(told) == len(set(told)), "each once"
    assert len(told) >= 4, told


def access(house: District, station: str) -> Any:
    return resource(house.there.get(f"/api/v1/stations/{station}"), "seat")["access"]


def trail(api: Api, station: str) -> list[str]:
    """What was done to this station, its alerts and orders."""
    of = [*api.get("/api/v1/alerts?limit=1000")["alerts"], *api.get("/api/v1/orders")["orders"]]
    ours = {told["id"] for told in of if told["station"] == station} | {station}
    lines = api.get("/api/v1/audit?limit=1000")["audit"]
    return [f"{line['what']} {line['target']}" for line in lines if line["target"].partition("/")[0] in ours]


def gone(house: District, state: str) -> Any:
    """The alert that the other shard tells; also of the API elsewhere."""
    told = house.there.get(f"/api/v1/alerts?kind=shard_away&state={state}")["alerts"]
    return told[0] if told else None


def unwatched(api: Api) -> set[str]:
    """The stations that say so, in the list and alone."""
    listed = {told["station"] for told in api.get("/api/v1/stations")["stations"] if told.get("watched") is False}
    alone = {name for name in STATIONS if api.get(f"/api/v1/stations/{name}").get("watched") is False}
    return listed & alone


def test_a_shard_that_is_killed_is_told_and_its_past_says_up_to_when_it_is_whole(running: District) -> None:
    running.kill(2)
    path = f"/api/v1/stations/{SECOND[0]}/history?resource=seat"
    answer = until(lambda: "lacks" in (told := running.there.ask(path)).json and told, "that it is behind")
    assert "gateway-2of2 has said nothing" in answer.json["lacks"]
    assert answer.headers["yizhan-whole-until"].endswith("Z")
    ready = running.readyz(running.there)
    assert ready["status"] == "degraded"
    assert f"nobody watches {', '.join(SECOND)}" in str(ready["trouble"])
    alert = until(lambda: gone(running, "open"), "that staff are told")
    assert (alert["station"], alert["detail"]["subject"], alert["cause"]) == (
        None,
        "gateway-2of2",
        ", ".join(sorted(SECOND)),
    )
    for api in (running.here, running.there):
        until(lambda api=api: unwatched(api) == set(SECOND), "its stations' documents saying that nobody watches them")
        assert "本站网关失联" in api.ask(f"/m/{SECOND[0]}").body.decode()
    running.start(2)
    until(lambda: gone(running, "closed"), "that it ended")
    until(lambda: not unwatched(running.there), "that their documents say it no more")
    assert len(running.there.get("/api/v1/alerts?kind=shard_away")["alerts"]) == 1, "once"
    until(lambda: "lacks" not in running.there.get(path), "that it is up to now again")
    until(lambda: running.readyz(running.there)["status"] == "ready", "all being well")


def test_while_the_replica_is_stopped_nothing_old_is_told_as_live(running: District) -> None:
    running.server.kill()
    lag = until(lambda: running.there.get("/api/v1/alerts").get("lacks"), "that the replica is away")
    assert "the replica is away" in lag
    page = running.there.ask("/").body.decode()
    assert "过往记录、警报和工单只到" in page
    running.server.start()
    until(lambda: "lacks" not in running.there.get("/api/v1/alerts"), "that it is up to now again")
    station = FIRST[1]
    for seq in (4, 5):
        running.say(station, "seat", boot="a", seq=seq, occupied=seq % 2 == 1)
    window = asked(running, station)["/api/v1/stations/{station}/history"]
    until(lambda: running.there.ask(window).body == running.here.ask(window).body, "the same history")


def test_a_mirror_is_taken_up_by_whoever_starts_next(running: District) -> None:
    running.stop("there")
    running.say(FIRST[0], "seat", boot="a", seq=9, occupied=True)
    running.start_api("there")
    until(lambda: running.there.alerts() == running.here.alerts(), "the same alerts")
    log = running.running["there"].errors
    assert "were fetched" not in log, "what was there was gone on with"
    words = ["audit", "verify", "--config", "yizhan.yaml"]
    program = running.program
    assert subprocess.run([program, *words], cwd=running.folder / "office", check=False).returncode == 0
