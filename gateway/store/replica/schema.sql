-- The replica in PostgreSQL, for each gateway: its steps, checkpoints for a quicker start, and whole files.
-- Of two that make it at once one waits for the other.
SELECT pg_advisory_xact_lock(7224160321);
CREATE TABLE IF NOT EXISTS yizhan_store (
    gateway text PRIMARY KEY, line text NOT NULL, epoch bigint NOT NULL, format int NOT NULL,
    whole boolean NOT NULL DEFAULT false,   -- a restore gives all that there is
    asked bigint NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS yizhan_step (
    gateway text NOT NULL REFERENCES yizhan_store ON DELETE CASCADE, n bigint NOT NULL, epoch bigint NOT NULL,
    day int,                                -- since 1970 UTC; NULL: of the core file
    body bytea NOT NULL, PRIMARY KEY (gateway, n));
CREATE INDEX IF NOT EXISTS yizhan_step_of_day ON yizhan_step (gateway, day);
CREATE TABLE IF NOT EXISTS yizhan_part (
    gateway text NOT NULL REFERENCES yizhan_store ON DELETE CASCADE, part int NOT NULL, upto bigint NOT NULL,
    blob bytea NOT NULL, PRIMARY KEY (gateway, part));
CREATE TABLE IF NOT EXISTS yizhan_file (
    gateway text NOT NULL REFERENCES yizhan_store ON DELETE CASCADE, name text NOT NULL, piece int NOT NULL,
    mark text NOT NULL,                     -- by which a change of the file is known
    upto bigint NOT NULL,                   -- the last step that it contains
    body bytea NOT NULL, PRIMARY KEY (gateway, name, piece));
CREATE TABLE IF NOT EXISTS yizhan_lease (
    gateway text PRIMARY KEY, holder text NOT NULL,   -- a store's folder on a machine
    name text NOT NULL,                               -- of the machine, for people
    until timestamptz NOT NULL);                      -- by the clock of this server alone
-- false: what the holder told may be stored there alone, so nobody takes over by himself
ALTER TABLE yizhan_lease ADD COLUMN IF NOT EXISTS required boolean NOT NULL DEFAULT true;
-- What comes is packed already.
ALTER TABLE yizhan_step ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE yizhan_file ALTER COLUMN body SET STORAGE EXTERNAL;
