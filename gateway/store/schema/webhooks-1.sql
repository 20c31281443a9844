-- Who is told of changes by webhook, what was told, and what is owed; times in ms since 1970 UTC.
-- `events`, `stations` and `kinds` are JSON arrays; empty ones mean all.
CREATE TABLE subscription (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, stations TEXT NOT NULL,
    kinds TEXT NOT NULL, secret TEXT NOT NULL, former_secret TEXT, former_until INTEGER, created_at INTEGER NOT NULL,
    failures INTEGER NOT NULL, failing_since INTEGER, due INTEGER NOT NULL, delivered_at INTEGER, disabled_at INTEGER,
    error TEXT) WITHOUT ROWID;
-- The last state of each station that a subscriber took, as a digest, and how often it took one.
CREATE TABLE told (
    subscription TEXT NOT NULL, station TEXT NOT NULL, digest TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (subscription, station)) WITHOUT ROWID;
-- Events of alerts that a subscriber has yet to take, in order.
CREATE TABLE owed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
-- Which events of alerts were taken in, lately: after a kill the store is asked for those that are missing.
CREATE TABLE taken (event TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX owed_to ON owed (subscription, number);
