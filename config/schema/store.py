"""`store:`: the journal on this machine, how long it keeps what, and the copy in InfluxDB."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.schema.base import Days, File, Folder, HttpUrl, Model, NotNegative, Positive, Seconds


class Retention(Model):
    """How many days each class of records is kept."""

    raw_days: Days = 400
    """Readings as they came."""
    rollups_days: Days = 3650
    """Hourly and daily sums."""
    door_events_days: Days = 30
    """Cards in events are taken out after so many days; the event stays."""
    alerts_days: Days = 730
    """Closed alerts, work orders and the audit trail."""
    photos_days: Days = 90
    """Photos of checks by people."""
    quarantine_days: Days = 7
    """Messages that could not be read."""


class Influx(Model):
    """A copy in InfluxDB 2 or anything that takes its line protocol."""

    url: HttpUrl
    """Address of the server, such as http://127.0.0.1:8086."""
    org: str
    """Organisation."""
    bucket: str
    """Bucket; `yizhan store init` creates it."""
    token_file: File
    """File with the API token."""
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 5000
    """Rows in one write."""
    rows_per_s: Positive = 100_000
    """Highest rate while catching up after an outage."""
    timeout_s: Annotated[int, Field(ge=1, le=300)] = 10
    """How long one write may take."""
    retention_days: NotNegative = 0
    """Retention of the bucket that `yizhan store init` creates; 0 keeps all."""
    max_retry_pause_s: Seconds = 60
    """Longest pause between two attempts."""


class ReplicaSettings(Model):
    """A second copy of the whole store in PostgreSQL, which has each commit before it is acknowledged."""

    url_file: File
    """File with the address: postgresql://user:password@host/database."""
    required: bool = True
    """true: what the replica lacks is not acknowledged, and intake waits; false: go on with one copy, and say so."""


class StoreSettings(Model):
    """The journal in SQLite."""

    path: Folder = Path("data")
    """Folder of the SQLite files; the environment variable YIZHAN_DATA overrules it."""
    profile: Literal["safe", "sd_card"] = "safe"
    """safe: each commit survives a power cut; sd_card: fewer flushes, a power cut may cost the last seconds."""
    ballast_mib: NotNegative = 32
    """Space set aside, released when the disk is full so that alerts can still be stored; 0 for none."""
    retention: Retention = Retention()
    """Days each class of records is kept."""
    influx: Influx | None = None
    """A copy in InfluxDB, for history at scale."""
    replica: ReplicaSettings | None = None
    """A second copy of everything in PostgreSQL, from which a lost machine's store is made again."""
