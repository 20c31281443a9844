"""What a box says of its own certificate."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.base.local_time import DAY_MS
from gateway.uplink.report import BoxReport, certificate_days
from tests.certificates import signed_by_itself

END = datetime(2027, 3, 1, tzinfo=UTC)
END_MS = round(END.timestamp() * 1000)


def test_days_are_those_of_our_own_certificate_and_not_of_its_authoritys(tmp_path: Path) -> None:
    authority, path = tmp_path / "ca.pem", tmp_path / "box.pem"
    signed_by_itself(authority, tmp_path / "ca.key", ends=datetime(2026, 1, 1, tzinfo=UTC))
    signed_by_itself(path, tmp_path / "box.key", ends=END, more=authority.read_bytes())
    assert certificate_days(path, END_MS - 10 * DAY_MS) == 10
    assert certificate_days(path, END_MS - 1) == 0
    assert certificate_days(path, END_MS + 1) == -1


def test_without_a_certificate_that_can_be_read_nothing_is_said(tmp_path: Path) -> None:
    path = tmp_path / "box.pem"
    assert certificate_days(None, END_MS) is None
    assert certificate_days(path, END_MS) is None
    path.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    assert certificate_days(path, END_MS) is None


def test_a_version_that_was_taken_back_is_told_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIZHAN_KEPT", str(tmp_path))
    report = BoxReport("box", "1.0.0", END_MS, tmp_path, ring="ring0")
    assert "upgrade" not in json.loads(report.told("online", 0))
    (tmp_path / "in-use").write_text("1.1.0\n")
    told = json.loads(report.told("online", 0))
    assert (told["version"], told["ring"]) == ("1.0.0", "ring0")
    assert (told["upgrade"], told["upgrade_version"]) == ("rolled_back", "1.1.0")
