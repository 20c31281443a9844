"""How the replica's server is reached, from the configuration."""

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from config.files import UnusableFileError, read_secret
from config.schema.store import ReplicaSettings
from gateway.base.sharing import shards_by_name
from gateway.store.base import StoreError
from gateway.store.replica.words import ServerAwayError

if TYPE_CHECKING:
    from gateway.store.replica.postgres import Postgres

KEY = "store.replica.url_file"


def connection_of(replica: ReplicaSettings, gateway: str) -> Callable[[], "Postgres"]:
    """Connects anew at each call, ServerAwayError; the file is read each time. StoreError without the extra."""
    try:
        from gateway.store.replica.postgres import Postgres
    except ImportError as error:
        raise StoreError("store.replica needs psycopg: pip install 'yizhan[replica]'") from error

    def connect() -> Postgres:
        try:
            url = read_secret(replica.url_file, KEY)
        except UnusableFileError as error:
            raise ServerAwayError(str(error)) from error
        return Postgres(url, gateway)

    return connect


def gateways_of(replica: ReplicaSettings, gateway: str) -> list[str]:
    """The gateway with this id and its shards, as far as the replica knows them; itself where it knows none.

    StoreError, ServerAwayError.
    """
    with closing(connection_of(replica, gateway)()) as server:
        return list(shards_by_name(server.gateways(), gateway)) or [gateway]
