"""Certificates as a station has them, made by openssl."""

import subprocess
from pathlib import Path


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def made_authority(folder: Path) -> Path:
    """A folder with an authority, the box's certificate, and those of CP001, CP002 and of a stranger."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other-ca"):
        openssl(
            folder,
            "req",
            "-x509",
            *key,
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            "-subj",
            f"/CN={name}",
            "-days",
            "2",
        )
    for name, signer in (("box", "ca"), ("CP001", "ca"), ("CP002", "ca"), ("stranger", "other-ca")):
        subject = "CP001" if name == "stranger" else "127.0.0.1" if name == "box" else name
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        (folder / "ext").write_text(
            "subjectAltName=IP:127.0.0.1\n" if name == "box" else "extendedKeyUsage=clientAuth\n"
        )
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "ext")  # fmt: skip
    return folder
