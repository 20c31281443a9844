-- How full things are that hold several: what their counts said, and what that adds up to by hour and day. It begins with
-- this version: what was rolled up before stays as it was, since the days it was made of may be gone.
CREATE TABLE level (scope INTEGER NOT NULL, at INTEGER NOT NULL, taken INTEGER, size INTEGER NOT NULL,
                    PRIMARY KEY (scope, at)) WITHOUT ROWID;                  -- gateway.history.fill.Level
ALTER TABLE hour ADD COLUMN in_use INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hour ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hour ADD COLUMN places INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hour ADD COLUMN no_shows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN in_use INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN places INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN no_shows INTEGER NOT NULL DEFAULT 0;
