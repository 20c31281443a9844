-- Activities that are over, and whether presence proved that they were held; times in ms since 1970 UTC.
CREATE TABLE activity (station TEXT NOT NULL, area TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    uid TEXT NOT NULL, held TEXT NOT NULL, PRIMARY KEY (station, start, area, uid)) WITHOUT ROWID;
