-- What each station's promise to be open was, from when on; `closed`: it promised nothing. Times in ms since 1970 UTC.
CREATE TABLE opening (station TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (station, at))
    WITHOUT ROWID;
