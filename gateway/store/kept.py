"""Small texts that a gateway keeps under a name, as any process may read them."""

from contextlib import closing
from pathlib import Path

from gateway.store.days import core_files
from gateway.store.files import read_only, store_errors


def kept_in(root: Path, name: str) -> list[bytes]:
    """What the gateways that write below this folder have under this name. StoreError."""
    values = []
    for path in core_files(root):
        with store_errors(path), closing(read_only(path)) as db:
            row = db.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
        if row is not None:
            (value,) = row
            values.append(bytes(value))
    return values
