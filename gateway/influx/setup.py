"""The bucket in InfluxDB 2, made and kept as configured."""

from typing import Any

from config.files import read_secret
from config.schema.store import Influx
from gateway.influx.client import not_found
from gateway.store.base import StoreError

DAY_S = 86_400
NO_BUCKETS = (400, 404, 405, 501)  # what engines say that take lines but know no buckets


def init_bucket(settings: Influx) -> str:
    """Create the bucket with its retention, or set the retention of the one that is there; says what was done.

    StoreError names the mend. An engine without buckets (VictoriaMetrics, InfluxDB 1) is told as such: it needs none.
    """
    from influxdb_client.client.exceptions import InfluxDBError
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.rest import ApiException
    from urllib3.exceptions import HTTPError

    token = read_secret(settings.token_file, "store.influx.token_file")
    client: Any = InfluxDBClient(url=settings.url, org=settings.org, token=token, timeout=settings.timeout_s * 1000)
    try:
        return _init(client, settings)
    except ApiException as error:
        if error.status in NO_BUCKETS:
            return (
                f"{settings.url} answers {error.status} to /api/v2/buckets: this engine has no buckets and needs none; "
                "set how long it keeps data in its own options (VictoriaMetrics: -retentionPeriod)"
            )
        mend = "give the token write:buckets, or take the operator's" if error.status in (401, 403) else "try again"
        raise StoreError(f"{settings.url}: {error.status} {error.reason}: {mend}") from None
    except InfluxDBError:  # the client's own word for an organisation that it can't find
        mend = "check store.influx.org, and that the token may read it"
        raise StoreError(f"{settings.url} shows no organisation {settings.org}: {mend}") from None
    except (HTTPError, OSError) as error:
        raise StoreError(f"{settings.url} can't be reached: {error}; check store.influx.url") from None
    finally:
        client.close()


def _init(client: Any, settings: Influx) -> str:
    from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules

    rule: Any = BucketRetentionRules  # the client is not typed
    rules = [rule(type="expire", every_seconds=settings.retention_days * DAY_S)]
    kept = f"keeps {settings.retention_days} days" if settings.retention_days else "keeps everything"
    buckets = client.buckets_api()
    bucket = _found(buckets, settings)
    if bucket is None:
        buckets.create_bucket(bucket_name=settings.bucket, org=settings.org, retention_rules=rules)
        return f"bucket {settings.bucket} is made and {kept}"
    if _seconds(bucket) == settings.retention_days * DAY_S:
        return f"bucket {settings.bucket} is there and {kept}"
    bucket.retention_rules = rules
    buckets.update_bucket(bucket)
    return f"bucket {settings.bucket} was there; now it {kept}"


def _found(buckets: Any, settings: Influx) -> Any:
    """The bucket, or None. InfluxDB answers 404 to a name that it does not know; early ones list their own buckets."""
    from influxdb_client.rest import ApiException

    try:
        listed = buckets.find_buckets(org=settings.org, name=settings.bucket).buckets or ()
    except ApiException as error:
        if not_found(error):
            return None
        raise
    return next((bucket for bucket in listed if bucket.name == settings.bucket), None)


def _seconds(bucket: Any) -> int:
    """How long it keeps, 0 for ever."""
    return max((rule.every_seconds or 0 for rule in bucket.retention_rules or ()), default=0)
