-- How far the copy has followed the journal, and the lines that it would not take. In the core file.
CREATE TABLE IF NOT EXISTS copy_cursor (copy TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, copy TEXT NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL);
