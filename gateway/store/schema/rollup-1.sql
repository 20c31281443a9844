-- Minutes of use by local hour and day, for each resource, area and station. Can be made again from the journal.
CREATE TABLE scope (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE hour (scope INTEGER NOT NULL, start INTEGER NOT NULL, occupied INTEGER NOT NULL, free INTEGER NOT NULL,
                   broken INTEGER NOT NULL, closed INTEGER NOT NULL, unknown INTEGER NOT NULL, sessions INTEGER NOT NULL,
                   PRIMARY KEY (scope, start)) WITHOUT ROWID;
CREATE TABLE day (scope INTEGER NOT NULL, start INTEGER NOT NULL, occupied INTEGER NOT NULL, free INTEGER NOT NULL,
                  broken INTEGER NOT NULL, closed INTEGER NOT NULL, unknown INTEGER NOT NULL, sessions INTEGER NOT NULL,
                  PRIMARY KEY (scope, start)) WITHOUT ROWID;
CREATE TABLE done (station TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
