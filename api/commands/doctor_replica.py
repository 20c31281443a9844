"""The lines of `yizhan doctor` about the second copy in PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from api.commands.doctor_finding import DoctorFinding

if TYPE_CHECKING:
    from config.schema import Settings


def replica(settings: "Settings") -> Iterator[DoctorFinding]:
    """Whether it lets us in, what it holds of us, and whether a standby confirms; nothing without a replica."""
    from gateway.store.base import StoreError
    from gateway.store.replica.configured import connection_of
    from gateway.store.replica.words import ServerAwayError, StuckError

    if settings.store.replica is None:
        return
    try:
        with closing(connection_of(settings.store.replica, settings.gateway.id)()) as server:
            state, standby = server.state(), server.standby()
    except ServerAwayError as error:
        yield DoctorFinding("fail", "replica", f"{error}; look at store.replica.url_file and the server's log")
        return
    except (StoreError, StuckError) as error:
        yield DoctorFinding("fail", "replica", str(error))
        return
    if state is None:
        yield DoctorFinding("ok", "replica", f"it lets us in, and holds nothing of {settings.gateway.id} yet")
    else:
        yield DoctorFinding("ok", "replica", f"it lets us in, and holds {state.last} commits of {settings.gateway.id}")
    if not standby.confirms:
        yield DoctorFinding("warn", "replica", f"no standby confirms what it takes: {standby.why}")
