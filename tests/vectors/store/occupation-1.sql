BEGIN TRANSACTION;
CREATE TABLE occupation (station TEXT NOT NULL, month TEXT NOT NULL, occupation TEXT NOT NULL, answers INTEGER NOT NULL,
    PRIMARY KEY (station, month, occupation)) WITHOUT ROWID;
INSERT INTO "occupation" VALUES('shaping','2026-11','sanitation',1);
INSERT INTO "occupation" VALUES('yanshan','2026-10','courier',7);
INSERT INTO "occupation" VALUES('yanshan','2026-10','other',1);
COMMIT;
PRAGMA user_version=1;
