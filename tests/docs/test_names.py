"""What the docs name exists, and what exists is named."""

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from api.behind import MirrorCollector
from api.commands import COMMANDS
from api.missing_gateways import MissingCollector
from config import options
from config.schema import Settings
from gateway.alerting.metrics import AlertCollector
from gateway.alerts.kinds import KINDS
from gateway.dialects import DIALECTS
from gateway.influx.status import Checked, CopyMetrics
from gateway.live.box_lines import BoxLine, BoxWord
from gateway.notify.channels import CHANNELS
from gateway.runtime.metrics import CertificateCollector, GatewayCollector
from gateway.runtime.status import Metrics
from gateway.store.replica.mirror_state import MirrorState
from gateway.store.replica.status import ReplicaMetrics
from gateway.uplink.status import UplinkMetrics
from tests.api.conftest import House, serving
from tests.api.test_matrix import routes_of
from tests.docs.reading import PAGES, ROOT, anchors, links, named_first, rows, text_of, ticked
from tests.gateway.alerting.house import House as AlertHouse


@cache
def models() -> dict[str, Any]:
    """Not where the file is read, as each of the processes of a run does."""
    shapes: dict[str, Any] = Settings.model_json_schema()["$defs"]
    return shapes


@cache
def option_paths() -> list[str]:
    return [option.path for option in options.options()]


page_by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def words_of(model: str, field: str) -> list[str]:
    """The words that an option may take."""
    shape = models()[model]["properties"][field]
    words: list[str] = models()[shape["$ref"].rpartition("/")[2]]["enum"] if "$ref" in shape else shape["enum"]
    return words


def test_every_kind_says_what_is_made_of_its_signals() -> None:
    cells = [row[0] for row in rows("availability.md", "kind") if len(row) == 4 and row[0]]
    told = [kind for cell in cells for kind in cell.split(", ")]
    kinds = words_of("ResourceSettings", "kind")
    assert set(kinds) <= set(told)
    assert set(told) - {"any"} <= set(kinds)


def test_every_kind_is_a_measurement_of_the_copy() -> None:
    (row,) = [row for row in rows("timeseries.md", "") if row[0] == "measurement"]
    assert sorted(ticked(row[1])) == sorted(words_of("ResourceSettings", "kind"))


def test_every_dialect_says_what_to_write_and_what_is_believed() -> None:
    assert sorted(named_first("dialects.md", "dialect")) == sorted([*DIALECTS, *DIALECTS])
    assert sorted(words_of("SourceSettings", "dialect")) == sorted(DIALECTS)


def test_every_channel_says_when_a_message_counts_as_taken() -> None:
    assert sorted(named_first("alerts.md", "channel")) == sorted(CHANNELS)
    assert sorted(words_of("Channel", "kind")) == sorted(CHANNELS)


def test_every_protocol_of_a_bus_says_what_it_becomes() -> None:
    assert sorted(named_first("bridge.md", "`protocol`")) == sorted(words_of("BusSettings", "protocol"))


def test_every_register_map_that_comes_along_is_named() -> None:
    (line,) = re.findall(r"Ready in `firmware_bridge/maps/`: ([^.]*)\.", text_of("bridge.md"))
    assert sorted(ticked(line)) == sorted(path.stem for path in (ROOT / "firmware_bridge" / "maps").glob("*.yaml"))


def test_every_kind_of_alert_says_where_it_comes_from_and_how_severe_it_is() -> None:
    told = {}
    for row in rows("alerts.md", "kind"):
        if len(row) == 3:
            kinds, words = ticked(row[0]), row[2].partition(";")[0].split(", ")
            told |= dict(zip(kinds, words if len(words) == len(kinds) else words * len(kinds), strict=True))
    assert told == {kind: rule.severity for kind, rule in KINDS.items()}


def test_every_command_is_told() -> None:
    assert named_first("commands.md", "command") == [f"yizhan {name}" for name in COMMANDS]


