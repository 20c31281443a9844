-- How many people of each occupation tapped in each local month of a station; nothing of any one of them, no time.
CREATE TABLE occupation (station TEXT NOT NULL, month TEXT NOT NULL, occupation TEXT NOT NULL, answers INTEGER NOT NULL,
    PRIMARY KEY (station, month, occupation)) WITHOUT ROWID;
