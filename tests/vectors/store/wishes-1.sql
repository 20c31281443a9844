BEGIN TRANSACTION;
CREATE TABLE demand (
    number INTEGER PRIMARY KEY AUTOINCREMENT, station TEXT NOT NULL, interest TEXT NOT NULL, slot TEXT NOT NULL,
    state TEXT NOT NULL, wishes INTEGER NOT NULL, assignee TEXT NOT NULL, changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL, taken_at INTEGER, uid TEXT, area TEXT, start INTEGER, remark TEXT NOT NULL);
INSERT INTO "demand" VALUES(1,'yanshan','calligraphy','weekend-morning','held',6,'li','li',1795262400000,1795262400000,'u1','lounge',1795262400000,'');
INSERT INTO "demand" VALUES(2,'yanshan','chess','weekend-morning','taken',5,'wang','wang',1795262400000,NULL,NULL,NULL,NULL,'');
CREATE TABLE wish (station TEXT NOT NULL, interest TEXT NOT NULL, slot TEXT NOT NULL, week TEXT NOT NULL,
    wishes INTEGER NOT NULL, PRIMARY KEY (station, interest, slot, week)) WITHOUT ROWID;
INSERT INTO "wish" VALUES('yanshan','calligraphy','weekend-morning','2026-11-16',6);
CREATE UNIQUE INDEX demand_under_way ON demand (station, interest, slot) WHERE state NOT IN ('held', 'closed');
CREATE INDEX demand_over ON demand (changed_at) WHERE state IN ('held', 'closed');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('demand',2);
COMMIT;
PRAGMA user_version=1;
