"""Writing to InfluxDB 2, or whatever takes its line protocol at `/api/v2/write`: one request, one answer.

The client's batching mode loses rows by design (a few retries, then an error callback), so this is its synchronous
call, which retries nothing, with lines that are ready; what to do about an answer is `gateway.influx.delivery`'s.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from config.files import read_secret
from config.schema.store import Influx
from gateway.model import Millis
from gateway.store.base import StoreError

Verdict = Literal["taken", "refused", "expired", "too_large", "configuration", "busy"]

TEXT_MOST = 300  # characters of a server's words worth keeping
WAIT_MOST_S = 3600.0


@dataclass(frozen=True, slots=True)
class WriteAnswer:
    """What became of a write. `reason` is a counter's label: a status, `timeout`, `connection`.

    taken: all of it is there. refused: some line of it is not wanted. expired: some line is older than the bucket
    keeps. too_large: send less at once. configuration: somebody must mend something first. busy: the same again later,
    after `wait_s` where the server named a time.
    """

    verdict: Verdict
    reason: str
    text: str = ""
    wait_s: float | None = None


_BY_STATUS: dict[int, Verdict] = {
    201: "taken", 204: "taken", 400: "refused", 422: "refused", 413: "too_large", 408: "busy", 429: "busy",
}  # fmt: skip


def answer_of(status: int, headers: Mapping[str, str], text: str, now: Millis) -> WriteAnswer:
    """An HTTP status as a verdict. A 200 is no server of ours: somebody's login page, perhaps.

    InfluxDB 2 says 422 to a partial write, before 2.1 it said 500; the words for what is too old differ as well
    ("points beyond retention policy dropped=24", "dropped 24 points outside retention policy of duration 1h0m0s").
    """
    if status >= 400 and "retention policy" in text:
        return WriteAnswer("expired", str(status), text[:TEXT_MOST])
    if status == 500 and "partial write" in text:
        return WriteAnswer("refused", str(status), text[:TEXT_MOST])
    verdict = _BY_STATUS.get(status, "busy" if status >= 500 else "configuration")
    wait_s = retry_after_s(headers.get("Retry-After"), now) if verdict == "busy" else None
    return WriteAnswer(verdict, str(status), text[:TEXT_MOST], wait_s)


def retry_after_s(value: str | None, now: Millis) -> float | None:
    """Seconds to wait of a Retry-After header, a number or a date; None when it has none that can be read."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(float(value), WAIT_MOST_S)
    with contextlib.suppress(ValueError):
        until = parsedate_to_datetime(value)
        wait_s = (until - datetime.fromtimestamp(now / 1000, UTC)).total_seconds()
        return min(max(wait_s, 0.0), WAIT_MOST_S)
    return None


def not_found(error: Any) -> bool:
    """Whether InfluxDB itself says that it has no such thing; another engine's 404 is about the path."""
    try:
        return bool(error.status == 404 and json.loads(error.body)["code"] == "not found")
    except (ValueError, TypeError, KeyError):
        return False


def question_refused(settings: Influx, error: Any) -> StoreError:
    """Why a question was not answered, with the mend. InfluxDB 2.7 says 404 of a bucket that a token may not read."""
    if not_found(error):
        return StoreError(
            f"{settings.url} shows this token no bucket {settings.bucket}: "
            "run `yizhan store init`, or give the token read:buckets"
        )
    if error.status in (401, 403):
        return StoreError(f"{settings.url} answers {error.status} to a query: give the token read:buckets")
    return StoreError(f"{settings.url} answers {error.status} to a query: {error.reason}")


@contextlib.contextmanager
def asking(settings: Influx) -> Iterator[Any]:
    """A client for questions, for as long as they take. StoreError where the copy does not answer them."""
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.rest import ApiException
    from urllib3.exceptions import HTTPError

    token = read_secret(settings.token_file, "store.influx.token_file")
    client: Any = InfluxDBClient(url=settings.url, org=settings.org, token=token, timeout=settings.timeout_s * 1000)
    try:
        with contextlib.closing(client):
            yield client
    except ApiException as error:
        raise question_refused(settings, error) from None
    except (HTTPError, OSError) as error:
        raise StoreError(f"{settings.url} can't be reached: {error}; check store.influx.url") from None


class InfluxWriter:
    """One connection to the configured bucket, opened with the first write."""

    def __init__(self, settings: Influx) -> None:
        self._settings = settings
        self._client: Any = None

    @property
    def name(self) -> str:
        """Which copy this is: another bucket is another copy, and begins at the beginning."""
        return f"{self._settings.url} {self._settings.org}/{self._settings.bucket}"

    def write(self, lines: Sequence[str], now: Millis) -> WriteAnswer:
        """Send lines in one request. Never raises for what the server, the network or the token file does.

        UnicodeEncodeError for a line that is no text.
        """
        from influxdb_client.rest import ApiException
        from influxdb_client.service.write_service import WriteService
        from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError  # noqa: A004

        body = "\n".join(lines).encode()
        try:
            service: Any = WriteService(self._open().api_client)  # type: ignore[no-untyped-call]
            _, status, headers = service.post_write_with_http_info(
                self._settings.org, self._settings.bucket, body,
                precision="ns", content_type="text/plain; charset=utf-8",
            )  # fmt: skip
            return answer_of(status, dict(headers), "", now)
        except ApiException as error:
            if not error.status:
                return WriteAnswer("configuration", "tls", str(error.reason)[:TEXT_MOST])
            return answer_of(error.status, error.headers or {}, str(error.body or error.reason), now)
        except SSLError as error:
            return WriteAnswer("configuration", "tls", str(error)[:TEXT_MOST])
        except NewConnectionError as error:  # to urllib3 one kind of time-out
            return WriteAnswer("busy", "connection", str(error)[:TEXT_MOST])
        except TimeoutError as error:
            return WriteAnswer("busy", "timeout", str(error)[:TEXT_MOST])
        except UnicodeDecodeError:
            return WriteAnswer("busy", "unreadable", "the answer is no UTF-8")
        except ValueError as error:
            return WriteAnswer("configuration", "token", str(error)[:TEXT_MOST])
        except (HTTPError, OSError) as error:
            return WriteAnswer("busy", "connection", str(error)[:TEXT_MOST])

    def _open(self) -> Any:
        if self._client is None:
            from influxdb_client.client.influxdb_client import InfluxDBClient

            settings = self._settings
            self._client = InfluxDBClient(
                url=settings.url, org=settings.org, token=read_secret(settings.token_file, "store.influx.token_file"),
                timeout=settings.timeout_s * 1000, enable_gzip=True,
            )  # fmt: skip
        return self._client

    def close(self) -> None:
        """End the connection; the next write reads the token anew and opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
