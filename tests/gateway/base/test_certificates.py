"""A certificate is told of twenty days before its end, and does not run out in silence."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.certificate_files import certificate_files
from config.schema import Settings
from gateway.base.certificates import NoCertificateError, ending, ends_at
from gateway.base.local_time import DAY_MS
from gateway.runtime.metrics import CertificateCollector
from tests.certificates import signed_by_itself
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
    found = {option: ours for option, _, ours in certificate_files(settings)}
    assert found == {"api.cert_file": True, "mqtt.ca_file": False, "mqtt.cert_file": True}
    made(tmp_path)
    (ends,) = CertificateCollector(lambda: certificate_files(settings)).collect()
    assert [(one.labels, one.value) for one in ends.samples] == [({"option": "api.cert_file"}, END_MS / 1000)]


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
