"""Our HTTPS in the eyes of testssl.sh, with an authority that it trusts: nothing of medium severity or worse."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.rig import Yizhan
from tests.patience import until
from tests.ports import free_port

TESTSSL = shutil.which("testssl") or shutil.which("testssl.sh") or ""
pytestmark = [pytest.mark.soak, pytest.mark.skipif(not TESTSSL, reason="testssl.sh is not installed")]
GRAVE = {"MEDIUM", "HIGH", "CRITICAL", "FATAL"}
EXTENSIONS = """\
subjectAltName=DNS:localhost,IP:127.0.0.1
extendedKeyUsage=serverAuth
keyUsage=digitalSignature
basicConstraints=CA:FALSE
crlDistributionPoints=URI:http://127.0.0.1/authority.crl
"""


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority_and_certificate(folder: Path) -> None:
    """`ca.pem`, and `box.pem` with `box.key`, as a public authority would make it: for 90 days, with a list of what it
    took back."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    said = ["-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    openssl(folder, "req", "-x509", *key, "-days", "3650", *said, "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, "req", *key, "-subj", "/CN=localhost", "-keyout", "box.key", "-out", "box.csr")
    (folder / "extensions").write_text(EXTENSIONS)
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90", "-extfile", "extensions"]
    openssl(folder, "x509", "-req", "-in", "box.csr", *signing, "-out", "box.pem")
    (folder / "box.key").chmod(0o600)


def test_nothing_of_medium_severity_or_worse_is_found(tmp_path: Path) -> None:
    authority_and_certificate(tmp_path)
    http = free_port()
    (tmp_path / "box.yaml").write_text(
        f"mqtt: {{url: 'embedded://127.0.0.1:{free_port()}'}}\nstore: {{path: data, ballast_mib: 0}}\n"
        f"api: {{listen: '127.0.0.1:{http}', cert_file: box.pem, key_file: box.key}}\n"
        "stations: [{id: yanshan, areas: [{id: hall, resources: [{id: seat-01, kind: seat}]}]}]\n"
    )
    words = ["--quiet", "--color", "0", "--warnings", "off", "--add-ca", str(tmp_path / "ca.pem")]
    looks = ["-p", "-s", "-f", "-P", "-S", "-h", "-U"]
    findings = tmp_path / "found.json"
    address, ask = f"https://localhost:{http}", ["curl", "-fso", "/dev/null", "--cacert", str(tmp_path / "ca.pem")]
    with Yizhan(tmp_path, "up", "--config", str(tmp_path / "box.yaml")):
        until(lambda: subprocess.run([*ask, f"{address}/readyz"], check=False).returncode == 0)
        command = [TESTSSL, *words, "--jsonfile", str(findings), *looks, address]
        subprocess.run(command, capture_output=True, timeout=1_500, check=False)
    rows = json.loads(findings.read_text())
    assert {row["id"] for row in rows} >= {"TLS1_2", "TLS1_3", "HSTS_time", "BREACH", "cert_chain_of_trust"}
    assert [(row["id"], row["finding"]) for row in rows if row["severity"] in GRAVE] == []
