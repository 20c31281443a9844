"""A certificate is told of twenty days before its end, and does not run out in silence."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.certificate_files import TlsPeer, certificate_files, tls_peers
from config.schema import Settings
from gateway.alerting import Ourselves
from gateway.base.certificates import NoCertificateError, ending, ends_at, shown_by
from gateway.base.local_time import DAY_MS
from gateway.base.mishaps import Mishaps
from gateway.runtime.certificates import ShownCertificates
from gateway.runtime.metrics import CertificateCollector
from gateway.store.alerts_reader import AlertReader
from tests.certificates import signed_by_itself
from tests.gateway.alerting.house import House
from tests.gateway.alerting.test_side import STATION, Make
from tests.gateway.alerting.test_side import make as make

END = datetime(2027, 3, 1, tzinfo=UTC)
END_MS = round(END.timestamp() * 1000)


def made(folder: Path, name: str = "box", ends: datetime = END, more: bytes = b"") -> Path:
    signed_by_itself(folder / f"{name}.pem", folder / f"{name}.key", ends=ends, more=more)
    return folder / f"{name}.pem"


def test_the_border_is_twenty_days(tmp_path: Path) -> None:
    path = made(tmp_path)
    assert ending("api.cert_file", path, END_MS - 20 * DAY_MS - 1, ours=True) is None
    assert ending("api.cert_file", path, END_MS - 20 * DAY_MS, ours=True) == "api.cert_file ends on 2027-03-01"
    assert ending("api.cert_file", path, END_MS, ours=True) == "api.cert_file has ended on 2027-03-01"


def test_of_a_chain_the_first_that_ends_counts_and_of_authorities_the_last(tmp_path: Path) -> None:
    later = made(tmp_path, "later", datetime(2030, 1, 1, tzinfo=UTC)).read_bytes()
    path = made(tmp_path, more=later)
    assert ends_at(path, ours=True) == END_MS
    assert ends_at(path, ours=False) > END_MS


def test_what_is_no_certificate_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    with pytest.raises(NoCertificateError, match="can't be read"):
        ends_at(path, ours=True)
    path.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    assert "holds no certificate" in (ending("mqtt.ca_file", path, 0, ours=False) or "")


def test_every_certificate_of_the_configuration_is_looked_at(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "api": {"cert_file": "box.pem", "key_file": "box.key"},
            "mqtt": {"url": "mqtts://broker", "ca_file": "ca.pem", "cert_file": "c.pem", "key_file": "c.key"},
        },
        context={"base": tmp_path, "check_files": False},
    )
    files = {option: ours for option, _, ours in certificate_files(settings)}
    assert files == {"api.cert_file": True, "mqtt.ca_file": False, "mqtt.cert_file": True}
    made(tmp_path)
    (ends,) = CertificateCollector(lambda: certificate_files(settings)).collect()
    assert [(sample.labels, sample.value) for sample in ends.samples] == [({"option": "api.cert_file"}, END_MS / 1000)]


def test_an_alert_is_raised_and_is_over_when_the_file_is_renewed(make: Make, tmp_path: Path) -> None:
    house = make(stations=[STATION])
    house.wait(1)
    path = made(tmp_path, ends=datetime.fromtimestamp(house.now / 1000 + 10 * 86_400, UTC))
    house.settings = Settings.model_validate(
        {**house.settings.model_dump(mode="json"), "api": {"cert_file": str(path), "key_file": str(path)}},
        context={"check_files": False},
    )
    house.restart()
    house.wait(200, step_s=5)
    assert house.lines() == ["certificate_ending gateway opened"]
    made(tmp_path, ends=datetime.fromtimestamp(house.now / 1000 + 90 * 86_400, UTC))
    house.wait(3_600 + 900, step_s=30)
    assert house.lines()[-1] == "certificate_ending gateway closed"


@contextmanager
def showing(certificate: Path) -> Iterator[int]:
    """The port of a server that shows this certificate to whoever comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.settimeout(60)
                with contextlib.suppress(OSError):
                    context.wrap_socket(line, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def settings_of(port: int) -> Settings:
    config = {"mqtt": {"url": f"mqtts://127.0.0.1:{port}"}, "api": {"public_url": f"https://127.0.0.1:{port}/"}}
    return Settings.model_validate(config)


def test_the_servers_of_the_configuration_are_those_that_speak_tls() -> None:
    config = {
        "mqtt": {"url": ["mqtts://broker", "mqtts://two:8884"]},
        "uplink": {"id": "box", "url": "mqtts://centre.example"},
        "api": {"public_url": "https://box.example"},
    }
    peers = [(peer.option, peer.host, peer.port) for peer in tls_peers(Settings.model_validate(config))]
    assert peers == [
        ("mqtt.url.0", "broker", 8883),
        ("mqtt.url.1", "two", 8884),
        ("uplink.url", "centre.example", 8883),
        ("api.public_url", "box.example", 443),
    ]
    plain = {"mqtt": {"url": "mqtt://broker"}, "api": {"public_url": "http://box.example"}}
    assert list(tls_peers(Settings.model_validate(plain))) == []


@pytest.mark.parametrize("ends", [END, datetime(2020, 6, 1, tzinfo=UTC)], ids=["good", "ended"])
def test_what_a_server_shows_is_read_whether_it_is_good_or_not(tmp_path: Path, ends: datetime) -> None:
    with showing(made(tmp_path, ends=ends)) as port:
        assert shown_by(TlsPeer("mqtt.url", "127.0.0.1", port)) == round(ends.timestamp() * 1000)
    with pytest.raises(OSError, match="refused"):
        shown_by(TlsPeer("mqtt.url", "127.0.0.1", port))


def test_a_server_that_cannot_be_asked_keeps_what_it_showed_last(tmp_path: Path) -> None:
    with showing(made(tmp_path)) as port:
        watch = ShownCertificates(lambda: settings_of(port), Mishaps())
        watch.look()
        assert watch.by_option() == [("mqtt.url", END_MS), ("api.public_url", END_MS)]
    before = watch.all()
    watch.look()
    assert watch.all() == before
    (ends,) = CertificateCollector(tuple, watch.by_option).collect()
    assert ends.samples[0].labels == {"option": "mqtt.url"}
    assert ends.samples[0].value == END_MS / 1000


def test_the_brokers_certificate_is_told_of_until_it_shows_another(make: Make) -> None:
    house = make(stations=[STATION])
    house.ourselves = Ourselves(shown=(("the certificate of broker:8883 (mqtt.url)", house.now + 10 * DAY_MS),))
    house.wait(200, step_s=5)
    assert house.lines() == ["certificate_ending gateway opened"]
    assert "broker:8883" in house.said[0].alert.cause
    house.ourselves = Ourselves(shown=(("the certificate of broker:8883 (mqtt.url)", house.now + 90 * DAY_MS),))
    house.wait(900, step_s=30)
    assert house.lines()[-1] == "certificate_ending gateway closed"


def test_an_authority_that_is_broken_for_60_days_lets_no_certificate_run_out_in_silence(
    make: Make, tmp_path: Path
) -> None:
    """A certificate of 90 days is to be renewed 30 days before its end, and nobody can until 30 days after it."""
    house = make(stations=[STATION])
    house.wait(1)
    ends_at_ms = house.now + 30 * DAY_MS
    path = made(tmp_path, ends=datetime.fromtimestamp(ends_at_ms / 1000, UTC))
    house.settings = Settings.model_validate(
        {**house.settings.model_dump(mode="json"), "api": {"cert_file": str(path), "key_file": str(path)}},
        context={"check_files": False},
    )
    house.restart()
    for day in range(60):
        house.wait(86_400, step_s=1_800)
        if day % 7 == 3:
            house.restart(clean=day % 2 == 0)
        assert is_told(house) == (house.now > ends_at_ms - 20 * DAY_MS), f"on day {day}"
    made(tmp_path, ends=datetime.fromtimestamp(house.now / 1000 + 90 * 86_400, UTC))
    house.wait(2 * 3_600, step_s=60)
    assert not is_told(house)


def is_told(house: House) -> bool:
    open_alerts = AlertReader(house.folder).alerts("open")
    return any(alert.kind == "certificate_ending" for alert in open_alerts)
