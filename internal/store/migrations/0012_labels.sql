-- Labels that were set on running servers: those in force, and the log of all that were.
CREATE TABLE label_overrides (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  prompt TEXT NOT NULL,
  label TEXT NOT NULL,
  version TEXT NOT NULL,
  percent REAL NOT NULL,     -- of the callers of the bare name; 0: none
  before TEXT NOT NULL,      -- the version that the label named
  until INTEGER,             -- NULL: until the files agree
  because TEXT NOT NULL,
  by TEXT NOT NULL,          -- name of the key
  at INTEGER NOT NULL,
  ended INTEGER,             -- NULL: in force
  how TEXT                   -- it ended: agreed, expired, replaced
) STRICT;
CREATE UNIQUE INDEX label_overrides_in_force ON label_overrides (prompt, label) WHERE ended IS NULL;
