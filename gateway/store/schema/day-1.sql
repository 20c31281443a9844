-- One day of the journal, whole in itself: deleting the file deletes the day.
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);       -- topics, and resources as station/resource
CREATE TABLE batch (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, blob BLOB NOT NULL);
CREATE TABLE block (id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
                    blob BLOB NOT NULL);                                     -- batches id..last_id, packed by column
CREATE TABLE change (resource INTEGER NOT NULL, at INTEGER NOT NULL, code INTEGER NOT NULL,
                     PRIMARY KEY (resource, at)) WITHOUT ROWID;              -- code: gateway.model.AXES
CREATE TABLE quarantine (id INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, reason TEXT NOT NULL,
                         topic BLOB NOT NULL, payload BLOB NOT NULL);
