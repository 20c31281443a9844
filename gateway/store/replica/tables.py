"""What is asked of the replica's tables in PostgreSQL, which `schema.sql` makes."""

FORMAT = 1

# The newest of what `schema.sql` makes.
THERE = (
    "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('yizhan_lease') AND attname = 'required')"
)

STATE = (
    "SELECT line, epoch, whole, format, coalesce((SELECT max(n) FROM yizhan_step AS step WHERE"
    " step.gateway = store.gateway), 0) FROM yizhan_store AS store WHERE gateway = %s"
)
CLAIM = (
    "INSERT INTO yizhan_store (gateway, line, epoch, format) VALUES (%s, %s, 1, %s)"
    " ON CONFLICT (gateway) DO UPDATE SET epoch = yizhan_store.epoch + 1 WHERE yizhan_store.line = excluded.line"
    " RETURNING epoch"
)
# The row that holds the epoch is held until the commit: whoever takes over waits for it, and nothing comes after him.
HOLDS = "SELECT 1 FROM yizhan_store WHERE gateway = %s AND epoch = %s FOR SHARE"
HELD = f"WITH held AS ({HOLDS}) "
INSERT = (
    f"{HELD}INSERT INTO yizhan_step (gateway, n, epoch, day, body)"  # noqa: S608
    " SELECT %s, %s::bigint, %s::bigint, %s::int, %s::bytea FROM held"
    " ON CONFLICT (gateway, n) DO UPDATE SET epoch = excluded.epoch, day = excluded.day, body = excluded.body"
)
KEEP_PART = (
    f"{HELD}INSERT INTO yizhan_part (gateway, part, upto, blob)"  # noqa: S608
    " SELECT %s, %s::int, %s::bigint, %s::bytea FROM held"
    " ON CONFLICT (gateway, part) DO UPDATE SET upto = excluded.upto, blob = excluded.blob"
)
HAS = "SELECT 1 FROM yizhan_step WHERE gateway = %s AND n = %s AND sha256(body) = %s"
# A commit that the standby confirms proves that it has all that was committed before, too.
CONFIRM = "UPDATE yizhan_store SET asked = asked + 1 WHERE gateway = %s AND epoch = %s"
BODY = "SELECT body FROM yizhan_step WHERE gateway = %s AND n = %s"
EPOCH_OF = "SELECT epoch FROM yizhan_step WHERE gateway = %s AND n = %s"
DAYS_AFTER = "SELECT DISTINCT day FROM yizhan_step WHERE gateway = %s AND day > %s ORDER BY day"
STEPS = "SELECT n, day, body FROM yizhan_step WHERE gateway = %s AND n > %s ORDER BY n LIMIT %s"
STEPS_OF = (
    "SELECT n, day, body FROM yizhan_step WHERE gateway = %s AND day IS NOT DISTINCT FROM %s::int"
    " AND n > %s AND n <= %s ORDER BY n LIMIT %s"
)
STANDBY = (
    "SELECT current_setting('synchronous_standby_names'), current_setting('synchronous_commit'),"
    " current_setting('fsync'), (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),"
    " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
)

# ---- whole files ----

FILES = "SELECT name, mark, upto FROM yizhan_file WHERE gateway = %s AND piece = 0 ORDER BY name"
UPTO = "SELECT upto FROM yizhan_file WHERE gateway = %s AND name = %s AND piece = 0"
PIECE = "SELECT body FROM yizhan_file WHERE gateway = %s AND name = %s AND piece = %s"
PUT_PIECE = "INSERT INTO yizhan_file (gateway, name, piece, mark, upto, body) VALUES (%s, %s, %s, %s, %s, %s)"
DROP_FILE = "DELETE FROM yizhan_file WHERE gateway = %s AND name = %s"
# The newest step of all stays: by it the two know each other.
DROP_STEPS = (
    "DELETE FROM yizhan_step WHERE gateway = %s AND day IS NOT DISTINCT FROM %s::int AND n <= %s"
    " AND n < (SELECT max(n) FROM yizhan_step AS step WHERE step.gateway = yizhan_step.gateway)"
)
DROP_DAYS = (
    "DELETE FROM yizhan_step WHERE gateway = %s AND day < %s"
    " AND n < (SELECT max(n) FROM yizhan_step AS step WHERE step.gateway = yizhan_step.gateway)"
)
WHOLE = "UPDATE yizhan_store SET whole = %s WHERE gateway = %s AND epoch = %s"
DROP_FILES = "DELETE FROM yizhan_file WHERE gateway = %s"
PARTS = "SELECT part, upto, blob FROM yizhan_part WHERE gateway = %s ORDER BY part"
GATEWAYS = "SELECT gateway FROM yizhan_store ORDER BY gateway"

# ---- who may write ----

TAKE_LEASE = (
    "INSERT INTO yizhan_lease (gateway, holder, name, required, until)"
    " VALUES (%s, %s, %s, %s, clock_timestamp() + make_interval(secs => %s))"
    " ON CONFLICT (gateway) DO UPDATE SET holder = excluded.holder, name = excluded.name, until = excluded.until,"
    " required = excluded.required"
    " WHERE yizhan_lease.holder = excluded.holder OR (yizhan_lease.until < clock_timestamp() AND"
    " (yizhan_lease.required OR NOT %s::boolean))"
)
RENEW_LEASE = (
    "UPDATE yizhan_lease SET until = clock_timestamp() + make_interval(secs => %s) WHERE gateway = %s AND holder = %s"
)
HOLDER = "SELECT name, required FROM yizhan_lease WHERE gateway = %s"
LEASED = "SELECT gateway FROM yizhan_lease WHERE until > clock_timestamp()"

# ---- mirrors ----

FIRST_DAY = "SELECT min(day) FROM yizhan_step WHERE gateway = %s"
