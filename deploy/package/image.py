"""`dist/yizhan_{version}_amd64.oci.tar`: a container image of Debian 12 with the package, made without a container.

The root file system is mmdebstrap's; image and index are written here (OCI image layout 1.0), so it takes no daemon.
`podman load -i …` and `docker load -i …` (25 and later) take it.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.package.build import ROOT, built, commit_time

RELEASE = "bookworm"
NEEDED = "usr-is-merged,python3,adduser,libstdc++6,ca-certificates,tzdata"
HOOKS = Path("/usr/share/mmdebstrap/hooks/merged-usr")  # /usr is merged from the beginning, which needs no Perl
LEFT_OUT = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*",
    "/usr/share/bash-completion/*", "/usr/share/zsh/*", "/usr/lib/*/gconv/*",
    "/usr/lib/yizhan/lib/site-packages/*.cpython-313-*", "/usr/lib/yizhan/lib/python3.13/*",
)  # fmt: skip
"""What nobody reads in a container, encodings that Python has itself, and modules for the interpreter of Debian 13."""
KEPT = ("/usr/share/doc/*/copyright", "/usr/share/doc/yizhan/*")
RUN = ["/usr/bin/yizhan", "up", "--house", "/etc/yizhan", "--http", "0.0.0.0:8080", "--log-format", "json"]
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main() -> int:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    package = ROOT / f"dist/yizhan_{version}_amd64.deb"
    sys.stdout.write(f"{image(package if package.exists() else built(version, 'amd64', ROOT / 'dist'), version)}\n")
    return 0


def image(package: Path, version: str) -> Path:
    """The path of the image, beside the package."""
    work = ROOT / "build/image"
    shutil.rmtree(work, ignore_errors=True)
    (work / "blobs/sha256").mkdir(parents=True)
    root = _root(package, work / "root.tar")
    diff = _sha256(root)
    layer = _layer(root, work)
    made = f"{datetime.fromtimestamp(commit_time(), UTC):%Y-%m-%dT%H:%M:%SZ}"
    config = _json(work, CONFIG, _config(version, diff, made))
    manifest = _json(work, MANIFEST, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
    names = {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": f"yizhan:{version}"}
    named = manifest | {"annotations": names}
    (work / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (work / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    target = package.with_suffix(".oci.tar")
    with tarfile.open(target, "w") as archive:
        for name in ("oci-layout", "index.json", "blobs"):
            archive.add(work / name, name)
    return target


def _config(version: str, diff: str, made: str) -> dict[str, Any]:
    return {
        "created": made,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "User": "yizhan",
            "Env": ["PATH=/usr/bin:/bin", "YIZHAN_DATA=/var/lib/yizhan", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"],
            "Entrypoint": RUN,
            "ExposedPorts": {"8080/tcp": {}},
            "Volumes": {"/etc/yizhan": {}, "/var/lib/yizhan": {}},
            "WorkingDir": "/var/lib/yizhan",
            "Labels": {"org.opencontainers.image.version": version, "org.opencontainers.image.licenses": "Apache-2.0"},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        "history": [{"created": made, "created_by": "mmdebstrap and yizhan's package"}],
    }


def _root(package: Path, target: Path) -> Path:
    """What a container needs no more of a Debian is left out: its installer, Perl's library, documents, caches."""
    inside = "/tmp/yizhan.deb"  # noqa: S108  in the root that is being made
    command = [
        "mmdebstrap", "--quiet", "--variant=essential", f"--hook-dir={HOOKS}", f"--include={NEEDED}",
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        *(f"--dpkgopt=path-include={path}" for path in KEPT),
        f"--customize-hook=copy-in {package} /tmp",
        f'--customize-hook=mv "$1/tmp/{package.name}" "$1{inside}"',
        f'--customize-hook=chroot "$1" dpkg -i {inside}',
        f'--customize-hook=rm "$1{inside}"',
        RELEASE, str(target),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return target


def _layer(root: Path, work: Path) -> dict[str, Any]:
    packed = work / "layer"
    with root.open("rb") as source, packed.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    root.unlink()
    digest = _sha256(packed)
    size = packed.stat().st_size
    packed.rename(work / "blobs/sha256" / digest)
    return {"mediaType": LAYER, "digest": f"sha256:{digest}", "size": size}


def _json(work: Path, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(content).encode()
    digest = hashlib.sha256(text).hexdigest()
    (work / "blobs/sha256" / digest).write_bytes(text)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(text)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
