-- People at counters and doors by local hour: openings of a door, what a counter's totals rose by at least and at most,
-- and the milliseconds over which they tell (gateway.history.turnstile.Passed).
CREATE TABLE people (scope INTEGER NOT NULL, start INTEGER NOT NULL, openings INTEGER NOT NULL, least INTEGER NOT NULL,
                     most INTEGER NOT NULL, seen_ms INTEGER NOT NULL, PRIMARY KEY (scope, start)) WITHOUT ROWID;
CREATE TABLE turnstile (scope INTEGER PRIMARY KEY, state BLOB NOT NULL);     -- gateway.history.turnstile.Turnstile, as JSON
