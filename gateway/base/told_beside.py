"""Small files beside the store by which one process tells another how things stand."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def tell_beside(folder: Path, name: str, told: Mapping[str, object]) -> None:
    """Replace the file as a whole: for its owner alone, who is that of the folder where root writes it. OSError."""
    part = folder / f".{name}.part"
    part.write_text(json.dumps(told), "utf-8")
    part.chmod(0o600)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(part, owner.st_uid, owner.st_gid)
    part.replace(folder / name)
