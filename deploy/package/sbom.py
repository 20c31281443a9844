"""What the package is made of: a list in CycloneDX 1.6, and the licences, from what the wheels say of themselves."""

import hashlib
import re
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from deploy.package.licences import licence_of


@dataclass(frozen=True, slots=True)
class Component:
    """A distribution as it is packed: `hashes` are the SHA-256 of its wheels."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def components(wheels: list[Path]) -> list[Component]:
    """By name; the wheels of several interpreters are one component."""
    by_name: dict[str, Component] = {}
    for wheel in wheels:
        told = _metadata(wheel)
        name, digest = _normal(told["Name"]), hashlib.sha256(wheel.read_bytes()).hexdigest()
        before = by_name.get(name)
        hashes = (*(before.hashes if before else ()), digest)
        by_name[name] = Component(name, told["Version"], licence_of(name, told), tuple(dict.fromkeys(hashes)))
    return [by_name[name] for name in sorted(by_name)]


def document(version: str, arch: str, made: str, parts: list[Component]) -> dict[str, Any]:
    """The list. It has no serial number and the time of the commit, so the same sources make the same bytes."""
    own = f"pkg:deb/yizhan@{version}?arch={arch}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "component": {
                "type": "application", "bom-ref": own, "name": "yizhan", "version": version, "purl": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [
            {
                "type": "library", "bom-ref": part.purl, "name": part.name, "version": part.version, "purl": part.purl,
                "licenses": [{"expression": part.licence}],
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in part.hashes[:1]],
                "properties": [{"name": "yizhan:wheel-sha256", "value": digest} for digest in part.hashes],
            }
            for part in parts
        ],
        "dependencies": [{"ref": own, "dependsOn": [part.purl for part in parts]}],
    }  # fmt: skip


COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: yizhan

Files: *
Copyright: 2026 the authors of yizhan
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.
"""
PART = """
Files: usr/lib/yizhan/lib/site-packages/*
Comment: the files that {name}-{version}.dist-info/RECORD names
Copyright: the authors of {name}, as its dist-info names them
License: {licence}
"""


def copyright_file(parts: list[Component]) -> str:
    """In the form of Debian's copyright files; the texts of the licences lie beside each distribution."""
    told = [PART.format(name=part.name, version=part.version, licence=part.licence) for part in parts]
    return COPYRIGHT + "".join(told)


def _metadata(wheel: Path) -> Any:
    with ZipFile(wheel) as archive:
        name = next(member for member in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", member))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
