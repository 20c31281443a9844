"""What the loaded settings answer."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.files import read_secret
from config.load import ConfigErrors, load
from config.schema import HostPort, MqttEndpoint, Settings, defaults_for, parse_host_port, parse_mqtt_url

STATION = """
stations:
  - id: a
    timezone: Europe/Berlin
    areas:
      - {id: x, resources: [{id: s1, kind: seat}, {id: s2, kind: seat, device: radar}]}
      - {id: y, resources: [{id: d, kind: door}]}
  - {id: b}
"""


def _load(folder: Path, text: str) -> Settings:
    (folder / "site.yaml").write_text(text, "utf-8")
    return load(folder / "site.yaml", {})


def test_resources_come_with_station_and_area_in_order(tmp_path: Path) -> None:
    settings = _load(tmp_path, STATION)
    placed = [(station.id, area.id, resource.device_id) for station, area, resource in settings.resources()]
    assert placed == [("a", "x", "s1"), ("a", "x", "radar"), ("a", "y", "d")]


def test_one_device_may_speak_for_several_resources(tmp_path: Path) -> None:
    text = "stations: [{id: a, areas: [{id: x, resources: [{id: s, kind: seat}, {id: t, kind: seat, device: s}]}]}]"
    assert [resource.device_id for *_, resource in _load(tmp_path, text).resources()] == ["s", "s"]


def test_a_station_is_in_its_own_zone_or_in_the_common_one(tmp_path: Path) -> None:
    settings = _load(tmp_path, STATION)
    assert [settings.zone_of(station).key for station in settings.stations] == ["Europe/Berlin", "Asia/Shanghai"]


def test_settings_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().timezone = "UTC"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("embedded://127.0.0.1:0", MqttEndpoint(True, False, "127.0.0.1", 0)),
        ("embedded://localhost", MqttEndpoint(True, False, "localhost", 1883)),
        ("mqtt://broker", MqttEndpoint(False, False, "broker", 1883)),
        ("mqtts://[::1]", MqttEndpoint(False, True, "::1", 8883)),
    ],
)
def test_a_broker_address_is_taken_apart(url: str, endpoint: MqttEndpoint) -> None:
    assert parse_mqtt_url(url) == endpoint


def test_one_address_of_the_broker_or_those_of_a_cluster(tmp_path: Path) -> None:
    assert _load(tmp_path, "mqtt: {url: mqtts://one}").mqtt.url == ("mqtts://one",)
    settings = _load(tmp_path, "mqtt: {url: [mqtts://one, mqtts://two:99]}\nuplink: {url: [mqtt://a, mqtt://b]}")
    assert [str(endpoint) for endpoint in settings.mqtt.endpoints] == ["one:8883", "two:99"]
    assert settings.uplink is not None
    assert [str(endpoint) for endpoint in settings.uplink.endpoints] == ["a:1883", "b:1883"]


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:0", "localhost:65535"])
def test_an_address_to_listen_on_reads_as_it_prints(text: str) -> None:
    assert str(parse_host_port(text)) == text


@pytest.mark.parametrize("text", ["8080", ":8080", "host", "host:-1", "host:70000", "::1:80", "a b:80"])
def test_what_is_no_address_to_listen_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"; (write it like|take one)"):
        parse_host_port(text)


def test_a_listen_value_is_host_and_port(tmp_path: Path) -> None:
    assert _load(tmp_path, 'api: {listen: "0.0.0.0:0"}').api.listen == HostPort("0.0.0.0", 0)


def test_relative_paths_are_relative_to_the_folder_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "pw").write_text("x")
    (tmp_path / "site" / "c.yaml").write_text("mqtt: {username: u, password_file: pw}\nbridge: {station: a}")
    monkeypatch.chdir(tmp_path)
    settings = load(Path("site/c.yaml"), {})
    assert settings.bridge is not None
    assert settings.mqtt.password_file == tmp_path / "site" / "pw"
    assert settings.store.path == tmp_path / "site" / "data"
    assert settings.bridge.spool.path == tmp_path / "site" / "spool"


def test_the_environment_overrules_the_store_path(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("store: {path: here}")
    assert load(tmp_path / "c.yaml", {"YIZHAN_DATA": "/srv/yizhan"}).store.path == Path("/srv/yizhan")


def test_the_files_of_a_folder_are_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "10-site.yaml").write_text("store: {profile: sd_card}\nstations: [{id: a}]")
    (tmp_path / "20-more.yaml").write_text("store: {ballast_mib: 0}\nstations: [{id: b}]\ntimezone: UTC")
    (tmp_path / "notes.txt").write_text("not: read")
    settings = load(tmp_path, {})
    assert [station.id for station in settings.stations] == ["a", "b"]
    assert (settings.store.profile, settings.store.ballast_mib, settings.timezone) == ("sd_card", 0, "UTC")


def test_a_kind_keeps_the_defaults_that_the_configuration_leaves_alone(tmp_path: Path) -> None:
    settings = _load(tmp_path, "kinds: {seat: {ttl_s: 60}}")
    assert settings.defaults_for("seat").ttl_s == 60
    assert settings.defaults_for("seat").away_s == defaults_for("seat").away_s
    assert settings.defaults_for("door") == defaults_for("door")


def test_a_name_and_a_region_may_be_plain_text(tmp_path: Path) -> None:
    station = _load(tmp_path, "stations: [{id: a, name: 雁山, region: 广东}]").stations[0]
    assert (station.name, station.region) == ({"zh": "雁山"}, ("广东",))


@pytest.mark.parametrize(
    ("severity", "told"),
    [
        ("warning", ("warning", "critical")),
        ("[info]", ("info",)),
    ],
)
def test_one_severity_means_that_and_above_and_a_list_those(
    tmp_path: Path, severity: str, told: tuple[str, ...]
) -> None:
    channel = "{id: a, kind: webhook, url: 'http://x'}"
    text = f"alerts: {{channels: [{channel}], routes: [{{channels: a, severity: {severity}}}]}}"
    assert _load(tmp_path, text).alerts.routes[0].severity == told


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("pass word\n")
    assert read_secret(tmp_path / "pw") == "pass word"


@pytest.mark.parametrize("content", [None, "\n"])
def test_a_secret_that_is_not_there_names_key_and_file(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "pw"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=rf"^mqtt.password_file: .*{path}"):
        read_secret(path, "mqtt.password_file")


def test_addresses_that_may_hold_a_key_are_not_printed(tmp_path: Path) -> None:
    text = "alerts: {dead_man_url: 'https://hc/k1', channels: [{id: a, kind: wecom, url: 'https://wx/?key=k2'}]}"
    printed = repr(_load(tmp_path, text))
    assert "k1" not in printed
    assert "k2" not in printed


@pytest.mark.parametrize(
    ("content", "mend"),
    [("geheim".encode("utf-16"), "UTF-16.*save it as UTF-8"), (b"geheim" * 20_000, "larger than 65536 bytes")],
    ids=["utf-16", "large"],
)
def test_a_secret_that_is_no_small_text_says_how_to_mend_it(tmp_path: Path, content: bytes, mend: str) -> None:
    path = tmp_path / "pw"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=mend) as refused:
        read_secret(path, "mqtt.password_file")
    assert "geheim" not in str(refused.value)


def test_a_secret_saved_on_windows_is_the_same_secret(tmp_path: Path) -> None:
    path = tmp_path / "pw"
    path.write_bytes(b"\xef\xbb\xbfgeheim\r\n")
    assert read_secret(path) == "geheim"


def test_a_file_of_a_folder_that_is_not_read_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("stations: [{id: a, areas: [{id: b}]}]", encoding="utf-8")
    (tmp_path / "b.yml").write_text("stations: [{id: c}]", encoding="utf-8")
    with pytest.raises(ConfigErrors, match=r"b\.yml:1: ends in \.yml, which is not read; rename it to \.yaml"):
        load(tmp_path, {})


def test_keys_alone_in_braces_are_fine_when_their_writer_meant_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("stations: [{id: a, hours: , areas: [{id: b, name: }]}]", encoding="utf-8")
    assert load(path, {}).stations[0].id == "a"


def test_a_name_is_one_line_and_holds_nothing_unseen() -> None:
    def named(name: str) -> Settings:
        return Settings.model_validate({"stations": [{"id": "s", "name": {"zh": name}}]})

    assert named("雁山\n 驿站\r\n").stations[0].name == {"zh": "雁山 驿站"}
    assert named("Lounge  A 👩‍🔧").stations[0].name == {"zh": "Lounge  A 👩‍🔧"}
    for name in ("a\x07b", "a\u202eb", "\x1b[31m"):
        with pytest.raises(ValueError, match="holds a control character or a mark of direction; write plain text"):
            named(name)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/key", "k" * 5000])
def test_a_file_that_can_not_be_is_a_mistake_like_any_other(tmp_path: Path, name: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(f"mqtt: {{password_file: {name}}}\nstore: {{path: {name}}}\n")
    with pytest.raises(ConfigErrors) as told:
        load(path)
    assert told.value.mistakes[0].key_path == "mqtt.password_file"
