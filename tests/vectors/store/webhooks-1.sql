BEGIN TRANSACTION;
CREATE TABLE subscription (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, stations TEXT NOT NULL,
    kinds TEXT NOT NULL, secret TEXT NOT NULL, former_secret TEXT, former_until INTEGER, created_at INTEGER NOT NULL,
    failures INTEGER NOT NULL, failing_since INTEGER, due INTEGER NOT NULL, delivered_at INTEGER, disabled_at INTEGER,
    error TEXT) WITHOUT ROWID;
CREATE TABLE told (
    subscription TEXT NOT NULL, station TEXT NOT NULL, digest TEXT NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (subscription, station)) WITHOUT ROWID;
CREATE TABLE owed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, subscription TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE taken (event TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX owed_to ON owed (subscription, number);
INSERT INTO subscription VALUES ('sub_1', '0123456789ab', 'https://app.example/x', '["availability"]', '["yanshan"]', '[]',
  'whsec_AAAA', NULL, NULL, 1795262400000, 0, NULL, 0, NULL, NULL, NULL);
INSERT INTO told VALUES ('sub_1', 'yanshan', 'abc', 3);
INSERT INTO owed (subscription, at, body) VALUES ('sub_1', 1795262400000, x'7b7d');
INSERT INTO taken VALUES ('a/1/opened', 1795262400000);
COMMIT;
PRAGMA user_version=1;