@page_by_page
def test_no_page_names_a_command_that_does_not_exist(page: Path) -> None:
    named = re.findall(r"(?:`|^    |^|bin/)yizhan ([a-z]+)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= set(COMMANDS)


def test_the_page_of_options_is_current() -> None:
    assert text_of("options.md") == options.options_text(), "run `python -m config.schema_json`"
    assert named_first("options.md", "option") == option_paths()


@page_by_page
def test_no_page_names_an_option_that_does_not_exist(page: Path) -> None:
    paths = option_paths()
    known = [re.compile(re.escape(path).replace(r"\[\]", "").replace(r"\{\}", r"(\.\w+)?") + r"\Z") for path in paths]
    sections = {path.partition(".")[0] for path in paths}
    for name in ticked(page.read_text(encoding="utf-8")):
        plain = name.replace("[]", "").replace("{}", "")
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", plain) and plain.partition(".")[0] in sections:
            assert any(path.match(plain) for path in known) or is_module(plain), f"{name}: no option and no module"


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def metrics_printed(folder: Path, house: House) -> set[str]:
    """Every metric that an API or a gateway shows."""
    copy = CopyMetrics(0, 0, {"503": 1}, 0, 0, None, Checked(0, 0, 0), 0)
    figures = Metrics(
        0, 0, 0, 0, 0, 0, {"not_json": 1}, 0, [("+Inf", 0.0)], 0.0, True, 0, 0, 0, 0, copy,
        uplink=UplinkMetrics(0, 0, True, 0, None), replica=ReplicaMetrics(True, 0, 0, True, True, None),
        boxes=[BoxLine("b", True, 0, 0, BoxWord("b", "online", None, None, 0, 0, 0, 0, 0, 0, 0), 0)],
    )  # fmt: skip
    registry = CollectorRegistry()
    registry.register(GatewayCollector(lambda: figures))
    registry.register(CertificateCollector(tuple))
    registry.register(MissingCollector(lambda: {"gateway-2of2": (False, ["north"])}))
    registry.register(MirrorCollector(lambda: {"gateway-2of2": MirrorState(0)}))
    alerts = AlertHouse(folder)
    alerts.send("pile-01", status="Faulted")
    alerts.wait(10)
    alerts.ask(lambda core, now: (core.desk.acknowledge(alerts.said[0].alert.id, "li", now), [], []))
    alerts.send("pile-01", status="Available")
    alerts.wait(30)
    registry.register(AlertCollector(folder, lambda: alerts.now))
    families = [*registry.collect(), *text_string_to_metric_families(house.get("/metrics").text)]
    alerts.close()
    return {family.name + ("_total" if family.type == "counter" else "") for family in families}


def test_every_metric_is_told_and_every_metric_that_is_told_is_shown(tmp_path: Path) -> None:
    for house in serving(tmp_path / "api"):
        assert sorted(bare(named_first("metrics.md", "metric"))) == sorted(metrics_printed(tmp_path / "alerts", house))


def bare(names: list[str]) -> list[str]:
    return [name.partition("{")[0] for name in names]


@page_by_page
def test_no_page_names_a_metric_that_is_not_in_the_table(page: Path) -> None:
    named = re.findall(r"`(yizhan_[a-z_]+)[`{]", page.read_text(encoding="utf-8"))
    assert set(named) <= set(bare(named_first("metrics.md", "metric")))


def test_every_route_is_told_and_every_route_that_is_told_answers(tmp_path: Path) -> None:
    for house in serving(tmp_path):
        routes = {f"{method} {path}" for method, path in routes_of(house)}
        assert sorted(named_first("api.md", "every route")) == sorted(routes)


@page_by_page
def test_no_page_names_a_route_that_does_not_exist(page: Path) -> None:
    known = {re.sub(r"{\w+(:path)?}", "*", name) for name in named_first("api.md", "every route")}
    for method, path in re.findall(r"`(GET|POST|PUT|DELETE) (/[^\s`?]*)", page.read_text(encoding="utf-8")):
        plain = re.sub(r"{\w+(:path)?}", "*", path)
        assert f"{method} {plain}" in known or f"{method} /api/v1{plain}" in known, f"{method} {path}"


@page_by_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    tops = "api|config|deploy|docs|firmware_bridge|gateway|tests"
    for name in ticked(page.read_text(encoding="utf-8")):
        for path in re.findall(rf"(?:^|\s)((?:{tops})/[\w./-]*)", name):
            if not path.startswith("tests/benchmarks/results"):
                assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path
        for module in re.findall(r"python -m ((?:tests|config)[\w.]+)", name):
            assert importlib.util.find_spec(module), module


@page_by_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target.name}#{anchor}"
