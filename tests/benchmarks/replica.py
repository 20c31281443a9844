"""What a second copy in PostgreSQL costs: the same load with and without, in turns, on the same cores.

The server has a synchronous standby, and both flush to the same disk as the gateway, which no real house has: the
ratio is a lower bound.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.runs import Load, run
from tests.patience import until
from tests.postgres import PostgresServer, servers


@contextmanager
def pair() -> Iterator[PostgresServer]:
    """A server with its synchronous standby."""
    with contextmanager(servers)() as cluster:
        primary, standby = cluster.new_server(), cluster.new_server()
        primary.make("synchronous_standby_names = '*'")
        primary.start()
        standby.follow(primary, "second")
        standby.start()
        until(lambda: primary.sql("SELECT sync_state FROM pg_stat_replication") in ("sync", "quorum"))
        yield primary


def replicated(rounds: int, count: int) -> Iterator[Figure]:
    rates: dict[bool, list[float]] = {False: [], True: []}
    cpu: dict[bool, list[float]] = {False: [], True: []}
    with pair() as server:
        for _ in range(rounds):
            for there in (False, True):
                told = run("gateway", Load(count), drain=True, replica=server.url if there else None)
                rates[there].append(told["rate"])
                cpu[there].append(told["cpu_us"])
            server.sql("DROP TABLE IF EXISTS yizhan_lease, yizhan_file, yizhan_part, yizhan_step, yizhan_store")
    without, with_it = median(rates[False]), median(rates[True])
    yield Figure("without a replica", without, "messages/s")
    yield Figure("with a replica and its standby", with_it, "messages/s")
    yield Figure("with a replica, beside without", with_it / without, "×", 0.6, least=True)
    yield Figure("with a replica, CPU", median(cpu[True]), "µs/message")
    yield Figure("without a replica, CPU", median(cpu[False]), "µs/message")
