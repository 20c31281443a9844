"""The dashboards ask for what the copy holds: every MetricsQL answered by a real engine, every Flux in our words."""

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from gateway.influx.lines import COMMON, FIELDS, Lines
from gateway.model import Resource
from tests.gateway.store.victoria import PROGRAM, Victoria
from tests.patience import until

DASHBOARDS = Path(__file__).parents[3] / "deploy" / "grafana"
NOW = 1_780_056_000_000
SAID = {
    "seat": b'"occupied":true,"battery_pct":80,"fault":"E1"',
    "room": b'"people":3',
    "charger": b'"status":"Charging","power_w":6600,"energy_wh":%d',
    "locker": b'"free":3,"total":20',
    "parking": b'"free":3,"total":20',
    "safety": b'"ready":false',
}


def queries(engine, key):
    panels = json.loads((DASHBOARDS / f"yizhan-{engine}.json").read_text())["panels"]
    return [pytest.param(panel["targets"][0][key], id=panel["title"]) for panel in panels]


@pytest.fixture(scope="module")
def victoria(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("victoria-metrics is not installed")
    running = Victoria(tmp_path_factory.mktemp("victoria"))
    running.start()
    resources = [Resource("yanshan", "a", f"{kind}-1", kind, f"{kind}-1") for kind in SAID]
    lines = [
        line
        for seq in range(10)
        for kind, said in SAID.items()
        for line in Lines(resources).of(
            f"yz/yanshan/{kind}-1/state".encode(),
            b'{"ts":%d,"seq":%d,%s}' % (NOW - seq * 60_000, seq, said % (9000 - seq) if b"%" in said else said),
            NOW,
            0,
        )
    ]
    request = urllib.request.Request(running.url + "/api/v2/write?bucket=b", "\n".join(lines).encode())
    assert urllib.request.urlopen(request, timeout=60).status == 204
    until(lambda: running.rows("seat_occupied"))
    yield running
    running.stop()


@pytest.mark.parametrize("expr", queries("victoriametrics", "expr"))
def test_each_panel_has_an_answer_in_victoriametrics(victoria, expr):
    asked = urllib.parse.urlencode({"query": expr.replace("$station", ".*"), "time": NOW / 1000})
    with urllib.request.urlopen(f"{victoria.url}/api/v1/query?{asked}", timeout=60) as answer:
        rows = json.load(answer)["data"]["result"]
    assert rows
    assert float(rows[0]["value"][1]) > 0


@pytest.mark.parametrize("flux", queries("influxdb", "query"))
def test_each_panel_asks_influxdb_for_fields_that_we_write(flux):
    asked = re.findall(r'r\._measurement == "(\w+)" and r\._field == "(\w+)"', flux)
    assert asked
    for kind, field in asked:
        assert field in {**COMMON, **FIELDS[kind]}
    assert flux.count("(") == flux.count(")")
    assert flux.count("from(bucket: ") == flux.count("range(start: v.timeRangeStart")


@pytest.mark.parametrize("engine", ["influxdb", "victoriametrics"])
def test_panels_lie_side_by_side_on_the_grid(engine):
    panels = json.loads((DASHBOARDS / f"yizhan-{engine}.json").read_text())["panels"]
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
