"""The container image: every digest holds, nobody in it is root, and it writes in its volumes alone."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.package import image

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the image holds, of a root file system with one file."""

    def root(_package: Path, target: Path) -> Path:
        with tarfile.open(target, "w") as archive:
            archive.addfile(tarfile.TarInfo("usr/bin/yizhan"), io.BytesIO())
        return target

    monkeypatch.setattr(image, "_root", root)
    monkeypatch.setattr(image, "ROOT", tmp_path)
    made = image.image(tmp_path / "yizhan_1.0.0_amd64.deb", "1.0.0")
    with tarfile.open(made) as archive:
        return {
            member.name: (archive.extractfile(member) or io.BytesIO()).read() for member in archive if member.isfile()
        }


def blob(files: dict[str, bytes], told: dict[str, Any]) -> bytes:
    content = files[f"blobs/sha256/{told['digest'].removeprefix('sha256:')}"]
    assert (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}") == (told["size"], told["digest"])
    return content


def test_every_digest_and_size_holds_from_the_index_to_the_layer(files: dict[str, bytes]) -> None:
    (named,) = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(files, named))
    config, (layer,) = json.loads(blob(files, manifest["config"])), manifest["layers"]
    unpacked = gzip.decompress(blob(files, layer))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(unpacked).hexdigest()}"]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    assert len(files) == 5


def test_nobody_in_it_is_root_and_it_opens_an_empty_house(files: dict[str, bytes]) -> None:
    (named,) = json.loads(files["index.json"])["manifests"]
    config = json.loads(blob(files, json.loads(blob(files, named))["config"]))["config"]
    assert config["User"] == "yizhan"
    assert config["Entrypoint"][:4] == ["/usr/bin/yizhan", "up", "--house", "/etc/yizhan"]
    assert set(config["Volumes"]) == {"/etc/yizhan", "/var/lib/yizhan"}


def test_the_compose_file_keeps_it_as_small_as_it_can_be() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    ours = services["yizhan"]
    assert (ours["read_only"], ours["cap_drop"]) == (True, ["ALL"])
    assert "healthcheck" in ours
    assert set(services) == {"yizhan", "mosquitto", "victoria", "grafana", "caddy"}
    assert all(port.startswith("127.0.0.1:") for port in ours["ports"] + services["grafana"]["ports"])
