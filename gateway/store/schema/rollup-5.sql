-- Transactions that chargers told to have ended (event `transaction`): energy in mWh, null where a meter is missing.
CREATE TABLE charge (scope INTEGER NOT NULL, name TEXT NOT NULL, start INTEGER NOT NULL, ended INTEGER NOT NULL,
                     energy_mwh INTEGER, PRIMARY KEY (scope, name)) WITHOUT ROWID;
CREATE INDEX charge_start ON charge (scope, start);
