-- How many people of a station wish for an activity, by interest, time of week, and the week (its Monday) in which they
-- said so; nothing of any one of them, no time of day.
CREATE TABLE wish (station TEXT NOT NULL, interest TEXT NOT NULL, slot TEXT NOT NULL, week TEXT NOT NULL,
    wishes INTEGER NOT NULL, PRIMARY KEY (station, interest, slot, week)) WITHOUT ROWID;
-- What somebody took up of them; times in ms since 1970 UTC. At most one of its kind is under way.
CREATE TABLE demand (
    number INTEGER PRIMARY KEY AUTOINCREMENT, station TEXT NOT NULL, interest TEXT NOT NULL, slot TEXT NOT NULL,
    state TEXT NOT NULL, wishes INTEGER NOT NULL, assignee TEXT NOT NULL, changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL, taken_at INTEGER, uid TEXT, area TEXT, start INTEGER, remark TEXT NOT NULL);
CREATE UNIQUE INDEX demand_under_way ON demand (station, interest, slot) WHERE state NOT IN ('held', 'closed');
CREATE INDEX demand_over ON demand (changed_at) WHERE state IN ('held', 'closed');
