"""How the replica's server is reached, from the configuration."""

from collections.abc import Callable

from config.files import UnusableFileError, read_secret
from config.schema.store import ReplicaSettings
from gateway.store.base import StoreError
from gateway.store.replica.words import ReplicaServer, ServerAwayError

KEY = "store.replica.url_file"


def connection_of(replica: ReplicaSettings, gateway: str) -> Callable[[], ReplicaServer]:
    """Connects anew at each call, ServerAwayError; the file is read each time. StoreError without the extra."""
    try:
        from gateway.store.replica.postgres import Postgres
    except ImportError as error:
        raise StoreError("store.replica needs psycopg: pip install 'yizhan[replica]'") from error

    def connect() -> ReplicaServer:
        try:
            url = read_secret(replica.url_file, KEY)
        except UnusableFileError as error:
            raise ServerAwayError(str(error)) from error
        return Postgres(url, gateway)

    return connect
