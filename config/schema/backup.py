"""`backup:`: a copy of the whole store elsewhere, each day, encrypted."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from config.schema.base import File, HttpUrl, Model, Positive, wrong


def _target(text: str) -> str:
    plain = re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/[\w./-]*)?|[\w.-]+(@[\w.-]+)?:(?!//)[\w./~-]+|[./~][^\0:]*", text)
    if plain is None:
        raise wrong("is no place for backups", "write a folder (/media/usb/yizhan), user@host:path or s3://bucket/path")
    return text


class Backup(Model):
    """Copies of the store, made by `yizhan up` or `yizhan api`, or by hand with `yizhan backup`."""

    to: Annotated[str, AfterValidator(_target)]
    """A folder, a target of rsync (user@host:path), or s3://bucket/path."""
    passphrase_file: File
    """File with the passphrase that everything is encrypted with; keep another copy of it, away from the box."""
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:20"
    """Local time of each day, `timezone`."""
    keep_days: Positive = 30
    """How long a backup is kept; the newest stays."""
    rehearse_days: Annotated[int, Field(ge=1, le=365)] = 7
    """So often the newest backup is fetched, decrypted and held against what was stored."""
    s3_endpoint: HttpUrl | None = None
    """Address of the storage that speaks S3, such as https://s3.example.com (s3://)."""
    s3_region: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    """Its region."""
    s3_access_id: str | None = None
    """Name of the key there."""
    s3_secret_file: File | None = None
    """File with its secret."""
