-- What single messages add up to, by local hour: energies in mWh, readings of meters, passages inwards at a door.
CREATE TABLE tally (scope INTEGER NOT NULL, start INTEGER NOT NULL, energy_mwh INTEGER NOT NULL,
                    gap_mwh INTEGER NOT NULL, resets INTEGER NOT NULL, readings INTEGER NOT NULL,
                    passages INTEGER NOT NULL, PRIMARY KEY (scope, start)) WITHOUT ROWID;
CREATE TABLE mark (scope INTEGER NOT NULL, at INTEGER NOT NULL, total_mwh INTEGER NOT NULL, resets INTEGER NOT NULL,
                   PRIMARY KEY (scope, at)) WITHOUT ROWID;                   -- a meter where a use began or ended
CREATE TABLE meter (scope INTEGER PRIMARY KEY, state BLOB NOT NULL);         -- gateway.tally.Meter, as JSON
CREATE TABLE tallied (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL, at INTEGER NOT NULL);
INSERT INTO tallied VALUES (1, 0, 0);                                        -- the last batch, and when there was no newer one
-- Doors and safety items no longer count into areas and stations: everything is made again.
DELETE FROM hour;
DELETE FROM day;
DELETE FROM done;
