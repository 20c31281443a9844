-- What people said of checks, in the order in which it came; times in ms since 1970 UTC, `expires` a day.
CREATE TABLE check_report (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, station TEXT NOT NULL, check_id TEXT NOT NULL,
    at INTEGER NOT NULL, received_at INTEGER NOT NULL, result TEXT NOT NULL, note TEXT NOT NULL, expires TEXT,
    count INTEGER, by TEXT NOT NULL);
CREATE INDEX check_report_of ON check_report (station, check_id, at);
CREATE INDEX check_report_at ON check_report (at);
