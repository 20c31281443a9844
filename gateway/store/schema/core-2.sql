-- Alerts, what staff did with them, and what is owed to whom; times in ms since 1970 UTC. Files of version 1 may hold
-- these tables already: they were made where they were missing.
CREATE TABLE IF NOT EXISTS alert (
    id TEXT PRIMARY KEY, station TEXT, subject TEXT NOT NULL, resource TEXT, kind TEXT NOT NULL, severity TEXT NOT NULL,
    state TEXT NOT NULL, since INTEGER NOT NULL, opened_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
    cause TEXT NOT NULL, detail TEXT NOT NULL, acknowledged_by TEXT, closed_by TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alert_by_state ON alert (state, opened_at);
CREATE TABLE IF NOT EXISTS alert_event (
    alert TEXT NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL, by TEXT NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (alert, at, action, by, text)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, alert TEXT NOT NULL, action TEXT NOT NULL, at INTEGER NOT NULL,
    due INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, done_at INTEGER, via TEXT, error TEXT)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (due) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS outbox_of_alert ON outbox (alert);
CREATE INDEX IF NOT EXISTS outbox_sent ON outbox (via, done_at) WHERE state = 'delivered';
CREATE TABLE IF NOT EXISTS work_order (
    id TEXT PRIMARY KEY, alert TEXT, station TEXT NOT NULL, resource TEXT, title TEXT NOT NULL, assignee TEXT NOT NULL,
    state TEXT NOT NULL, opened_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, done_at INTEGER,
    reopened INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS order_event (
    work_order TEXT NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL, by TEXT NOT NULL, text TEXT,
    PRIMARY KEY (work_order, at, action)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used_link (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT);
CREATE TABLE IF NOT EXISTS alert_cursor (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL);
-- How far a copy has followed the journal, and the lines that it would not take.
CREATE TABLE IF NOT EXISTS copy_cursor (copy TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, copy TEXT NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL);
